"""Trials that are being worked on: which tasks they need, and when they have failed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from nbautoml.domain.status import TrialOutcome
from nbautoml.engine.search.candidate import Candidate
from nbautoml.engine.trial import FoldResult


@dataclass(slots=True, kw_only=True)
class ActiveTrial:
    """One trial on its way.

    Parameters
    ----------
    number : int
        Its number in the run.
    key : str
        What it depends on.
    candidate : Candidate
        What is tried.
    n_folds : int
        How many folds it needs.
    started_at : float
        When its first task was handed over, on the run's clock.
    predicted_seconds : float
        What one of its folds is expected to take.
    bar : tuple of float or None
        Score of fold 0 of the best trial when this one began, and how far below it a trial may
        be and go on; None when all folds are run in any case.
    ends_by : float
        When its last task will be killed, on the monotonic clock.
    """

    number: int
    key: str
    candidate: Candidate
    n_folds: int
    started_at: float
    predicted_seconds: float
    bar: tuple[float, float] | None = None
    ends_by: float = math.inf
    tasks: dict[str, tuple[int, ...]] = field(default_factory=dict)
    waiting: tuple[int, ...] = ()
    results: dict[int, FoldResult] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether all folds are there."""
        return len(self.results) == self.n_folds

    @property
    def work_left(self) -> float:
        """Seconds of one slot that its open folds are expected to take."""
        return (self.n_folds - len(self.results)) * self.predicted_seconds

    def ordered(self) -> list[FoldResult]:
        """Return the results so far, by fold."""
        return [self.results[fold] for fold in sorted(self.results)]


def chunk_folds(n_folds: int, n_chunks: int) -> list[tuple[int, ...]]:
    """Return folds dealt out over tasks, as evenly as can be.

    Examples
    --------
    >>> chunk_folds(5, 2)
    [(0, 2, 4), (1, 3)]
    """
    n_chunks = max(1, min(n_chunks, n_folds))
    return [tuple(range(start, n_folds, n_chunks)) for start in range(n_chunks)]


def mean_and_std(scores: Sequence[float]) -> tuple[float | None, float | None]:
    """Return mean and standard deviation of the scores that are numbers.

    Examples
    --------
    >>> mean_and_std([1.0, 3.0, float("nan")])
    (2.0, 1.0)
    """
    values = np.array([s for s in scores if np.isfinite(s)], dtype=np.float64)
    if not len(values):
        return None, None
    return float(values.mean()), float(values.std())


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialEnd:
    """How a trial ends when it does not complete."""

    outcome: TrialOutcome
    error: str
