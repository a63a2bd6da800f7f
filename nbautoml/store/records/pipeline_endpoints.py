"""Endpoints: names for versions of a pipeline."""

from __future__ import annotations

import builtins
from typing import Any  # Any: rows

import sqlalchemy as sa

from nbautoml.domain.records import PipelineEndpointRecord
from nbautoml.domain.status import PublishedStatus
from nbautoml.errors import ConflictError, NotFoundError
from nbautoml.store.records.pipelines import PublishedPipelineReads
from nbautoml.store.records.scope import Records, not_found
from nbautoml.store.tables import pipeline_endpoint_versions as versions
from nbautoml.store.tables import pipeline_endpoints as endpoints


class PipelineEndpointReads(Records):
    """What can be asked about endpoints."""

    def get(self, endpoint_id: str) -> PipelineEndpointRecord:
        """Return one endpoint.

        Raises
        ------
        NotFoundError
            When there is none of that id.
        """
        found = self._select(endpoints.c.id == endpoint_id)
        if not found:
            raise NotFoundError(
                f"No pipeline endpoint has the id {endpoint_id!r}. PipelineEndpoint.list(ws, "
                "active_only=False) lists those that there are."
            )
        return found[0]

    def find(self, name: str) -> PipelineEndpointRecord:
        """Return the endpoint of a name.

        Raises
        ------
        NotFoundError
            When there is none of that name.
        """
        found = self._select(endpoints.c.name == name)
        if not found:
            raise not_found("pipeline endpoint", name, (one.name for one in self.list()))
        return found[0]

    def list(
        self, *, status: PublishedStatus | None = None
    ) -> builtins.list[PipelineEndpointRecord]:
        """Return endpoints, newest first: all of them, or those in one state."""
        return self._select(sa.true() if status is None else endpoints.c.status == status.value)

    def check_free(self, record: PipelineEndpointRecord) -> None:
        """Raise an error when another endpoint has the name of this one.

        Raises
        ------
        ConflictError
            When one has.
        """
        where = (endpoints.c.name == record.name, endpoints.c.id != record.id)
        if self._connection.execute(sa.select(endpoints.c.id).where(*where)).first():
            raise ConflictError(
                f"A pipeline endpoint called {record.name!r} is there already. Give another name, "
                f"or add a version to it: PipelineEndpoint.get(ws, name={record.name!r})"
                ".add_default(pipeline)."
            )

    def _select(self, where: sa.ColumnElement[bool]) -> builtins.list[PipelineEndpointRecord]:
        order = (endpoints.c.created_at.desc(), endpoints.c.id)
        rows = self._connection.execute(sa.select(endpoints).where(where).order_by(*order)).all()
        query = sa.select(versions).join(endpoints, endpoints.c.id == versions.c.endpoint_id)
        found: dict[str, builtins.list[tuple[str, str]]] = {row.id: [] for row in rows}
        for row in self._connection.execute(query.where(where)):
            found[row.endpoint_id].append((row.version, row.pipeline_id))
        return [_record(row, found[row.id]) for row in rows]


class PipelineEndpointWrites(PipelineEndpointReads):
    """What can be done with endpoints."""

    def create(self, record: PipelineEndpointRecord) -> None:
        """Add an endpoint with the versions that it has.

        Raises
        ------
        ConflictError
            When there is one of that name.
        NotFoundError
            When one of its pipelines is not there.
        """
        self.check_free(record)
        self._connection.execute(sa.insert(endpoints), _row(record))
        for version, pipeline_id in record.versions:
            self._insert_version(record.id, version, pipeline_id)

    def add_version(self, endpoint_id: str, pipeline_id: str) -> str:
        """Give a pipeline the next version of an endpoint, and return that version.

        Raises
        ------
        NotFoundError
            When there is no such endpoint or pipeline.
        """
        known = self.get(endpoint_id).versions
        version = str(1 + max((int(number) for number, _ in known), default=-1))
        self._insert_version(endpoint_id, version, pipeline_id)
        return version

    def update(self, record: PipelineEndpointRecord) -> PipelineEndpointRecord:
        """Write the name, description, state and default of an endpoint.

        Raises
        ------
        NotFoundError
            When there is none of its id.
        ConflictError
            When another endpoint has that name.
        """
        self.get(record.id)
        self.check_free(record)
        row = _row(record)
        del row["created_at"]
        where = endpoints.c.id == record.id
        self._connection.execute(sa.update(endpoints).where(where).values(row))
        return self.get(record.id)

    def _insert_version(self, endpoint_id: str, version: str, pipeline_id: str) -> None:
        PublishedPipelineReads(self._scope).get(pipeline_id)
        row = {"endpoint_id": endpoint_id, "version": version, "pipeline_id": pipeline_id}
        self._connection.execute(sa.insert(versions), row)


def _row(record: PipelineEndpointRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "description": record.description,
        "status": record.status.value,
        "default_version": record.default_version,
        "created_at": record.created_at,
    }


def _record(row: sa.Row[Any], found: list[tuple[str, str]]) -> PipelineEndpointRecord:
    return PipelineEndpointRecord(
        id=row.id,
        name=row.name,
        description=row.description,
        status=PublishedStatus(row.status),
        default_version=row.default_version,
        created_at=row.created_at,
        versions=tuple(sorted(found, key=lambda pair: int(pair[0]))),
    )
