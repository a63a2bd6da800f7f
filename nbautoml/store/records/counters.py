"""Numbers without gaps: a counter row a run, raised and read in one statement.

``SELECT max(seq) + 1`` would give two writers the same number on PostgreSQL. The counter's
row stays locked until the transaction ends, so that numbers also become visible in order.
"""

from __future__ import annotations

import functools

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningInsert

from nbautoml.errors import NotFoundError
from nbautoml.store.records.scope import Records, insert_into
from nbautoml.store.tables import run_counters


class Counters(Records):
    """Adds the counters of runs to a group."""

    def _take(self, column: sa.Column[int], run_id: str, n: int) -> int:
        """Raise a counter of the run by `n` and return its new value."""
        statement = _take_from(self._dialect, column)
        try:
            last: int = self._connection.execute(
                statement, {"of_run": run_id, "more": n}
            ).scalar_one()
        except IntegrityError as error:
            raise NotFoundError(f"No run has the id {run_id!r}.") from error
        return last


@functools.cache
def _take_from(dialect: str, column: sa.Column[int]) -> ReturningInsert[int]:
    more = sa.bindparam("more", type_=sa.Integer)
    first = {"run_id": sa.bindparam("of_run"), "n_events": 0, "n_requests": 0, column.name: more}
    return (
        insert_into(dialect, run_counters)
        .values(first)
        .on_conflict_do_update(index_elements=["run_id"], set_={column.name: column + more})
        .returning(column)
    )
