"""Registered models: versions under a name."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from typing import Any  # Any: rows

import sqlalchemy as sa

from nbautoml.domain.records import ModelRecord
from nbautoml.domain.status import ModelStage
from nbautoml.errors import ConflictError, NotFoundError
from nbautoml.store.records.deployments import DeploymentReads
from nbautoml.store.records.scope import Records, not_found
from nbautoml.store.tables import artifacts, models
from nbautoml.store.tables import model_aliases as aliases
from nbautoml.store.tables import model_versions as versions


class ModelReads(Records):
    """What can be asked about models."""

    def get(self, name: str, version: int | None = None) -> ModelRecord:
        """Return a version of a model, the latest by default.

        Raises
        ------
        NotFoundError
            When there is no such model or version.
        """
        query = sa.select(versions).where(versions.c.name == name)
        if version is not None:
            query = query.where(versions.c.version == version)
        query = query.order_by(versions.c.version.desc()).limit(1)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise self._missing(name, version)
        return _record(row, self._aliases(name).get((name, row.version), ()))

    def find_alias(self, name: str, alias: str) -> ModelRecord:
        """Return the version of a model that an alias names.

        Raises
        ------
        NotFoundError
            When there is no such model, or it has no such alias.
        """
        where = (aliases.c.name == name, aliases.c.alias == alias)
        query = sa.select(aliases.c.version).where(*where)
        version = self._connection.execute(query).scalar_one_or_none()
        if version is not None:
            return self.get(name, version)
        self.get(name)
        known = [one for named in self._aliases(name).values() for one in named]
        raise not_found(f"version of the model {name!r}", alias, known)

    def list(
        self,
        *,
        name: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        properties: Mapping[str, str | None] | None = None,
        run_id: str | None = None,
        latest: bool = False,
    ) -> builtins.list[ModelRecord]:
        """Return model versions, newest first.

        Parameters
        ----------
        name : str, optional
            Only versions of this model.
        tags, properties : mapping, optional
            Only versions that have these; a value of None stands for any value.
        run_id : str, optional
            Only models that this run made.
        latest : bool, default False
            Only the newest of each name, among those that fulfil the rest.
        """
        order = (versions.c.created_at.desc(), versions.c.name, versions.c.version.desc())
        query = sa.select(versions).order_by(*order)
        if name is not None:
            query = query.where(versions.c.name == name)
        if run_id is not None:
            query = query.where(versions.c.run_id == run_id)
        named = self._aliases(name)
        rows = self._connection.execute(query)
        records = [_record(row, named.get((row.name, row.version), ())) for row in rows]
        found = [
            record
            for record in records
            if _has(record.tags, tags or {}) and _has(record.properties, properties or {})
        ]
        return _newest_of_each(found) if latest else found

    def _aliases(self, name: str | None) -> dict[tuple[str, int], tuple[str, ...]]:
        """Return the aliases of each version, of one model or of all."""
        query = sa.select(aliases).order_by(aliases.c.alias)
        if name is not None:
            query = query.where(aliases.c.name == name)
        found: dict[tuple[str, int], tuple[str, ...]] = {}
        for row in self._connection.execute(query):
            found[row.name, row.version] = (*found.get((row.name, row.version), ()), row.alias)
        return found

    def _missing(self, name: str, version: int | None) -> NotFoundError:
        present = self.list()
        numbers = sorted(record.version for record in present if record.name == name)
        if not numbers:
            return not_found("model", name, {record.name for record in present})
        return NotFoundError(
            f"Model {name!r} has no version {version}; it has {', '.join(map(str, numbers))}."
        )


class ModelWrites(ModelReads):
    """What can be done with models."""

    def register(
        self,
        name: str,
        *,
        run_id: str | None = None,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        framework: str = "",
        framework_version: str = "",
        datasets: Sequence[tuple[str, str]] = (),
        samples: Mapping[str, str] | None = None,
    ) -> ModelRecord:
        """Add a version to a model, the first one where the name is new.

        Version numbers are given out once: that of a deleted version does not come back.
        """
        number: int = self._connection.execute(
            self._insert(models)
            .values(name=name, latest_version=1)
            .on_conflict_do_update(
                index_elements=["name"], set_={"latest_version": models.c.latest_version + 1}
            )
            .returning(models.c.latest_version)
        ).scalar_one()
        record = ModelRecord(
            name=name,
            version=number,
            created_at=self._scope.clock(),
            run_id=run_id,
            description=description,
            framework=framework,
            framework_version=framework_version,
            tags=tags or {},
            properties=properties or {},
            datasets=tuple(datasets),
            samples=samples or {},
        )
        self._connection.execute(sa.insert(versions), _row(record))
        return record

    def update(
        self,
        name: str,
        version: int,
        *,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        remove_tags: Iterable[str] = (),
        properties: Mapping[str, str] | None = None,
        datasets: Sequence[tuple[str, str]] = (),
        samples: Mapping[str, str] | None = None,
    ) -> ModelRecord:
        """Change what people wrote about a version.

        Parameters
        ----------
        name, version : str, int
            Which version.
        description : str, optional
            The new description.
        tags, properties, samples : mapping, optional
            Added to those that it has, or changed; the others stay.
        remove_tags : iterable of str
            Tags to take off.
        datasets : sequence of (str, str)
            Added to those that it has, where they are not among them.

        Raises
        ------
        NotFoundError
            When there is no such version.
        """
        where, row = self._locked(name, version)
        gone = set(remove_tags)
        known = [tuple(pair) for pair in row.datasets]
        values: dict[str, Any] = {
            "tags": {k: v for k, v in {**row.tags, **(tags or {})}.items() if k not in gone},
            "properties": {**row.properties, **(properties or {})},
            "datasets": [*known, *(pair for pair in datasets if pair not in known)],
            "samples": {**row.samples, **(samples or {})},
        }
        if description is not None:
            values["description"] = description
        self._connection.execute(sa.update(versions).where(*where).values(values))
        return self.get(name, version)

    def set_stage(self, name: str, version: int, stage: ModelStage) -> ModelRecord:
        """Put a version into a stage; the one that was in production before is archived.

        Raises
        ------
        NotFoundError
            When there is no such version.
        """
        # The model's own row first: two who promote versions of it at once wait for each other.
        self._connection.execute(sa.select(models).where(models.c.name == name).with_for_update())
        where, _ = self._locked(name, version)
        if stage is ModelStage.PRODUCTION:
            is_in_production = versions.c.stage == ModelStage.PRODUCTION.value
            self._connection.execute(
                sa.update(versions)
                .where(versions.c.name == name, is_in_production)
                .values(stage=ModelStage.ARCHIVED.value)
            )
        self._connection.execute(sa.update(versions).where(*where).values(stage=stage.value))
        return self.get(name, version)

    def set_alias(self, name: str, version: int, alias: str) -> ModelRecord:
        """Let an alias name a version; it is taken off the one that it named before.

        Raises
        ------
        NotFoundError
            When there is no such version.
        """
        self._locked(name, version)
        row = {"name": name, "alias": alias, "version": version}
        self._upsert(aliases, [row], keys=("name", "alias"))
        return self.get(name, version)

    def remove_alias(self, name: str, version: int, alias: str) -> ModelRecord:
        """Take an alias off a version; one that it does not have is no error.

        Raises
        ------
        NotFoundError
            When there is no such version.
        """
        self._locked(name, version)
        where = (aliases.c.name == name, aliases.c.version == version, aliases.c.alias == alias)
        self._connection.execute(sa.delete(aliases).where(*where))
        return self.get(name, version)

    def delete(self, name: str, version: int) -> None:
        """Remove a version, its aliases and the record of its files.

        Raises
        ------
        NotFoundError
            When there is no such version.
        ConflictError
            When a deployment serves it.
        """
        record = self.get(name, version)
        users = DeploymentReads(self._scope).using(record.id)
        if users:
            raise ConflictError(
                f"{record.id} is served by {', '.join(users)}. Delete that first: "
                f"Webservice(ws, {users[0]!r}).delete(), or update it to another version."
            )
        for table in (aliases, versions):
            where = (table.c.name == name, table.c.version == version)
            self._connection.execute(sa.delete(table).where(*where))
        self._connection.execute(sa.delete(artifacts).where(artifacts.c.owner == record.owner_id))

    def _locked(
        self, name: str, version: int
    ) -> tuple[tuple[sa.ColumnElement[bool], ...], sa.Row[Any]]:
        """Return how to find a version, and its row, which nobody else changes meanwhile."""
        where = (versions.c.name == name, versions.c.version == version)
        query = sa.select(versions).where(*where).with_for_update()
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise self._missing(name, version)
        return where, row


def _has(values: Mapping[str, str], wanted: Mapping[str, str | None]) -> bool:
    return all(
        key in values and (value is None or values[key] == value) for key, value in wanted.items()
    )


def _newest_of_each(records: list[ModelRecord]) -> list[ModelRecord]:
    newest: dict[str, int] = {}
    for record in records:
        newest[record.name] = max(record.version, newest.get(record.name, 0))
    return [record for record in records if record.version == newest[record.name]]


def _row(record: ModelRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "version": record.version,
        "created_at": record.created_at,
        "run_id": record.run_id,
        "description": record.description,
        "framework": record.framework,
        "framework_version": record.framework_version,
        "tags": record.tags,
        "properties": record.properties,
        "stage": record.stage.value,
        "datasets": record.datasets,
        "samples": record.samples,
    }


def _record(row: sa.Row[Any], named: tuple[str, ...]) -> ModelRecord:
    return ModelRecord(
        name=row.name,
        version=row.version,
        created_at=row.created_at,
        run_id=row.run_id,
        description=row.description,
        framework=row.framework,
        framework_version=row.framework_version,
        tags=row.tags,
        properties=row.properties,
        stage=ModelStage(row.stage),
        datasets=tuple((word, dataset_id) for word, dataset_id in row.datasets),
        samples=row.samples,
        aliases=named,
    )
