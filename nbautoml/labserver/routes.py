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
from nbautoml.services.problems import problem_of
from nbautoml.services.runs import request_of_run, run_snapshot, trial_details
from nbautoml.services.sessions import SessionPool
from nbautoml.services.view import view
from nbautoml.services.workspaces import allowed_workspace, known_workspaces
from nbautoml.store.session import Session

BACKEND = "nbautoml_backend"
RESOURCE = "nbautoml"

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
            problem = problem_of(error)
            if problem.status >= 500:
                _LOG.error("%s %s failed", self.request.method, self.request.path, exc_info=error)
            self.set_status(problem.status)
            content = {"error": problem.as_json()}
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(json.dumps(content, allow_nan=False))

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
