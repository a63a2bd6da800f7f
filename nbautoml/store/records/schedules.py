"""Schedules: when published pipelines are to run."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any  # Any: rows and JSON values

import sqlalchemy as sa

from nbautoml.domain.records import ScheduleRecord
from nbautoml.domain.status import PublishedStatus
from nbautoml.errors import NotFoundError
from nbautoml.store.records.scope import Records
from nbautoml.store.tables import pipeline_schedules as schedules


class ScheduleReads(Records):
    """What can be asked about schedules."""

    def get(self, schedule_id: str) -> ScheduleRecord:
        """Return one schedule.

        Raises
        ------
        NotFoundError
            When there is none of that id.
        """
        query = sa.select(schedules).where(schedules.c.id == schedule_id)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise NotFoundError(
                f"No schedule has the id {schedule_id!r}. Schedule.list(ws, active_only=False) "
                "lists those that there are."
            )
        return _record(row)

    def list(
        self,
        *,
        pipeline_id: str | None = None,
        endpoint_id: str | None = None,
        status: PublishedStatus | None = None,
    ) -> builtins.list[ScheduleRecord]:
        """Return schedules, newest first; each argument leaves only those that it fits."""
        query = sa.select(schedules).order_by(schedules.c.created_at.desc(), schedules.c.id)
        if pipeline_id is not None:
            query = query.where(schedules.c.pipeline_id == pipeline_id)
        if endpoint_id is not None:
            query = query.where(schedules.c.endpoint_id == endpoint_id)
        if status is not None:
            query = query.where(schedules.c.status == status.value)
        return [_record(row) for row in self._connection.execute(query)]


class ScheduleWrites(ScheduleReads):
    """What can be done with schedules."""

    def create(self, record: ScheduleRecord) -> None:
        """Add a schedule; its id is new."""
        self._connection.execute(sa.insert(schedules), _row(record))

    def update(self, record: ScheduleRecord) -> ScheduleRecord:
        """Write all that is known of a schedule, but what it is for and when it was made.

        Raises
        ------
        NotFoundError
            When there is none of its id.
        """
        row = _row(record)
        for name in ("created_at", "pipeline_id", "endpoint_id"):
            del row[name]
        where = schedules.c.id == record.id
        self._connection.execute(sa.update(schedules).where(where).values(row))
        return self.get(record.id)

    def move(
        self,
        schedule_id: str,
        *,
        seen: float,
        next_at: float | None,
        state: Mapping[str, Any],
    ) -> bool:
        """Move an active schedule to its next moment, if nobody has moved it since it was seen.

        Parameters
        ----------
        schedule_id : str
            Which one.
        seen : float
            Its ``next_at`` when it was found to be due.
        next_at : float or None
            Its next moment; None when there is none.
        state : mapping
            What the scheduler remembers from now on.

        Returns
        -------
        bool
            Whether this call moved it. Of many that saw the same moment only one does.
        """
        is_as_seen = (
            schedules.c.id == schedule_id,
            schedules.c.status == PublishedStatus.ACTIVE.value,
            schedules.c.next_at == seen,
        )
        values = {"next_at": next_at, "state": state}
        done = self._connection.execute(sa.update(schedules).where(*is_as_seen).values(values))
        return done.rowcount == 1


def _row(record: ScheduleRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "description": record.description,
        "status": record.status.value,
        "pipeline_id": record.pipeline_id,
        "endpoint_id": record.endpoint_id,
        "experiment": record.experiment,
        "settings": record.settings,
        "created_at": record.created_at,
        "next_at": record.next_at,
        "last_run_id": record.last_run_id,
        "state": record.state,
    }


def _record(row: sa.Row[Any]) -> ScheduleRecord:
    return ScheduleRecord(
        id=row.id,
        name=row.name,
        description=row.description,
        status=PublishedStatus(row.status),
        pipeline_id=row.pipeline_id,
        endpoint_id=row.endpoint_id,
        experiment=row.experiment,
        settings=row.settings,
        created_at=row.created_at,
        next_at=row.next_at,
        last_run_id=row.last_run_id,
        state=row.state,
    )
