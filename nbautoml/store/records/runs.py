"""Runs: states, owners, tags and properties."""

from __future__ import annotations

import builtins
import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any  # Any: rows and clauses

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningInsert

from nbautoml.domain.records import Owner, RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import ConflictError, NotFoundError
from nbautoml.store.records.scope import Records, in_chunks, insert_into
from nbautoml.store.tables import run_labels, runs

_TAG, _PROPERTY = "tag", "property"

# Asked and said for every trial: made once, because making one takes longer than running it.
_ID = sa.select(runs.c.id).where(runs.c.id == sa.bindparam("of_run"))
_STATUS = (
    sa.select(runs.c.status, runs.c.started_at)
    .where(runs.c.id == sa.bindparam("of_run"))
    .with_for_update()
)
_CHANGE = sa.update(runs).where(runs.c.id == sa.bindparam("of_run"))
"""Takes the columns that change with its parameters."""


class RunReads(Records):
    """What can be asked about runs."""

    def get(self, run_id: str) -> RunRecord:
        """Return one run.

        Raises
        ------
        NotFoundError
            When there is none of that id.
        """
        row = self._connection.execute(sa.select(runs).where(runs.c.id == run_id)).one_or_none()
        if row is None:
            raise NotFoundError(f"No run has the id {run_id!r}.")
        return self._records([row])[0]

    def exists(self, run_id: str) -> bool:
        """Whether there is a run of that id."""
        return self._connection.execute(_ID, {"of_run": run_id}).one_or_none() is not None

    def count(self) -> int:
        """Return how many runs without a parent there are."""
        query = sa.select(sa.func.count()).select_from(runs).where(runs.c.parent_id.is_(None))
        return self._connection.execute(query).scalar_one()

    def next_number(self, parent_id: str) -> int:
        """Return the number of a run's next child: one more than the largest there is."""
        query = sa.select(sa.func.max(runs.c.number)).where(runs.c.parent_id == parent_id)
        largest = self._connection.execute(query).scalar_one()
        return 0 if largest is None else int(largest) + 1

    def list(
        self,
        *,
        experiment: str | None = None,
        parent_id: str | None = None,
        include_children: bool = False,
        type: str | None = None,
        statuses: Iterable[RunStatus] | None = None,
        tags: Mapping[str, str | None] | None = None,
        properties: Mapping[str, str | None] | None = None,
        limit: int | None = None,
    ) -> builtins.list[RunRecord]:
        """Return runs, newest first; the children of one run by number.

        Parameters
        ----------
        experiment : str, optional
            Only runs of this experiment.
        parent_id : str, optional
            Only the direct children of this run. By default only runs without a parent.
        include_children : bool, default False
            Whether runs with a parent are listed too, where no `parent_id` is given.
        type : str, optional
            Only runs of this type.
        statuses : iterable of RunStatus, optional
            Only runs in one of these states.
        tags, properties : mapping, optional
            Only runs that have these; a value of None stands for any value.
        limit : int, optional
            At most so many; all by default.
        """
        query = sa.select(runs)
        if parent_id is not None:
            query = query.where(runs.c.parent_id == parent_id)
            query = query.order_by(runs.c.number, runs.c.created_at, runs.c.id)
        else:
            if not include_children:
                query = query.where(runs.c.parent_id.is_(None))
            query = query.order_by(runs.c.created_at.desc(), runs.c.id.desc())
        if experiment is not None:
            query = query.where(runs.c.experiment == experiment)
        if type is not None:
            query = query.where(runs.c.type == type)
        if statuses is not None:
            query = query.where(runs.c.status.in_([status.value for status in statuses]))
        query = query.where(*_has_labels(_TAG, tags), *_has_labels(_PROPERTY, properties))
        return self._records(self._connection.execute(query.limit(limit)).all())

    def _records(self, rows: Sequence[sa.Row[Any]]) -> builtins.list[RunRecord]:
        labels = self._labels([row.id for row in rows])
        return [_record(row, labels[row.id, _TAG], labels[row.id, _PROPERTY]) for row in rows]

    def _labels(self, run_ids: Sequence[str]) -> defaultdict[tuple[str, str], dict[str, str]]:
        found: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        for ids in in_chunks(run_ids):
            query = sa.select(run_labels).where(run_labels.c.run_id.in_(ids))
            for run_id, kind, key, value in self._connection.execute(query):
                found[run_id, kind][key] = value
        return found


class RunWrites(RunReads):
    """What can be done with runs."""

    def create(self, record: RunRecord) -> None:
        """Add a run; its experiment (and parent) must exist.

        Raises
        ------
        ConflictError
            When its id is taken.
        NotFoundError
            When its experiment or parent does not exist.
        """
        try:
            made = self._connection.execute(_create(self._dialect), _row(record)).one_or_none()
        except IntegrityError as error:
            raise NotFoundError(
                f"Run {record.id!r} refers to experiment {record.experiment!r} and parent "
                f"{record.parent_id!r}; one of them does not exist. Create it first."
            ) from error
        if made is None:
            raise ConflictError(f"A run with the id {record.id!r} exists already.")
        self._put_labels(record.id, _TAG, record.tags)
        self._put_labels(record.id, _PROPERTY, record.properties)

    def set_status(self, run_id: str, status: RunStatus, *, reason: str = "", time: float) -> None:
        """Move a run to another state.

        Its start is the first time that it leaves ``NotStarted`` for a live state, its end the
        time of a terminal one.

        Raises
        ------
        ConflictError
            When its state may not be followed by this one.
        NotFoundError
            When there is no such run.
        """
        row = self._check_next(run_id, status)
        values: dict[str, Any] = {"status": status.value, "reason": reason}
        if status.is_terminal:
            values["ended_at"] = time
        elif row.started_at is None:
            values["started_at"] = time
        self._connection.execute(_CHANGE, {"of_run": run_id, **values})

    def reopen(self, run_id: str, *, reason: str) -> None:
        """Let a run that has ended wait for an owner once more.

        Its start stays; its end and its owner are taken off.

        Raises
        ------
        ConflictError
            When it has not ended.
        NotFoundError
            When there is no such run.
        """
        self._check_next(run_id, RunStatus.NOT_STARTED)
        values = {
            "status": RunStatus.NOT_STARTED.value,
            "reason": reason,
            "ended_at": None,
            "heartbeat_at": None,
            **_owner_values(None),
        }
        self._connection.execute(_CHANGE, {"of_run": run_id, **values})

    def _check_next(self, run_id: str, status: RunStatus) -> sa.Row[Any, Any]:
        """Return a run's status and start, locked, if it may move to `status`."""
        row = self._connection.execute(_STATUS, {"of_run": run_id}).one_or_none()
        if row is None:
            raise NotFoundError(f"No run has the id {run_id!r}.")
        current = RunStatus(row.status)
        if not current.may_become(status):
            raise ConflictError(
                f"Run {run_id!r} is {current.value} and cannot become {status.value}."
            )
        return row

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Add tags to a run, or change their values; its other tags stay.

        Raises
        ------
        NotFoundError
            When there is no such run.
        """
        self._set_labels(run_id, _TAG, tags)

    def remove_tags(self, run_id: str, names: Iterable[str]) -> None:
        """Take tags off a run; names that it does not have are no error."""
        self._connection.execute(
            sa.delete(run_labels).where(
                run_labels.c.run_id == run_id,
                run_labels.c.kind == _TAG,
                run_labels.c.key.in_(list(names)),
            )
        )

    def set_properties(self, run_id: str, properties: Mapping[str, str]) -> None:
        """Add properties to a run, or change their values; its other properties stay.

        Raises
        ------
        NotFoundError
            When there is no such run.
        """
        self._set_labels(run_id, _PROPERTY, properties)

    def claim(self, run_id: str, owner: Owner, expected: Owner | None) -> bool:
        """Make a process the run's owner if `expected` is its owner now; one of many wins.

        Returns
        -------
        bool
            Whether `owner` is the owner now.

        Raises
        ------
        NotFoundError
            When there is no such run.
        """
        result = self._connection.execute(
            sa.update(runs)
            .where(runs.c.id == run_id, *_is_owned_by(expected))
            .values(**_owner_values(owner), heartbeat_at=self._scope.clock())
        )
        if result.rowcount == 0 and not self.exists(run_id):
            raise NotFoundError(f"No run has the id {run_id!r}.")
        return result.rowcount == 1

    def beat(self, run_id: str, owner: Owner, time: float) -> bool:
        """Note that the owner is alive; returns False when the run is not its own (any more)."""
        result = self._connection.execute(
            sa.update(runs)
            .where(runs.c.id == run_id, *_is_owned_by(owner))
            .values(heartbeat_at=time)
        )
        return result.rowcount == 1

    def _set_labels(self, run_id: str, kind: str, labels: Mapping[str, str]) -> None:
        try:
            self._put_labels(run_id, kind, labels)
        except IntegrityError as error:
            raise NotFoundError(f"No run has the id {run_id!r}.") from error

    def _put_labels(self, run_id: str, kind: str, labels: Mapping[str, str]) -> None:
        rows = [
            {"run_id": run_id, "kind": kind, "key": key, "value": str(value)}
            for key, value in sorted(labels.items())  # one order for all writers: no deadlock
        ]
        self._upsert(run_labels, rows, keys=["run_id", "kind", "key"])


@functools.cache
def _create(dialect: str) -> ReturningInsert[str]:
    statement = insert_into(dialect, runs).on_conflict_do_nothing(index_elements=["id"])
    return statement.returning(runs.c.id)


def _has_labels(
    kind: str, wanted: Mapping[str, str | None] | None
) -> Iterable[sa.ColumnElement[bool]]:
    for key, value in (wanted or {}).items():
        label = run_labels.alias()
        query = sa.select(label.c.key).where(
            label.c.run_id == runs.c.id, label.c.kind == kind, label.c.key == key
        )
        if value is not None:
            query = query.where(label.c.value == value)
        yield query.exists()


def _is_owned_by(owner: Owner | None) -> tuple[sa.ColumnElement[bool], ...]:
    if owner is None:
        return (runs.c.owner_host.is_(None),)
    return tuple(runs.c[name] == value for name, value in _owner_values(owner).items())


def _owner_values(owner: Owner | None) -> dict[str, Any]:
    return {
        "owner_host": owner.host if owner else None,
        "owner_pid": owner.pid if owner else None,
        "owner_started_at": owner.started_at if owner else None,
    }


def _row(record: RunRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "experiment": record.experiment,
        "type": record.type,
        "status": record.status.value,
        "created_at": record.created_at,
        "parent_id": record.parent_id,
        "number": record.number,
        "display_name": record.display_name,
        "started_at": record.started_at,
        "ended_at": record.ended_at,
        "reason": record.reason,
        "settings": record.settings,
        **_owner_values(record.owner),
        "heartbeat_at": record.heartbeat_at,
    }


def _record(row: sa.Row[Any], tags: dict[str, str], properties: dict[str, str]) -> RunRecord:
    owner = None
    if row.owner_host is not None:
        owner = Owner(host=row.owner_host, pid=row.owner_pid, started_at=row.owner_started_at)
    return RunRecord(
        id=row.id,
        experiment=row.experiment,
        type=row.type,
        status=RunStatus(row.status),
        created_at=row.created_at,
        parent_id=row.parent_id,
        number=row.number,
        display_name=row.display_name,
        started_at=row.started_at,
        ended_at=row.ended_at,
        reason=row.reason,
        settings=row.settings,
        tags=tags,
        properties=properties,
        owner=owner,
        heartbeat_at=row.heartbeat_at,
    )
