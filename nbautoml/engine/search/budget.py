"""Time: one deadline object, and a model of what a fit will cost."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

Clock = Callable[[], float]


class Deadline:
    """A moment on a clock; `at` is infinite when there is no limit.

    Parameters
    ----------
    at : float, default inf
        The moment, in seconds of `clock`.
    clock : callable, default time.monotonic
        Returns the time now, in seconds.

    Examples
    --------
    >>> Deadline(10.0, clock=lambda: 4.0).remaining()
    6.0
    >>> Deadline().is_over()
    False
    """

    __slots__ = ("at", "clock")

    def __init__(self, at: float = math.inf, clock: Clock = time.monotonic) -> None:
        self.at = at
        self.clock = clock

    @classmethod
    def after(cls, seconds: float | None, clock: Clock = time.monotonic) -> Deadline:
        """Return the deadline `seconds` from now; None means never."""
        return cls(math.inf if seconds is None else clock() + seconds, clock)

    @property
    def is_limited(self) -> bool:
        """Whether there is an end at all."""
        return math.isfinite(self.at)

    def remaining(self) -> float:
        """Return the seconds left (negative when it has passed)."""
        return self.at - self.clock() if self.is_limited else math.inf

    def is_over(self) -> bool:
        """Whether the moment has passed."""
        return self.is_limited and self.clock() >= self.at

    def moved(self, seconds: float) -> Deadline:
        """Return a deadline that lies `seconds` later (earlier when negative)."""
        return Deadline(self.at + seconds, self.clock)


# How many of the last fits of a family say how far its cost hint is off.
_WINDOW = 12
# A fit is planned at this quantile of what the family's fits took against their hints.
_QUANTILE = 0.8
# Before anything is measured a fit is taken to cost its hint times this.
_FIRST_FACTOR = 1.5
# A task costs this much besides the fit: featurize, score, write, hand over.
_FIXED_SECONDS = 0.03


@dataclass(slots=True)
class CostModel:
    """Predicts seconds of a fold from a family's hint and from the fits that were measured.

    Each family has a hint in seconds that knows its parameters and the data's shape; this
    model learns by which factor the hints are off here. Not safe for several threads.

    Examples
    --------
    >>> cost = CostModel()
    >>> cost.observe("KNN", hint=1.0, seconds=3.03)
    >>> round(cost.predict("KNN", hint=2.0), 2)
    6.03
    """

    _ratios: dict[str, deque[float]] = field(default_factory=dict)

    def observe(self, family: str, *, hint: float, seconds: float) -> None:
        """Take in what one fold took."""
        ratio = max(seconds - _FIXED_SECONDS, 1e-4) / max(hint, 1e-4)
        self._ratios.setdefault(family, deque(maxlen=_WINDOW)).append(ratio)

    def predict(self, family: str, *, hint: float) -> float:
        """Return the seconds that one fold is planned to take."""
        return _FIXED_SECONDS + hint * self._factor(family)

    def _factor(self, family: str) -> float:
        own = self._ratios.get(family)
        if own:
            return _quantile(own)
        others = [_quantile(ratios) for ratios in self._ratios.values()]
        return max(sorted(others)[len(others) // 2], 0.1) if others else _FIRST_FACTOR


def _quantile(ratios: deque[float]) -> float:
    ordered = sorted(ratios)
    return ordered[min(len(ordered) - 1, int(_QUANTILE * len(ordered)))]


# The slowest of this many writes stands for the next one: on a busy machine they differ much.
_WRITES = 8
# Models below this size tell nothing of what a byte costs.
_LEAST_BYTES = 1 << 20
# Events, status rows and looks at the clock take no longer than this, whatever the data.
_LEAST_FINISH_SECONDS = 0.15
# All metrics of an ensemble are computed twice: for its score, and for that on rows left out.
_ENSEMBLE_METRICS = 2


@dataclass(slots=True)
class FinishCost:
    """Predicts what follows a search (choose an ensemble, store it), from what was measured here.

    The constant model, which is made before the search, gives the first measures; each trial
    that is stored adds one. Not safe for several threads.

    Examples
    --------
    >>> cost = FinishCost(metrics_seconds=0.1, scoring_seconds=0.001)
    >>> cost.observe_write(0.2, n_bytes=1000)
    >>> round(cost.answer(), 2)
    0.45
    >>> round(cost.ensemble(n_scorings=50, n_bytes=10_000), 2)
    0.6
    """

    metrics_seconds: float = 0.0
    """What all metrics of all folds of one trial take."""
    scoring_seconds: float = 0.0
    """What one value of the primary metric takes when an ensemble is chosen."""
    _writes: deque[float] = field(default_factory=lambda: deque(maxlen=_WRITES))
    _least_write: float = math.inf
    _byte_seconds: float = 0.0

    def observe_write(self, seconds: float, *, n_bytes: int) -> None:
        """Take in what storing one trial took: predictions, charts, a model of that size, log."""
        self._writes.append(seconds)
        self._least_write = min(self._least_write, seconds)
        if n_bytes >= _LEAST_BYTES:
            extra = (seconds - self._least_write) / n_bytes
            self._byte_seconds = max(self._byte_seconds, extra)

    def write(self, *, n_bytes: int) -> float:
        """Return the seconds that storing a model of that size is planned to take."""
        return max(self._writes, default=0.0) + self._byte_seconds * n_bytes

    def answer(self) -> float:
        """Return the seconds that a run without any model needs for the constant one."""
        return _LEAST_FINISH_SECONDS + self.metrics_seconds + self.write(n_bytes=0)

    def ensemble(self, *, n_scorings: int, n_bytes: int) -> float:
        """Return the seconds that choosing and storing an ensemble is planned to take."""
        choosing = n_scorings * self.scoring_seconds + _ENSEMBLE_METRICS * self.metrics_seconds
        return _LEAST_FINISH_SECONDS + choosing + self.write(n_bytes=n_bytes)


# Trials without gain after which a run may stop, by rows: small data reward a short search,
# because more of it only fits the validation rows. The shape (4 at 100 rows to 100 at 100,000)
# is the one that AutoGluon 1.5 uses to cut its portfolio.
_PATIENCE = ((100, 4.0), (500, 8.0), (2_500, 15.0), (10_000, 40.0), (100_000, 100.0))
# Azure's service looks at the last 20 iterations. On small tables a stop right after the first
# turn of each family lost accuracy that was there within the time that was given.
_SHORTEST_PATIENCE = 20
EARLIEST_STOP = 40
LEAST_WAIT = 0.25
"""Share of a run's time that has to pass without gain, too: where trials are quick, forty of them
are over before the search has looked around."""


def patience(n_rows: int) -> int:
    """Return after how many trials without gain a search may end.

    Examples
    --------
    >>> [patience(n) for n in (100, 2_500, 10_000, 1_000_000)]
    [20, 20, 40, 100]
    """
    x = math.log(max(n_rows, 1))
    points = [(math.log(rows), math.log(count)) for rows, count in _PATIENCE]
    if x <= points[0][0]:
        value = points[0][1]
    elif x >= points[-1][0]:
        value = points[-1][1]
    else:
        right = next(i for i, (px, _) in enumerate(points) if px >= x)
        (x0, y0), (x1, y1) = points[right - 1], points[right]
        value = y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return max(_SHORTEST_PATIENCE, round(math.exp(value)))
