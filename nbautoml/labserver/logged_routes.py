"""Routes about what a script, or somebody by hand, logged and stored with a run."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from nbautoml.labserver.handler import BINARY, FILE, RUN, Handler, Routes
from nbautoml.services.children import run_children
from nbautoml.services.logged import logged_file, picture_type, run_logged


class LoggedHandler(Handler):
    """``GET runs/{id}/logged``: values, series, tables, pictures, charts and files."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        """Return all that was logged until now."""
        await self.answer(self.with_session(lambda s: run_logged(s, run_id)))


class ChildrenHandler(Handler):
    """``GET runs/{id}/children``: the child runs, with the last values that they logged."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        """Return the child runs of a run, the newest first."""
        await self.answer(self.with_session(lambda s: run_children(s, run_id)))


class LoggedFileHandler(Handler):
    """``GET runs/{id}/files/{file}``: a stored file to keep, or a picture to show."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str, file: str) -> None:
        """Return the file; a page that names it as an image shows it."""
        work = self.with_session(lambda s: logged_file(s, run_id, file))
        await self.offer(work, file.rpartition("/")[2], picture_type(file) or BINARY)


ROUTES: Routes = (
    (f"runs/{RUN}/logged", LoggedHandler),
    (f"runs/{RUN}/children", ChildrenHandler),
    (f"runs/{RUN}/files/{FILE}", LoggedFileHandler),
)
