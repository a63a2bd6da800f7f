"""Datasets: immutable versions under a name, and unregistered ones under their id alone."""

from __future__ import annotations

import builtins
import uuid
from collections.abc import Mapping
from typing import Any  # Any: JSON values and rows

import sqlalchemy as sa

from nbautoml.domain.records import DatasetRecord
from nbautoml.errors import ConflictError, NotFoundError
from nbautoml.store.records.scope import Records, not_found
from nbautoml.store.tables import dataset_versions as versions
from nbautoml.store.tables import datasets


class DatasetReads(Records):
    """What can be asked about datasets."""

    def get(self, name: str, version: int | None = None) -> DatasetRecord:
        """Return a version of a registered dataset, the latest by default.

        Raises
        ------
        NotFoundError
            When there is no such dataset or version.
        """
        found = self.versions(name)
        if version is None:
            return found[-1]
        for record in found:
            if record.version == version:
                return record
        raise NotFoundError(
            f"Dataset {name!r} has no version {version}; "
            f"it has {', '.join(str(record.version) for record in found)}."
        )

    def get_by_id(self, dataset_id: str) -> DatasetRecord:
        """Return a dataset by id, whether registered or not.

        Raises
        ------
        NotFoundError
            When there is none of that id.
        """
        record = self._find(dataset_id)
        if record is None:
            raise NotFoundError(f"No dataset has the id {dataset_id!r}.")
        return record

    def list(self) -> builtins.list[DatasetRecord]:
        """Return the latest version of each registered dataset, by name."""
        # Not the counter of the name: its last number may have been taken off.
        latest = (
            sa.select(versions.c.name, sa.func.max(versions.c.version).label("version"))
            .group_by(versions.c.name)
            .subquery()
        )
        query = sa.select(versions).join(
            latest,
            (latest.c.name == versions.c.name) & (latest.c.version == versions.c.version),
        )
        return sorted(map(_record, self._connection.execute(query)), key=lambda r: r.name)

    def versions(self, name: str) -> builtins.list[DatasetRecord]:
        """Return all versions of a registered dataset, oldest first.

        Raises
        ------
        NotFoundError
            When there is no such dataset.
        """
        query = sa.select(versions).where(versions.c.name == name).order_by(versions.c.version)
        found = [_record(row) for row in self._connection.execute(query)]
        if not found:
            raise not_found("dataset", name, (record.name for record in self.list()))
        return found

    def _find(self, dataset_id: str) -> DatasetRecord | None:
        query = sa.select(versions).where(versions.c.id == dataset_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _record(row)


class DatasetWrites(DatasetReads):
    """What can be done with datasets."""

    def register(
        self,
        name: str,
        *,
        id: str,
        definition: Mapping[str, Any],
        fingerprint: str,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        create_new_version: bool = False,
        n_rows: int | None = None,
        n_columns: int | None = None,
    ) -> DatasetRecord:
        """Register a dataset under a name, or return the latest version when it is the same.

        Parameters
        ----------
        name : str
            The name.
        id : str
            Id of the new version; another is made when a registered dataset has it already.
        definition : mapping
            How to read it again.
        fingerprint : str
            Hash of its content; equal to the latest version's: that version is returned.
        description, tags : str, mapping
            For people.
        create_new_version : bool, default False
            Whether a name that is taken gets another version.
        n_rows, n_columns : int, optional
            Size, where it is known.

        Raises
        ------
        ConflictError
            When the name is taken by other content and `create_new_version` is False.
        """
        latest = self._lock_latest(name)
        if latest is not None and latest.fingerprint == fingerprint:
            return latest
        if latest is not None and not create_new_version:
            raise ConflictError(
                f"A dataset {name!r} with other content is registered (version {latest.version}). "
                "Pass create_new_version=True to add a version, or choose another name."
            )
        taken = self._find(id)
        record = DatasetRecord(
            id=str(uuid.uuid4()) if taken is not None and taken.name else id,
            name=name,
            version=self._next_version(name),
            fingerprint=fingerprint,
            definition=definition,
            created_at=self._scope.clock(),
            description=description,
            tags=tags or {},
            n_rows=n_rows,
            n_columns=n_columns,
        )
        self._upsert(versions, [_row(record)], keys=["id"])
        return record

    def save_unregistered(self, record: DatasetRecord) -> DatasetRecord:
        """Keep a dataset without a name; when its id is known, what is stored is returned."""
        known = self._find(record.id)
        if known is not None:
            return known
        statement = self._insert(versions).on_conflict_do_nothing(index_elements=["id"])
        self._connection.execute(statement, {**_row(record), "name": None, "version": None})
        return self.get_by_id(record.id)

    def update(
        self,
        dataset_id: str,
        *,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> DatasetRecord:
        """Change what people wrote about a version; its content never changes.

        Parameters
        ----------
        dataset_id : str
            Which one.
        description : str, optional
            The new description.
        tags : mapping, optional
            All its tags from now on.

        Raises
        ------
        NotFoundError
            When there is none of that id.
        """
        self.get_by_id(dataset_id)
        given = {"description": description, "tags": None if tags is None else dict(tags)}
        values = {name: value for name, value in given.items() if value is not None}
        if values:
            where = versions.c.id == dataset_id
            self._connection.execute(sa.update(versions).where(where).values(values))
        return self.get_by_id(dataset_id)

    def unregister(self, name: str) -> int:
        """Take a name off all its versions; they stay under their ids, for the runs that used them.

        The numbers of the versions are not given out again.

        Returns
        -------
        int
            How many versions had the name.

        Raises
        ------
        NotFoundError
            When there is no such dataset.
        """
        n_versions = len(self.versions(name))
        where = versions.c.name == name
        self._connection.execute(sa.update(versions).where(where).values(name=None, version=None))
        return n_versions

    def _lock_latest(self, name: str) -> DatasetRecord | None:
        """Make the name's counter, hold it until the transaction ends, return the latest."""
        insert = self._insert(datasets).on_conflict_do_nothing(index_elements=["name"])
        self._connection.execute(insert, {"name": name, "latest_version": 0})
        query = sa.select(datasets.c.latest_version).where(datasets.c.name == name)
        self._connection.execute(query.with_for_update()).scalar_one()
        newest = versions.c.version.desc()
        found = sa.select(versions).where(versions.c.name == name).order_by(newest).limit(1)
        row = self._connection.execute(found).one_or_none()
        return None if row is None else _record(row)

    def _next_version(self, name: str) -> int:
        version: int = self._connection.execute(
            sa.update(datasets)
            .where(datasets.c.name == name)
            .values(latest_version=datasets.c.latest_version + 1)
            .returning(datasets.c.latest_version)
        ).scalar_one()
        return version


def _row(record: DatasetRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "version": record.version,
        "fingerprint": record.fingerprint,
        "definition": record.definition,
        "created_at": record.created_at,
        "description": record.description,
        "tags": record.tags,
        "n_rows": record.n_rows,
        "n_columns": record.n_columns,
    }


def _record(row: sa.Row[Any]) -> DatasetRecord:
    return DatasetRecord(
        id=row.id,
        name=row.name or "",
        version=row.version or 0,
        fingerprint=row.fingerprint,
        definition=row.definition,
        created_at=row.created_at,
        description=row.description,
        tags=row.tags,
        n_rows=row.n_rows,
        n_columns=row.n_columns,
    )
