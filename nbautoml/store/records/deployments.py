"""Deployments: what is served, and by which process."""

from __future__ import annotations

import builtins
from typing import Any  # Any: rows

import sqlalchemy as sa

from nbautoml.domain.records import DeploymentRecord, Owner
from nbautoml.errors import ConflictError, WebserviceNotFoundError
from nbautoml.store.records.scope import Records, not_found
from nbautoml.store.tables import deployments


class DeploymentReads(Records):
    """What can be asked about deployments."""

    def get(self, name: str) -> DeploymentRecord:
        """Return one deployment.

        Raises
        ------
        WebserviceNotFoundError
            When there is none of that name.
        """
        row = self._connection.execute(
            sa.select(deployments).where(deployments.c.name == name)
        ).one_or_none()
        if row is None:
            raise self._missing(name)
        return _record(row)

    def list(self) -> builtins.list[DeploymentRecord]:
        """Return all deployments, the newest first."""
        order = (deployments.c.created_at.desc(), deployments.c.name)
        rows = self._connection.execute(sa.select(deployments).order_by(*order))
        return [_record(row) for row in rows]

    def using(self, model_id: str) -> builtins.list[str]:
        """Return the names of the deployments that may serve a model (``name:version``)."""
        return sorted(record.name for record in self.list() if model_id in record.models)

    def _missing(self, name: str) -> WebserviceNotFoundError:
        present = [record.name for record in self.list()]
        return WebserviceNotFoundError(not_found("deployment", name, present).message)


class DeploymentWrites(DeploymentReads):
    """What can be done with deployments."""

    def create(self, record: DeploymentRecord) -> None:
        """Add a deployment.

        Raises
        ------
        ConflictError
            When there is one of that name.
        """
        statement = self._insert(deployments).values(_row(record))
        statement = statement.on_conflict_do_nothing(index_elements=["name"])
        made = self._connection.execute(statement.returning(deployments.c.name))
        if made.scalar_one_or_none() is None:
            raise ConflictError(
                f"A deployment called {record.name!r} is there already. Give another name, "
                "overwrite=True to replace it, or update the one that there is: "
                f"Webservice(ws, {record.name!r}).update(models=[...])."
            )

    def next_revision(self, name: str) -> int:
        """Give out the number of what the deployment is to serve next, each only once.

        Raises
        ------
        WebserviceNotFoundError
            When there is none of that name.
        """
        number: int | None = self._connection.execute(
            sa.update(deployments)
            .where(deployments.c.name == name)
            .values(revision=deployments.c.revision + 1)
            .returning(deployments.c.revision)
        ).scalar_one_or_none()
        if number is None:
            raise self._missing(name)
        return number

    def update(self, record: DeploymentRecord) -> DeploymentRecord:
        """Write all that is known of a deployment but its revision, and when it was made.

        Raises
        ------
        WebserviceNotFoundError
            When there is none of that name.
        """
        row = _row(record) | {"updated_at": self._scope.clock()}
        for name in ("name", "revision", "created_at"):
            del row[name]
        where = deployments.c.name == record.name
        done = self._connection.execute(sa.update(deployments).where(where).values(row))
        if done.rowcount == 0:
            raise self._missing(record.name)
        return self.get(record.name)

    def delete(self, name: str) -> None:
        """Remove a deployment; one that is gone already is no error."""
        self._connection.execute(sa.delete(deployments).where(deployments.c.name == name))


def _row(record: DeploymentRecord) -> dict[str, Any]:
    owner = record.owner
    return {
        "name": record.name,
        "kind": record.kind,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "revision": record.revision,
        "models": list(record.models),
        "settings": dict(record.settings),
        "description": record.description,
        "tags": dict(record.tags),
        "properties": dict(record.properties),
        "port": record.port,
        "owner_host": owner.host if owner else None,
        "owner_pid": owner.pid if owner else None,
        "owner_started_at": owner.started_at if owner else None,
    }


def _record(row: sa.Row[Any]) -> DeploymentRecord:
    is_owned = row.owner_pid is not None
    return DeploymentRecord(
        name=row.name,
        kind=row.kind,
        created_at=row.created_at,
        updated_at=row.updated_at,
        revision=row.revision,
        models=tuple(row.models),
        settings=row.settings,
        description=row.description,
        tags=row.tags,
        properties=row.properties,
        port=row.port,
        owner=Owner(host=row.owner_host, pid=row.owner_pid, started_at=row.owner_started_at)
        if is_owned
        else None,
    )
