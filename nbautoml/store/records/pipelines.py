"""Published pipelines, and which runs have what a step would make."""

from __future__ import annotations

import builtins
from typing import Any  # Any: rows

import sqlalchemy as sa

from nbautoml.domain.records import PublishedPipelineRecord
from nbautoml.domain.status import PublishedStatus
from nbautoml.errors import NotFoundError
from nbautoml.store.records.scope import Records, not_found
from nbautoml.store.tables import published_pipelines as pipelines
from nbautoml.store.tables import step_results


class PublishedPipelineReads(Records):
    """What can be asked about published pipelines."""

    def get(self, pipeline_id: str) -> PublishedPipelineRecord:
        """Return one published pipeline.

        Raises
        ------
        NotFoundError
            When there is none of that id.
        """
        query = sa.select(pipelines).where(pipelines.c.id == pipeline_id)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise NotFoundError(
                f"No published pipeline has the id {pipeline_id!r}. PublishedPipeline.list(ws, "
                "active_only=False) lists those that there are."
            )
        return _record(row)

    def find(self, name: str) -> PublishedPipelineRecord:
        """Return the newest active pipeline of a name, or the newest where none is active.

        Raises
        ------
        NotFoundError
            When there is none of that name.
        """
        found = self.list(name=name)
        if not found:
            present = {record.name for record in self.list()}
            raise not_found("published pipeline", name, present)
        active = (one for one in found if one.status is PublishedStatus.ACTIVE)
        return next(active, found[0])

    def list(
        self, *, name: str | None = None, status: PublishedStatus | None = None
    ) -> builtins.list[PublishedPipelineRecord]:
        """Return published pipelines, newest first.

        Parameters
        ----------
        name : str, optional
            Only those of this name.
        status : PublishedStatus, optional
            Only those in this state.
        """
        query = sa.select(pipelines).order_by(pipelines.c.created_at.desc(), pipelines.c.id)
        if name is not None:
            query = query.where(pipelines.c.name == name)
        if status is not None:
            query = query.where(pipelines.c.status == status.value)
        return [_record(row) for row in self._connection.execute(query)]


class PublishedPipelineWrites(PublishedPipelineReads):
    """What can be done with published pipelines."""

    def create(self, record: PublishedPipelineRecord) -> None:
        """Add a published pipeline; its id is new."""
        self._connection.execute(sa.insert(pipelines), _row(record))

    def set_status(self, pipeline_id: str, status: PublishedStatus) -> PublishedPipelineRecord:
        """Enable or disable a published pipeline.

        Raises
        ------
        NotFoundError
            When there is none of that id.
        """
        values = {"status": status.value, "updated_at": self._scope.clock()}
        where = pipelines.c.id == pipeline_id
        self._connection.execute(sa.update(pipelines).where(where).values(values))
        return self.get(pipeline_id)


class StepResultReads(Records):
    """What can be asked about results of steps."""

    def get(self, key: str) -> str | None:
        """Return the run that has what a step with this key would make; None where none has."""
        query = sa.select(step_results.c.run_id).where(step_results.c.key == key)
        return self._connection.execute(query).scalar_one_or_none()


class StepResultWrites(StepResultReads):
    """What can be done with results of steps."""

    def put(self, key: str, run_id: str) -> None:
        """Remember a run under the key of its step, in place of an earlier one."""
        row = {"key": key, "run_id": run_id, "created_at": self._scope.clock()}
        self._upsert(step_results, [row], keys=["key"])


def _row(record: PublishedPipelineRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "version": record.version,
        "description": record.description,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "status": record.status.value,
        "graph": record.graph,
        "continue_on_step_failure": record.continue_on_step_failure,
        "tags": record.tags,
        "properties": record.properties,
    }


def _record(row: sa.Row[Any]) -> PublishedPipelineRecord:
    return PublishedPipelineRecord(
        id=row.id,
        name=row.name,
        version=row.version,
        description=row.description,
        created_at=row.created_at,
        updated_at=row.updated_at,
        status=PublishedStatus(row.status),
        graph=row.graph,
        continue_on_step_failure=row.continue_on_step_failure,
        tags=row.tags,
        properties=row.properties,
    )
