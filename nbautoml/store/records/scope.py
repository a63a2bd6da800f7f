"""What each group of records works on: the connection of one transaction, and a clock."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar  # Any: rows and inserts of SQLAlchemy

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from nbautoml.errors import NotFoundError, did_you_mean

T = TypeVar("T")

_MOST_PARAMETERS = 5_000
"""Values in one statement; SQLite takes 32,766, PostgreSQL 65,535."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One transaction.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        Its connection.
    clock : callable
        Returns the seconds since the epoch.
    """

    connection: Connection
    clock: Callable[[], float]


class Records:
    """Base of the groups.

    Parameters
    ----------
    scope : Scope
        The transaction to work in.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._connection = scope.connection

    def _insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """Return an INSERT that knows ``ON CONFLICT`` in the dialect of the store."""
        return insert_into(self._dialect, table)

    @property
    def _dialect(self) -> str:
        return self._connection.dialect.name

    def _upsert(
        self, table: sa.Table, rows: Sequence[dict[str, Any]], *, keys: Sequence[str]
    ) -> None:
        """Insert rows; where one with these keys exists, its other columns are replaced."""
        if not rows:
            return
        statement = _upsert_into(self._dialect, table, tuple(rows[0]), tuple(keys))
        self._connection.execute(statement, list(rows))


def insert_into(dialect: str, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that knows ``ON CONFLICT`` in a dialect."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@functools.cache
def _upsert_into(
    dialect: str, table: sa.Table, columns: tuple[str, ...], keys: tuple[str, ...]
) -> sqlite.Insert | postgresql.Insert:
    """Return the statement of `Records._upsert`, which takes longer to make than to run."""
    statement = insert_into(dialect, table)
    changes = {name: statement.excluded[name] for name in columns if name not in keys}
    return statement.on_conflict_do_update(index_elements=list(keys), set_=changes)


def not_found(noun: str, name: str, present: Iterable[str], *, to_do: str = "") -> NotFoundError:
    """Return the error for a missing thing, with a suggestion and what there is."""
    names = sorted(present)
    hint = did_you_mean(name, names)
    there_is = f"There are: {', '.join(names[:20])}." if names else "There is none yet."
    more = f" ({len(names) - 20} more)" if len(names) > 20 else ""
    return NotFoundError(f"No {noun} is called {name!r}.{hint} {there_is}{more}{to_do}")


def in_chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut values into pieces that fit into one statement."""
    for start in range(0, len(values), _MOST_PARAMETERS):
        yield values[start : start + _MOST_PARAMETERS]
