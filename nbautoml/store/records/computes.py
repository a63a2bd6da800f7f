"""Compute targets."""

from __future__ import annotations

import builtins
from typing import Any  # Any: rows

import sqlalchemy as sa

from nbautoml.domain.records import ComputeRecord
from nbautoml.errors import ComputeTargetException
from nbautoml.store.records.scope import Records, not_found
from nbautoml.store.tables import computes


class ComputeReads(Records):
    """What can be asked about compute targets."""

    def get(self, name: str) -> ComputeRecord:
        """Return one compute target.

        Raises
        ------
        ComputeTargetException
            When there is none of that name.
        """
        row = self._connection.execute(
            sa.select(computes).where(computes.c.name == name)
        ).one_or_none()
        if row is None:
            raise self._missing(name)
        return _record(row)

    def list(self) -> builtins.list[ComputeRecord]:
        """Return all compute targets by name."""
        rows = self._connection.execute(sa.select(computes))
        return sorted(map(_record, rows), key=lambda record: record.name)

    def _missing(self, name: str) -> ComputeTargetException:
        present = (record.name for record in self.list())
        return ComputeTargetException(not_found("compute target", name, present).message)


class ComputeWrites(ComputeReads):
    """What can be done with compute targets."""

    def put(self, record: ComputeRecord) -> None:
        """Add a compute target, or replace the one of its name."""
        row = {
            "name": record.name,
            "kind": record.kind,
            "options": record.options,
            "created_at": record.created_at,
        }
        self._upsert(computes, [row], keys=["name"])

    def delete(self, name: str) -> None:
        """Remove a compute target.

        Raises
        ------
        ComputeTargetException
            When there is none of that name.
        """
        result = self._connection.execute(sa.delete(computes).where(computes.c.name == name))
        if result.rowcount == 0:
            raise self._missing(name)


def _record(row: sa.Row[Any]) -> ComputeRecord:
    return ComputeRecord(
        name=row.name, kind=row.kind, options=row.options, created_at=row.created_at
    )
