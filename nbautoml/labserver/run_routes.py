"""Routes about one run: its view, its models, what can be asked of it."""

from __future__ import annotations

import time
from typing import Any  # Any: JSON values

from jupyter_server.auth.decorator import authorized
from tornado import web

from nbautoml.labserver.handler import BINARY, NAME, NUMBER, PATH, RUN, Handler, Routes
from nbautoml.services.code import run_code, trial_script
from nbautoml.services.data import run_columns
from nbautoml.services.files import leaderboard_csv, trial_archive, trial_file
from nbautoml.services.logs import run_log
from nbautoml.services.models import chart_page, register_trial, trial_charts
from nbautoml.services.runs import request_of_run, run_snapshot, trial_details, trial_scores
from nbautoml.services.view import view
from nbautoml.store.session import Session


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


class TrialArchiveHandler(Handler):
    """``GET runs/{id}/trials/{n}/archive``: model, environment, schema and code in one file."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str, number: str) -> None:
        """Return what the trial leaves as a zip archive to save."""
        work = self.with_session(lambda s: trial_archive(s, run_id, int(number)))
        await self.offer(work, f"{run_id}_{number}.zip", "application/zip")


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


_RUN = f"runs/{RUN}"
_TRIAL = f"{_RUN}/trials/{NUMBER}"

ROUTES: Routes = (
    (_RUN, RunHandler),
    (f"{_RUN}/requests", RequestsHandler),
    (f"{_RUN}/log", LogHandler),
    (f"{_RUN}/scores", ScoresHandler),
    (f"{_RUN}/code", CodeHandler),
    (f"{_RUN}/columns", ColumnsHandler),
    (rf"{_RUN}/leaderboard\.csv", LeaderboardHandler),
    (_TRIAL, TrialHandler),
    (f"{_TRIAL}/charts", ChartsHandler),
    (f"{_TRIAL}/charts/{NAME}", ChartPageHandler),
    (f"{_TRIAL}/script", ScriptHandler),
    (f"{_TRIAL}/register", RegisterHandler),
    (f"{_TRIAL}/archive", TrialArchiveHandler),
    (f"{_TRIAL}/files/{PATH}", TrialFileHandler),
)
