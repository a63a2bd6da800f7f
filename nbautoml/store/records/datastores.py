"""Datastores: named places for files."""

from __future__ import annotations

import builtins
from typing import Any  # Any: rows

import sqlalchemy as sa

from nbautoml.domain.records import DatastoreRecord
from nbautoml.store.records.scope import Records, not_found
from nbautoml.store.tables import datastores


class DatastoreReads(Records):
    """What can be asked about datastores."""

    def get(self, name: str) -> DatastoreRecord:
        """Return one datastore.

        Raises
        ------
        NotFoundError
            When there is none of that name.
        """
        row = self._connection.execute(
            sa.select(datastores).where(datastores.c.name == name)
        ).one_or_none()
        if row is None:
            raise not_found("datastore", name, (record.name for record in self.list()))
        return _record(row)

    def list(self) -> builtins.list[DatastoreRecord]:
        """Return all datastores by name."""
        rows = self._connection.execute(sa.select(datastores))
        return sorted(map(_record, rows), key=lambda record: record.name)


class DatastoreWrites(DatastoreReads):
    """What can be done with datastores."""

    def put(self, record: DatastoreRecord) -> None:
        """Add a datastore, or replace the one of its name; at most one is the default."""
        if record.is_default:
            self._connection.execute(sa.update(datastores).values(is_default=False))
        row = {
            "name": record.name,
            "url": record.url,
            "kind": record.kind,
            "is_default": record.is_default,
        }
        self._upsert(datastores, [row], keys=["name"])


def _record(row: sa.Row[Any]) -> DatastoreRecord:
    return DatastoreRecord(name=row.name, url=row.url, kind=row.kind, is_default=row.is_default)
