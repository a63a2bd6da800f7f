"""All trials of a view as points, and its rows in the order of a leaderboard."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: JSON values of a view

PALETTE = (
    *("#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#76b7b2", "#b07aa1"),
    *("#edc948", "#9c755f", "#ff9da7", "#8a9a5b", "#3b9ebf", "#a05d8c"),
)
ENSEMBLE_COLOR = "#d4a017"
COMPLETED = "Completed"
RUNNING = "Running"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One trial in the chart; `name` is empty for a trial that has no row."""

    number: int
    score: float | None
    family: str
    status: str
    name: str = ""

    @property
    def is_scored(self) -> bool:
        """Whether it completed with a score."""
        return self.status == COMPLETED and self.score is not None

    @property
    def is_failed(self) -> bool:
        """Whether it ended without a score."""
        return self.status not in (COMPLETED, RUNNING)


def points_of(view: Mapping[str, Any]) -> list[Point]:
    """Return the trials of a view, rows and series alike, by number."""
    points = [
        Point(
            number=row["n"],
            score=row.get("score"),
            family=row["family"],
            status=row["status"],
            name=row["name"],
        )
        for row in view["trials"]
    ]
    series = view.get("series")
    if series:
        points += [
            Point(
                number=number,
                score=score,
                family=series["families"][family],
                status=series["states"][state],
            )
            for number, score, family, state in series["points"]
        ]
    return sorted(points, key=lambda point: point.number)


def colors_of(points: Sequence[Point]) -> dict[str, str]:
    """Return one colour a family, in the order in which families first appear.

    Examples
    --------
    >>> colors_of([Point(number=0, score=1.0, family="KNN", status="Completed")])
    {'KNN': '#4e79a7'}
    """
    families = list(dict.fromkeys(point.family for point in points))
    return {
        family: ENSEMBLE_COLOR if "ensemble" in family.lower() else PALETTE[i % len(PALETTE)]
        for i, family in enumerate(families)
    }


def ranked_rows(view: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a view's rows: completed ones best first, then running, then failed ones."""
    metric = view["header"]["metric"]
    sign = -1.0 if metric is None or metric["maximize"] else 1.0

    def key(row: Mapping[str, Any]) -> tuple[int, float, int]:
        group = {COMPLETED: 0, RUNNING: 1}.get(row["status"], 2)
        score = row.get("score")
        return (group, math.inf if score is None else sign * score, row["n"])

    return sorted(view["trials"], key=key)
