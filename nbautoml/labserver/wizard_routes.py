"""Routes of the form that makes a run."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from nbautoml.labserver.handler import Handler, Routes


class OptionsHandler(Handler):
    """``GET wizard/options?workspace=&folder=``: what the form offers."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Return the form's fields, and the workspaces, datasets, files and computes there are."""
        workspace = self.get_query_argument("workspace", "")
        folder = self.get_query_argument("folder", "", strip=False)
        await self.answer(lambda: self.backend.wizard.options(workspace, folder))


class DataHandler(Handler):
    """``GET wizard/data?workspace=&folder=&source=``: a table to learn from."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Return a table's columns and first rows, and which column it may be about."""
        workspace = self.get_query_argument("workspace", "")
        folder = self.get_query_argument("folder", "", strip=False)
        source = self.get_query_argument("source", "", strip=False)
        await self.answer(lambda: self.backend.wizard.data(workspace, folder, source))


class CodeHandler(Handler):
    """``POST wizard/code?workspace=``: the source of a run."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Return the cell and the Python of a run, or what has to be corrected."""
        workspace = self.get_query_argument("workspace", "")
        await self.answer(lambda: self.backend.wizard.code(workspace, self.body()))


class StartHandler(Handler):
    """``POST wizard/run?workspace=``: start a run."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Submit the run; return its id and its workspace."""
        workspace = self.get_query_argument("workspace", "")
        await self.answer(lambda: self.backend.wizard.start(workspace, self.body()))


ROUTES: Routes = (
    ("wizard/options", OptionsHandler),
    ("wizard/data", DataHandler),
    ("wizard/code", CodeHandler),
    ("wizard/run", StartHandler),
)
