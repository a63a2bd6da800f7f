"""Wiring: routes, open workspaces and followers, for as long as the server lives."""

from __future__ import annotations

from pathlib import Path

from jupyter_server.extension.application import ExtensionApp
from tornado.ioloop import PeriodicCallback

from nbautoml.labserver.compute_routes import ROUTES as COMPUTE_ROUTES
from nbautoml.labserver.dataset_routes import ROUTES as DATASET_ROUTES
from nbautoml.labserver.deployment_routes import ROUTES as DEPLOYMENT_ROUTES
from nbautoml.labserver.events import EventsHandler
from nbautoml.labserver.explanation_routes import ROUTES as EXPLANATION_ROUTES
from nbautoml.labserver.handler import BACKEND, Backend, Routes
from nbautoml.labserver.logged_routes import ROUTES as LOGGED_ROUTES
from nbautoml.labserver.model_routes import ROUTES as MODEL_ROUTES
from nbautoml.labserver.pipeline_routes import ROUTES as PIPELINE_ROUTES
from nbautoml.labserver.run_routes import ROUTES as RUN_ROUTES
from nbautoml.labserver.wizard_routes import ROUTES as WIZARD_ROUTES
from nbautoml.labserver.workspace_routes import ROUTES as WORKSPACE_ROUTES
from nbautoml.services.hub import Hub
from nbautoml.services.sessions import SessionPool
from nbautoml.services.wizard import Wizard
from nbautoml.services.workspaces import allowed_workspace

ROOT = "/nbautoml/v1"
ROUTES: Routes = (
    ("events", EventsHandler),
    *WORKSPACE_ROUTES,
    *DATASET_ROUTES,
    *MODEL_ROUTES,
    *COMPUTE_ROUTES,
    *RUN_ROUTES,
    *LOGGED_ROUTES,
    *EXPLANATION_ROUTES,
    *DEPLOYMENT_ROUTES,
    *PIPELINE_ROUTES,
    *WIZARD_ROUTES,
)
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
        hub = Hub(lambda folder: pool.lend(allowed_workspace(folder, below=root)))
        backend = Backend(root=root, pool=pool, hub=hub, wizard=Wizard(root, pool))
        self.settings[BACKEND] = backend
        self._closer = PeriodicCallback(lambda: self._close_idle(pool), _CLOSE_IDLE_MS)
        self._closer.start()

    @staticmethod
    def _close_idle(pool: SessionPool) -> None:
        pool.close_idle()

    def initialize_handlers(self) -> None:
        """Name the routes; the server puts its base URL before them."""
        self.handlers.extend((f"{ROOT}/{pattern}", handler) for pattern, handler in ROUTES)

    async def stop_extension(self) -> None:
        """Close what is open, when the server stops."""
        self._closer.stop()
        backend: Backend = self.settings[BACKEND]
        backend.wizard.close()
        backend.hub.close()
        backend.pool.close()
