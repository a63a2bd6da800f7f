"""Handlers: check who asks, read the question, call a service in a thread, write the answer."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar  # Any: JSON values, tornado's untyped keywords

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from nbautoml.errors import ConfigError
from nbautoml.labserver.hub import Hub
from nbautoml.services.catalog import catalog
from nbautoml.services.code import run_code, trial_script
from nbautoml.services.data import run_columns
from nbautoml.services.files import leaderboard_csv, trial_file
from nbautoml.services.logs import run_log
from nbautoml.services.models import chart_page, register_trial, trial_charts
from nbautoml.services.problems import problem_of
from nbautoml.services.runs import request_of_run, run_snapshot, trial_details, trial_scores
from nbautoml.services.sessions import SessionPool
from nbautoml.services.view import view
from nbautoml.services.workspaces import allowed_workspace, known_workspaces
from nbautoml.store.session import Session

BACKEND = "nbautoml_backend"
RESOURCE = "nbautoml"
BINARY = "application/octet-stream"
_PART_BYTES = 1 << 20

T = TypeVar("T")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """What the handlers share."""

    root: Path
    pool: SessionPool
    hub: Hub


class Handler(APIHandler):
    """Base of our handlers: services run in threads, errors become JSON bodies."""

    auth_resource = RESOURCE

    @property
    def backend(self) -> Backend:
        """What the handlers share."""
        backend: Backend = self.settings[BACKEND]
        return backend

    async def answer(self, work: Callable[[], Any]) -> None:
        """Write what `work` returns, called in a thread; or the error that it raised."""
        try:
            content = await asyncio.to_thread(work)
        except Exception as error:  # noqa: BLE001 - the border: an error becomes a body
            content = self._problem(error)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(json.dumps(content, allow_nan=False))

    async def offer(
        self, work: Callable[[], str | Path], file_name: str, content_type: str
    ) -> None:
        """Write the text or the file that `work` returns as a file to save; or its error."""
        self.set_header("X-Content-Type-Options", "nosniff")
        try:
            content = await asyncio.to_thread(work)
        except Exception as error:  # noqa: BLE001 - the border: an error becomes a body
            self.finish(json.dumps(self._problem(error)))
            return
        self.set_header("Content-Type", content_type)
        # Saved, never shown as a page of this server.
        self.set_header("Content-Disposition", f'attachment; filename="{file_name}"')
        if isinstance(content, str):
            self.finish(content, set_content_type=content_type)
            return
        with content.open("rb") as file:
            while part := await asyncio.to_thread(file.read, _PART_BYTES):
                self.write(part)
                await self.flush()
        self.finish(set_content_type=content_type)

    def whole_number(self, name: str) -> Callable[[], int]:
        """Return what reads a whole number of the query, 0 where it is not given."""
        text = self.get_query_argument(name, "0")

        def read() -> int:
            if not text.isdecimal():
                raise ConfigError(f"{name} must be a whole number of at least 0; got {text!r}.")
            return int(text)

        return read

    def _problem(self, error: Exception) -> dict[str, Any]:
        """Set the status that belongs to an error, and return the body that tells of it."""
        problem = problem_of(error)
        if problem.status >= 500:
            _LOG.error("%s %s failed", self.request.method, self.request.path, exc_info=error)
        self.set_status(problem.status)
        return {"error": problem.as_json()}

    def with_session(self, work: Callable[[Session], T]) -> Callable[[], T]:
        """Return `work` with the session of the workspace that the query names."""
        workspace = self.get_query_argument("workspace", "")

        def call() -> T:
            address = allowed_workspace(workspace, below=self.backend.root)
            with self.backend.pool.lend(address) as session:
                return work(session)

        return call

    def body(self) -> dict[str, Any]:
        """Return the request's JSON object.

        Raises
        ------
        ConfigError
            When the body is something else.
        """
        try:
            content = json.loads(self.request.body)
        except ValueError as error:
            raise ConfigError(f"The request's body must be JSON; {error}.") from error
        if not isinstance(content, dict):
            raise ConfigError(f"The request's body must be a JSON object; got {content!r:.100}.")
        return content


class WorkspacesHandler(Handler):
    """``GET workspaces``: those that the user has opened."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List names and folders."""
        await self.answer(
            lambda: {"workspaces": [{"name": a.name, "root": a.root} for a in known_workspaces()]}
        )


class CatalogHandler(Handler):
    """``GET catalog``: what a workspace holds."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Return datasets, compute targets, runs and models."""
        await self.answer(self.with_session(catalog))


class RunHandler(Handler):
    """``GET runs/{id}``: the whole view of a run."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        """Return the run now."""

        def work(session: Session) -> dict[str, Any]:
            snapshot = run_snapshot(session, run_id)
            return view(snapshot, now=time.time(), workspace=session.address.root)

        await self.answer(self.with_session(work))


class TrialHandler(Handler):
    """``GET runs/{id}/trials/{n}``: what is shown of a trial on demand."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str, number: str) -> None:
        """Return settings, metrics, fold scores and the whole error."""
        await self.answer(self.with_session(lambda s: trial_details(s, run_id, int(number))))


class ChartsHandler(Handler):
    """``GET runs/{id}/trials/{n}/charts``: the charts of a model, for plotly."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str, number: str) -> None:
        """Return figures and confidence intervals."""
        await self.answer(self.with_session(lambda s: trial_charts(s, run_id, int(number))))


class ChartPageHandler(Handler):
    """``GET runs/{id}/trials/{n}/charts/{name}``: one chart as a page to keep."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str, number: str, name: str) -> None:
        """Return the page as a download."""
        file_name = f"{run_id}_{number}_{name}.html"
        work = self.with_session(lambda s: chart_page(s, run_id, int(number), name))
        await self.offer(work, file_name, "text/html; charset=utf-8")


class RegisterHandler(Handler):
    """``POST runs/{id}/trials/{n}/register``: a version of a model."""

    @web.authenticated
    @authorized
    async def post(self, run_id: str, number: str) -> None:
        """Register the model; return its name and version."""
        asked = self.with_session(lambda s: register_trial(s, run_id, int(number), self.body()))
        await self.answer(asked)


class ScriptHandler(Handler):
    """``GET runs/{id}/trials/{n}/script``: the code that trains a model."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str, number: str) -> None:
        """Return the script as text."""
        await self.answer(self.with_session(lambda s: trial_script(s, run_id, int(number))))


class TrialFileHandler(Handler):
    """``GET runs/{id}/trials/{n}/files/{name}``: a stored file to keep."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str, number: str, name: str) -> None:
        """Return the file as a download."""
        work = self.with_session(lambda s: trial_file(s, run_id, int(number), name))
        await self.offer(work, f"{run_id}_{number}_{name.rpartition('/')[2]}", BINARY)


class ScoresHandler(Handler):
    """``GET runs/{id}/scores?metric=``: one metric of all trials."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        """Return the values, and the names of all metrics."""
        name = self.get_query_argument("metric", "")
        await self.answer(self.with_session(lambda s: trial_scores(s, run_id, name)))


class LeaderboardHandler(Handler):
    """``GET runs/{id}/leaderboard.csv``."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        """Return all trials as a download."""
        work = self.with_session(lambda s: leaderboard_csv(s, run_id))
        await self.offer(work, f"{run_id}_leaderboard.csv", "text/csv; charset=utf-8")


class LogHandler(Handler):
    """``GET runs/{id}/log?after=``: what happened since an event."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        """Return lines of the log."""
        after = self.whole_number("after")
        await self.answer(self.with_session(lambda s: run_log(s, run_id, after=after())))


class CodeHandler(Handler):
    """``GET runs/{id}/code``: Python that starts the run again, and that uses its model."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        """Return both."""
        await self.answer(self.with_session(lambda s: run_code(s, run_id)))


class ColumnsHandler(Handler):
    """``GET runs/{id}/columns``: the columns of the data, and what became of them."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        """Return the columns."""
        await self.answer(self.with_session(lambda s: run_columns(s, run_id)))


class RequestsHandler(Handler):
    """``POST runs/{id}/requests``: stop, finish now, more time."""

    @web.authenticated
    @authorized
    async def post(self, run_id: str) -> None:
        """Append a request for the run's controller."""

        def work(session: Session) -> dict[str, Any]:
            request = request_of_run(session, run_id, self.body(), time=time.time())
            return {"seq": request.seq, "kind": request.kind.value}

        await self.answer(self.with_session(work))
