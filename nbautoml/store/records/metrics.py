"""Logged numbers of runs, and the last of each name for leaderboards."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from nbautoml.domain.records import MetricPoint
from nbautoml.errors import NotFoundError
from nbautoml.store.records.scope import Records, in_chunks, insert_into
from nbautoml.store.tables import metrics, metrics_last


class MetricReads(Records):
    """What can be asked about metrics."""

    def get(self, run_id: str) -> dict[str, list[MetricPoint]]:
        """Return all points of a run by name, in the order of their steps."""
        query = (
            sa.select(metrics.c.name, metrics.c.value, metrics.c.step, metrics.c.time)
            .where(metrics.c.run_id == run_id)
            .order_by(metrics.c.step, metrics.c.id)
        )
        points: dict[str, list[MetricPoint]] = {}
        for name, value, step, time in self._connection.execute(query):
            point = MetricPoint(name=name, value=value, step=step, time=time)
            points.setdefault(name, []).append(point)
        return points

    def next_step(self, run_id: str, name: str) -> int:
        """Return the step that the next value of a metric gets, 0 for the first."""
        query = sa.select(metrics_last.c.step).where(
            metrics_last.c.run_id == run_id, metrics_last.c.name == name
        )
        last = self._connection.execute(query).scalar_one_or_none()
        return 0 if last is None else last + 1

    def last(self, run_ids: Sequence[str]) -> dict[str, dict[str, float | None]]:
        """Return the newest value of each metric of some runs.

        Returns
        -------
        dict of str to dict
            Run id to metric to value; a run without metrics has an empty dict.
        """
        found: dict[str, dict[str, float | None]] = {run_id: {} for run_id in run_ids}
        for ids in in_chunks(list(found)):
            query = sa.select(
                metrics_last.c.run_id, metrics_last.c.name, metrics_last.c.value
            ).where(metrics_last.c.run_id.in_(ids))
            for run_id, name, value in self._connection.execute(query):
                found[run_id][name] = value
        return found


class MetricWrites(MetricReads):
    """What can be done with metrics."""

    def log(self, run_id: str, points: Sequence[MetricPoint]) -> None:
        """Append points; values that are not finite are kept as missing.

        The last value of a name is the one of the highest step, of equal steps the newest.

        Raises
        ------
        NotFoundError
            When there is no such run.
        """
        if not points:
            return
        rows = [
            {
                "run_id": run_id,
                "name": point.name,
                "step": point.step,
                "time": point.time,
                "value": _finite(point.value),
            }
            for point in points
        ]
        try:
            self._connection.execute(sa.insert(metrics), rows)
        except IntegrityError as error:
            raise NotFoundError(f"No run has the id {run_id!r}.") from error
        last = [{k: v for k, v in row.items() if k != "time"} for row in rows]
        self._connection.execute(_put_last(self._dialect), last)


@functools.cache
def _put_last(dialect: str) -> sqlite.Insert | postgresql.Insert:
    insert = insert_into(dialect, metrics_last)
    new = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=["run_id", "name"],
        set_={"step": new["step"], "value": new["value"]},
        where=metrics_last.c.step <= new["step"],
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
