"""Routes about registered models."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from nbautoml.labserver.handler import BINARY, FILE, MODEL, VERSION, Handler, Routes
from nbautoml.services.registry import (
    change_version,
    delete_version,
    model_details,
    version_archive,
    version_details,
    version_file,
)


class ModelHandler(Handler):
    """``GET models/{name}``: all versions of a model."""

    @web.authenticated
    @authorized
    async def get(self, model: str) -> None:
        """Return the versions, newest first."""
        await self.answer(self.with_session(lambda s: model_details(s, model)))


class VersionHandler(Handler):
    """``models/{name}/versions/{version}``: one version."""

    @web.authenticated
    @authorized
    async def get(self, model: str, version: str) -> None:
        """Return files, metrics and schema."""
        await self.answer(self.with_session(lambda s: version_details(s, model, int(version))))

    @web.authenticated
    @authorized
    async def patch(self, model: str, version: str) -> None:
        """Change description or tags."""
        changed = self.with_session(lambda s: change_version(s, model, int(version), self.body()))
        await self.answer(changed)

    @web.authenticated
    @authorized
    async def delete(self, model: str, version: str) -> None:
        """Remove the version."""
        await self.answer(self.with_session(lambda s: delete_version(s, model, int(version))))


class ArchiveHandler(Handler):
    """``GET models/{name}/versions/{version}/archive``: all its files."""

    @web.authenticated
    @authorized
    async def get(self, model: str, version: str) -> None:
        """Return the files as a zip archive to save."""
        work = self.with_session(lambda s: version_archive(s, model, int(version)))
        await self.offer(work, f"{model}-{version}.zip", "application/zip")


class ModelFileHandler(Handler):
    """``GET models/{name}/versions/{version}/files/{file}``: one of its files."""

    @web.authenticated
    @authorized
    async def get(self, model: str, version: str, file: str) -> None:
        """Return the file to save."""
        work = self.with_session(lambda s: version_file(s, model, int(version), file))
        await self.offer(work, file.rpartition("/")[2], BINARY)


_VERSION = f"models/{MODEL}/versions/{VERSION}"

ROUTES: Routes = (
    (f"models/{MODEL}", ModelHandler),
    (_VERSION, VersionHandler),
    (f"{_VERSION}/archive", ArchiveHandler),
    (f"{_VERSION}/files/{FILE}", ModelFileHandler),
)
