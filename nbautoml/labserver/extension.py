"""Wiring: routes, open workspaces and followers, for as long as the server lives."""

from __future__ import annotations

from pathlib import Path

from jupyter_server.extension.application import ExtensionApp
from tornado.ioloop import PeriodicCallback

from nbautoml.labserver.events import EventsHandler
from nbautoml.labserver.hub import Hub
from nbautoml.labserver.routes import (
    BACKEND,
    Backend,
    CatalogHandler,
    ChartPageHandler,
    ChartsHandler,
    CodeHandler,
    ColumnsHandler,
    LeaderboardHandler,
    LogHandler,
    RegisterHandler,
    RequestsHandler,
    RunHandler,
    ScoresHandler,
    ScriptHandler,
    TrialFileHandler,
    TrialHandler,
    WorkspacesHandler,
)
from nbautoml.services.sessions import SessionPool

ROOT = "/nbautoml/v1"
_RUN = r"(?P<run_id>[A-Za-z0-9_.\-]{1,200})"
_NUMBER = r"(?P<number>[0-9]{1,9})"
_NAME = r"(?P<name>[a-z_]{1,60})"
_FILE = r"(?P<name>[A-Za-z0-9_.\-/]{1,300})"
_CLOSE_IDLE_MS = 30_000


class LabServerExtension(ExtensionApp):
    """The server extension named ``nbautoml``."""

    name = "nbautoml"
    extension_url = f"{ROOT}/workspaces"

    def initialize_settings(self) -> None:
        """Make what the handlers share."""
        assert self.serverapp is not None  # set before the server asks for settings
        root = Path(self.serverapp.root_dir).expanduser()
        pool = SessionPool()
        backend = Backend(root=root, pool=pool, hub=Hub(pool, root))
        self.settings[BACKEND] = backend
        self._closer = PeriodicCallback(lambda: self._close_idle(pool), _CLOSE_IDLE_MS)
        self._closer.start()

    @staticmethod
    def _close_idle(pool: SessionPool) -> None:
        pool.close_idle()

    def initialize_handlers(self) -> None:
        """Name the routes; the server puts its base URL before them."""
        run, trial = rf"{ROOT}/runs/{_RUN}", rf"{ROOT}/runs/{_RUN}/trials/{_NUMBER}"
        self.handlers.extend(
            [
                (rf"{ROOT}/events", EventsHandler),
                (rf"{ROOT}/workspaces", WorkspacesHandler),
                (rf"{ROOT}/catalog", CatalogHandler),
                (run, RunHandler),
                (rf"{run}/requests", RequestsHandler),
                (rf"{run}/log", LogHandler),
                (rf"{run}/scores", ScoresHandler),
                (rf"{run}/code", CodeHandler),
                (rf"{run}/columns", ColumnsHandler),
                (rf"{run}/leaderboard\.csv", LeaderboardHandler),
                (trial, TrialHandler),
                (rf"{trial}/charts", ChartsHandler),
                (rf"{trial}/charts/{_NAME}", ChartPageHandler),
                (rf"{trial}/script", ScriptHandler),
                (rf"{trial}/register", RegisterHandler),
                (rf"{trial}/files/{_FILE}", TrialFileHandler),
            ]
        )

    async def stop_extension(self) -> None:
        """Close what is open, when the server stops."""
        self._closer.stop()
        backend: Backend = self.settings[BACKEND]
        backend.hub.close()
        backend.pool.close()
