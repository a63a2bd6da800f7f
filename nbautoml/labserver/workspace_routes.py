"""Routes about workspaces as a whole."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from nbautoml.labserver.handler import Handler, Routes
from nbautoml.services.catalog import catalog
from nbautoml.services.workspaces import known_workspaces


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
    """``GET catalog?runs=``: what a workspace holds."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Return datasets, compute targets, runs and models."""
        n_runs = self.whole_number("runs")
        await self.answer(self.with_session(lambda s: catalog(s, n_runs=n_runs())))


ROUTES: Routes = (
    ("workspaces", WorkspacesHandler),
    ("catalog", CatalogHandler),
)
