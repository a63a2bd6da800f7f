"""Registered models: versions under a name."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from typing import Any  # Any: rows

import sqlalchemy as sa

from nbautoml.domain.records import ModelRecord
from nbautoml.errors import NotFoundError
from nbautoml.store.records.scope import Records, not_found
from nbautoml.store.tables import artifacts, models
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
        return _record(row)

    def list(
        self,
        *,
        name: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        run_id: str | None = None,
        latest: bool = False,
    ) -> builtins.list[ModelRecord]:
        """Return model versions, newest first.

        Parameters
        ----------
        name : str, optional
            Only versions of this model.
        tags : mapping, optional
            Only versions that have these tags; a value of None stands for any value.
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
        found = [_record(row) for row in self._connection.execute(query)]
        found = [record for record in found if _has_tags(record, tags or {})]
        return _newest_of_each(found) if latest else found

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
    ) -> ModelRecord:
        """Change what people wrote about a version.

        Parameters
        ----------
        name, version : str, int
            Which version.
        description : str, optional
            The new description.
        tags, properties : mapping, optional
            Added to those that it has, or changed; the others stay.
        remove_tags : iterable of str
            Tags to take off.

        Raises
        ------
        NotFoundError
            When there is no such version.
        """
        where = (versions.c.name == name, versions.c.version == version)
        row = self._connection.execute(
            sa.select(versions).where(*where).with_for_update()
        ).one_or_none()
        if row is None:
            raise self._missing(name, version)
        gone = set(remove_tags)
        values: dict[str, Any] = {
            "tags": {k: v for k, v in {**row.tags, **(tags or {})}.items() if k not in gone},
            "properties": {**row.properties, **(properties or {})},
        }
        if description is not None:
            values["description"] = description
        self._connection.execute(sa.update(versions).where(*where).values(values))
        return self.get(name, version)

    def delete(self, name: str, version: int) -> None:
        """Remove a version and the record of its files.

        Raises
        ------
        NotFoundError
            When there is no such version.
        """
        owner = self.get(name, version).owner_id
        self._connection.execute(sa.delete(artifacts).where(artifacts.c.owner == owner))
        where = (versions.c.name == name, versions.c.version == version)
        self._connection.execute(sa.delete(versions).where(*where))


def _has_tags(record: ModelRecord, wanted: Mapping[str, str | None]) -> bool:
    return all(
        key in record.tags and (value is None or record.tags[key] == value)
        for key, value in wanted.items()
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
    }


def _record(row: sa.Row[Any]) -> ModelRecord:
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
    )
