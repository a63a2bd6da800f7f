"""Processes that serve the whole workspace: at most one of a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any  # Any: JSON values

import sqlalchemy as sa

from nbautoml.domain.records import Owner, ServiceProcessRecord
from nbautoml.store.records.scope import Records
from nbautoml.store.tables import service_processes as processes


class ServiceProcessReads(Records):
    """What can be asked about these processes."""

    def find(self, name: str) -> ServiceProcessRecord | None:
        """Return the process of a name, None where there is none; it may have died since."""
        query = sa.select(processes).where(processes.c.name == name)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        owner = Owner(host=row.owner_host, pid=row.owner_pid, started_at=row.owner_started_at)
        return ServiceProcessRecord(
            name=row.name, owner=owner, heartbeat_at=row.heartbeat_at, facts=row.facts
        )


class ServiceProcessWrites(ServiceProcessReads):
    """What can be done with these processes."""

    def put(self, record: ServiceProcessRecord) -> None:
        """Write down a process in place of the one that had its name."""
        row = {
            "name": record.name,
            "owner_host": record.owner.host,
            "owner_pid": record.owner.pid,
            "owner_started_at": record.owner.started_at,
            "heartbeat_at": record.heartbeat_at,
            "facts": record.facts,
        }
        self._upsert(processes, [row], keys=["name"])

    def beat(self, name: str, owner: Owner, facts: Mapping[str, Any] | None = None) -> bool:
        """Say that a process lives; return False when another one has taken its place."""
        values: dict[str, Any] = {"heartbeat_at": self._scope.clock()}
        if facts is not None:
            values["facts"] = facts
        done = self._connection.execute(
            sa.update(processes).where(*_is(name, owner)).values(values)
        )
        return done.rowcount == 1

    def remove(self, name: str, owner: Owner) -> None:
        """Forget a process that ends; one that took its place stays."""
        self._connection.execute(sa.delete(processes).where(*_is(name, owner)))


def _is(name: str, owner: Owner) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        processes.c.name == name,
        processes.c.owner_host == owner.host,
        processes.c.owner_pid == owner.pid,
        processes.c.owner_started_at == owner.started_at,
    )
