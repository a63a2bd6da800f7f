"""Artifacts: which stored file an owner has under which name."""

from __future__ import annotations

import builtins
from typing import Any  # Any: rows

import sqlalchemy as sa

from nbautoml.domain.records import ArtifactRecord
from nbautoml.store.artifacts import check_name
from nbautoml.store.records.scope import Records, not_found
from nbautoml.store.tables import artifacts


class ArtifactReads(Records):
    """What can be asked about artifacts."""

    def get(self, owner: str, name: str) -> ArtifactRecord:
        """Return one artifact.

        Raises
        ------
        NotFoundError
            When the owner has none of that name; the message lists those that it has.
        """
        row = self._connection.execute(
            sa.select(artifacts).where(artifacts.c.owner == owner, artifacts.c.name == name)
        ).one_or_none()
        if row is None:
            present = (record.name for record in self.list(owner))
            raise not_found(f"file of {owner}", name, present)
        return _record(row)

    def list(self, owner: str, prefix: str = "") -> builtins.list[ArtifactRecord]:
        """Return the owner's artifacts whose names begin with `prefix`, by name."""
        query = sa.select(artifacts).where(artifacts.c.owner == owner)
        if prefix:  # LIKE would not tell upper from lower case on SQLite
            query = query.where(sa.func.substr(artifacts.c.name, 1, len(prefix)) == prefix)
        return sorted(map(_record, self._connection.execute(query)), key=lambda r: r.name)


class ArtifactWrites(ArtifactReads):
    """What can be done with artifacts."""

    def add(self, record: ArtifactRecord) -> None:
        """Record a stored file; an earlier one of the same owner and name is replaced.

        Raises
        ------
        ConfigError
            When the name could lead out of a folder.
        """
        check_name(record.name)
        row = {
            "owner": record.owner,
            "name": record.name,
            "uri": record.uri,
            "size_bytes": record.size_bytes,
            "sha256": record.sha256,
            "created_at": record.created_at,
        }
        self._upsert(artifacts, [row], keys=["owner", "name"])


def _record(row: sa.Row[Any]) -> ArtifactRecord:
    return ArtifactRecord(
        owner=row.owner,
        name=row.name,
        uri=row.uri,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        created_at=row.created_at,
    )
