"""Experiments: named containers of runs."""

from __future__ import annotations

import builtins
from typing import Any  # Any: rows

import sqlalchemy as sa

from nbautoml.domain.records import ExperimentRecord
from nbautoml.store.records.scope import Records, not_found
from nbautoml.store.tables import experiments


class ExperimentReads(Records):
    """What can be asked about experiments."""

    def get(self, name: str) -> ExperimentRecord:
        """Return one experiment.

        Raises
        ------
        NotFoundError
            When there is none of that name.
        """
        row = self._connection.execute(
            sa.select(experiments).where(experiments.c.name == name)
        ).one_or_none()
        if row is None:
            raise not_found("experiment", name, (record.name for record in self.list()))
        return _record(row)

    def list(self) -> builtins.list[ExperimentRecord]:
        """Return all experiments, newest first."""
        order = (experiments.c.created_at.desc(), experiments.c.id.desc())
        rows = self._connection.execute(sa.select(experiments).order_by(*order))
        return [_record(row) for row in rows]


class ExperimentWrites(ExperimentReads):
    """What can be done with experiments."""

    def get_or_create(self, name: str) -> ExperimentRecord:
        """Return the experiment of that name, which is made when there is none."""
        statement = self._insert(experiments).on_conflict_do_nothing(index_elements=["name"])
        self._connection.execute(statement, {"name": name, "created_at": self._scope.clock()})
        return self.get(name)


def _record(row: sa.Row[Any]) -> ExperimentRecord:
    return ExperimentRecord(id=row.id, name=row.name, created_at=row.created_at)
