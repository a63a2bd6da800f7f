"""Routes about one dataset of a workspace."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from nbautoml.labserver.handler import DATASET, Handler, Routes
from nbautoml.services.datasets import (
    change_dataset,
    dataset_content,
    dataset_details,
    unregister_dataset,
)


class DatasetHandler(Handler):
    """``datasets/{id}``: a version of a dataset, and its name."""

    @web.authenticated
    @authorized
    async def get(self, dataset_id: str) -> None:
        """Return what is known without reading the content."""
        await self.answer(self.with_session(lambda s: dataset_details(s, dataset_id)))

    @web.authenticated
    @authorized
    async def patch(self, dataset_id: str) -> None:
        """Change description or tags."""
        await self.answer(self.with_session(lambda s: change_dataset(s, dataset_id, self.body())))

    @web.authenticated
    @authorized
    async def delete(self, dataset_id: str) -> None:
        """Take the name off all its versions; their content stays."""
        await self.answer(self.with_session(lambda s: unregister_dataset(s, dataset_id)))


class DatasetContentHandler(Handler):
    """``GET datasets/{id}/content``: statistics of the columns, and the first rows."""

    @web.authenticated
    @authorized
    async def get(self, dataset_id: str) -> None:
        """Return both; they are computed when they are first asked for."""
        await self.answer(self.with_session(lambda s: dataset_content(s, dataset_id)))


_DATASET = f"datasets/{DATASET}"

ROUTES: Routes = (
    (_DATASET, DatasetHandler),
    (f"{_DATASET}/content", DatasetContentHandler),
)
