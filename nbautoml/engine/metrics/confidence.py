"""Confidence intervals of metrics by resampling the validation rows.

The stratified percentile bootstrap (Efron and Tibshirani, "An Introduction to the Bootstrap",
1993, chapter 13): rows are drawn with replacement, as many of each class and fold as there are,
and the metric of each draw is computed as a trial's is, as the mean over the folds. The models
stay the same, so the interval is of their scores on other rows like these; that the best model
was chosen by this score is not in it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nbautoml.domain.metrics import metric
from nbautoml.domain.tasks import Task
from nbautoml.engine.metrics.resampled import scores_of_classes, scores_of_numbers

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LEVEL = 0.95
FEWEST_RESAMPLES, MOST_RESAMPLES = 200, 1_000
"""Of 200 draws, 5 lie beyond each end of a 95 % interval; more than 1,000 hardly move the ends
(Efron and Tibshirani, 1993, section 14.3)."""
_CELLS = 5_000_000
# Arrays of this many numbers stay in the processor's caches.
_CHUNK = 250_000
# Seconds that one draw of one row costs for one curve: measured, with a margin.
_CELL_SECONDS = 5e-8
_CURVES = ("AUC", "average_precision_score")
_SORTED = ("spearman_correlation", "median_absolute_error", "normalized_median_absolute_error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A metric of some rows, and between which values it likely lies on others.

    Parameters
    ----------
    value : float
        The metric of the rows themselves.
    lower, upper : float
        Ends of the interval; NaN where the metric has no meaning for any draw.
    """

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredRows:
    """Rows with their predictions, as `bootstrap_intervals` takes them.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Class codes or numbers.
    predicted : ndarray of shape (n_rows, n_classes) or (n_rows,)
        Probabilities of the classes, or numbers; of models that were not fitted on the row.
    folds : sequence of ndarray of int
        Places of the rows of each fold; empty is one fold of all rows.
    y_range : float
        Range of the labels of the whole training set; for regression.
    positive : int or None
        Code of the positive class.
    weight : ndarray of shape (n_rows,) or None
        How much each row counts.
    """

    y: npt.NDArray[np.generic]
    predicted: npt.NDArray[np.floating]
    folds: Sequence[IntArray] = ()
    y_range: float = math.nan
    positive: int | None = None
    weight: FloatArray | None = None

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for numbers."""
        return int(self.predicted.shape[1]) if self.predicted.ndim == 2 else 0


def count_resamples(n_rows: int, n_classes: int = 0) -> int:
    """Return how often rows are drawn: less often when there are many.

    Examples
    --------
    >>> count_resamples(300, 2), count_resamples(50_000, 2)
    (1000, 200)
    """
    wanted = _CELLS // max(n_rows * max(n_classes, 1), 1)
    return min(max(wanted, FEWEST_RESAMPLES), MOST_RESAMPLES)


def expected_seconds(names: Collection[str], n_rows: int, n_classes: int = 0) -> float:
    """Return about how long `bootstrap_intervals` takes on one core.

    Examples
    --------
    >>> expected_seconds(["accuracy"], 50_000, 2) < 1 < expected_seconds(["AUC_macro"], 10**6, 2)
    True
    """
    families = {name.rpartition("_")[::2] for name in names}
    is_any = any(family in _CURVES and average != "micro" for family, average in families)
    is_micro = any(family in _CURVES and average == "micro" for family, average in families)
    n_sorted = sum(name in _SORTED for name in names)
    n_curves = 1 + n_sorted + n_classes * (is_any + is_micro)
    return _CELL_SECONDS * n_rows * n_curves * count_resamples(n_rows, n_classes)


def bootstrap_intervals(
    rows: ScoredRows,
    names: Collection[str],
    *,
    n_resamples: int | None = None,
    level: float = LEVEL,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return an interval of each metric.

    Parameters
    ----------
    rows : ScoredRows
        Labels and out-of-fold predictions.
    names : collection of str
        Metrics of the task.
    n_resamples : int, optional
        How often rows are drawn; `count_resamples` when not given.
    level : float, default 0.95
        Probability that an interval is to have.
    seed : int, default 0
        The same rows and seed give the same intervals.

    Examples
    --------
    >>> proba = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]] * 25)
    >>> rows = ScoredRows(y=np.array([0, 0, 1, 1] * 25), predicted=proba)
    >>> found = bootstrap_intervals(rows, ["accuracy"])["accuracy"]
    >>> found.value, 0.65 < found.lower < 0.75 < found.upper < 0.85
    (0.75, True)
    """
    wanted = list(names)
    n_rows = len(rows.y)
    n_draws = n_resamples or count_resamples(n_rows, rows.n_classes)
    weight = np.ones(n_rows) if rows.weight is None else rows.weight
    values = _score(rows, wanted, weight[None, :])
    draws = [
        _score(rows, wanted, counts * weight)
        for counts in _draw(_strata(rows), n_draws, np.random.default_rng([seed, n_rows]))
    ]
    intervals = {}
    for name in wanted:
        drawn = np.concatenate([part[name] for part in draws])
        drawn = drawn[np.isfinite(drawn)]
        ends = [(1 - level) / 2, (1 + level) / 2]
        lower, upper = np.quantile(drawn, ends) if len(drawn) else (math.nan, math.nan)
        value = float(values[name][0])
        intervals[name] = Interval(value=value, lower=float(lower), upper=float(upper))
    return intervals


def _score(rows: ScoredRows, names: list[str], weights: FloatArray) -> dict[str, FloatArray]:
    """Return the mean over the folds of each metric, for each set of weights."""
    places = rows.folds or [np.arange(len(rows.y))]
    folds = [_score_fold(rows, names, weights[:, at], at) for at in places if len(at)]
    means = {}
    for name in names:
        scores = np.array([fold[name] for fold in folds])
        is_there = np.isfinite(scores)
        n_there = is_there.sum(axis=0)
        sums = np.where(is_there, scores, 0.0).sum(axis=0)
        means[name] = np.where(n_there > 0, sums / np.maximum(n_there, 1), np.nan)
    return means


def _score_fold(
    rows: ScoredRows, names: list[str], weights: FloatArray, at: IntArray
) -> dict[str, FloatArray]:
    predicted = rows.predicted[at].astype(np.float64)
    if Task.CLASSIFICATION in metric(names[0]).tasks:
        codes = rows.y[at].astype(np.int64)
        return scores_of_classes(names, codes, predicted, weights, positive=rows.positive)
    numbers = rows.y[at].astype(np.float64)
    return scores_of_numbers(names, numbers, predicted, weights, y_range=rows.y_range)


def _strata(rows: ScoredRows) -> list[IntArray]:
    """Return the places of the rows of each class and fold (of each class, if folds overlap)."""
    codes = rows.y.astype(np.int64) if rows.n_classes else np.zeros(len(rows.y), dtype=np.int64)
    if sum(map(len, rows.folds)) <= len(codes):
        for number, places in enumerate(rows.folds):
            codes[places] += number * max(rows.n_classes, 1)
    order = np.argsort(codes, kind="stable")
    ends = np.flatnonzero(np.diff(codes[order])) + 1
    return np.split(order, ends)


def _draw(
    strata: list[IntArray], n_draws: int, rng: np.random.Generator
) -> Iterator[npt.NDArray[np.int64]]:
    """Return how often each row is drawn, some draws at a time."""
    n_rows = sum(map(len, strata))
    for start in range(0, n_draws, max(_CHUNK // max(n_rows, 1), 1)):
        n_now = min(max(_CHUNK // max(n_rows, 1), 1), n_draws - start)
        counts = np.empty((n_now, n_rows), dtype=np.int64)
        for places in strata:
            size = len(places)
            drawn = rng.integers(size, size=(n_now, size)) + size * np.arange(n_now)[:, None]
            found = np.bincount(drawn.ravel(), minlength=n_now * size)
            counts[:, places] = found.reshape(n_now, size)
        yield counts
