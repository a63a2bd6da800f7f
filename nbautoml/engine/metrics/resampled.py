"""All metrics of many sets of row weights at once, as resampling needs them.

The same definitions as in `classification` and `regression`, but each array has an axis more,
of the sets of weights. What is sorted is sorted once for all sets.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_EPSILON = float(np.finfo(np.float64).eps)
_HALF_TOLERANCE = 1e-12
_PERCENT = 100.0


def scores_of_classes(
    names: Collection[str],
    y: IntArray,
    proba: FloatArray,
    weights: FloatArray,
    *,
    positive: int | None = None,
) -> dict[str, FloatArray]:
    """Return classification metrics of each set of weights.

    Parameters
    ----------
    names : collection of str
        Metrics to compute.
    y : ndarray of int, shape (n_rows,)
        True classes.
    proba : ndarray of shape (n_rows, n_classes)
        Predicted probabilities.
    weights : ndarray of shape (n_sets, n_rows)
        Weight of each row in each set; at least 0.
    positive : int, optional
        Code of the positive class, for the metrics named ``*_binary``.

    Returns
    -------
    dict of str to ndarray of shape (n_sets,)
        NaN where a metric has no meaning for the rows of a set.
    """
    rows = _Classes(y=y, proba=proba, weights=weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {name: _of_classes(name, rows, positive) for name in names}


def scores_of_numbers(
    names: Collection[str],
    y: FloatArray,
    predicted: FloatArray,
    weights: FloatArray,
    *,
    y_range: float,
) -> dict[str, FloatArray]:
    """Return regression metrics of each set of weights.

    Parameters
    ----------
    names : collection of str
        Metrics to compute.
    y, predicted : ndarray of shape (n_rows,)
        True and predicted numbers.
    weights : ndarray of shape (n_sets, n_rows)
        Weight of each row in each set; at least 0.
    y_range : float
        Range of the labels of the whole training set.

    Returns
    -------
    dict of str to ndarray of shape (n_sets,)
        NaN where a metric has no meaning for the rows of a set.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = weights / weights.sum(axis=1, keepdims=True)
        rows = _Numbers(y=y, predicted=predicted, shares=shares)
        found = {}
        for name in names:
            values = _NUMBERS[name.removeprefix("normalized_")](rows)
            if name.startswith("normalized_"):
                values = values / y_range if y_range > 0 else np.full(len(weights), math.nan)
            found[name] = values
        return found


@dataclass(frozen=True, kw_only=True)
class _Classes:
    y: IntArray
    proba: FloatArray
    weights: FloatArray
    curves: dict[int, tuple[FloatArray, FloatArray]] = field(default_factory=dict)

    @property
    def n_classes(self) -> int:
        return int(self.proba.shape[1])

    @cached_property
    def confusion(self) -> FloatArray:
        """Weights by set, true class and predicted class."""
        n_rows, n_classes = self.proba.shape
        cells = self.y * n_classes + self.proba.argmax(axis=1)
        ones = np.ones(n_rows)
        shape = (n_classes**2, n_rows)
        table = sp.csr_matrix((ones, (cells, np.arange(n_rows))), shape=shape)
        sums = np.asarray(table @ self.weights.T).T
        return sums.reshape(len(self.weights), n_classes, n_classes)

    @cached_property
    def support(self) -> FloatArray:
        return np.asarray(self.confusion.sum(axis=2))

    @cached_property
    def said(self) -> FloatArray:
        """Weight of rows of each predicted class."""
        return np.asarray(self.confusion.sum(axis=1))

    @cached_property
    def hits(self) -> FloatArray:
        return np.asarray(np.diagonal(self.confusion, axis1=1, axis2=2))

    @property
    def total(self) -> FloatArray:
        return np.asarray(self.support.sum(axis=1))

    def per_class(self, family: str) -> FloatArray:
        """Return a metric of each class, of shape (n_sets, n_classes); NaN without rows."""
        if family in _CURVES:
            return np.column_stack([self.curve(c)[_CURVES[family]] for c in range(self.n_classes)])
        part, whole = {
            "precision_score": (self.hits, self.said),
            "recall_score": (self.hits, self.support),
            "f1_score": (2 * self.hits, self.support + self.said),
        }[family]
        values = np.where(whole > 0, part / whole, 0.0)
        return np.where(self.support > 0, values, np.nan)

    def curve(self, code: int) -> tuple[FloatArray, FloatArray]:
        """Return area under the ROC curve and average precision of one class."""
        if code not in self.curves:
            each = np.arange(len(self.y))
            self.curves[code] = _curve(self.y == code, self.proba[:, code], each, self.weights)
        return self.curves[code]

    @cached_property
    def micro_curve(self) -> tuple[FloatArray, FloatArray]:
        is_true = np.zeros(self.proba.shape, dtype=bool)
        is_true[np.arange(len(self.y)), self.y] = True
        each = np.repeat(np.arange(len(self.y)), self.n_classes)
        area, precision = _curve(is_true.ravel(), self.proba.ravel(), each, self.weights)
        has_two = (self.support > 0).sum(axis=1) > 1
        return np.where(has_two, area, np.nan), np.where(has_two, precision, np.nan)


_CURVES = {"AUC": 0, "average_precision_score": 1}


def _curve(
    is_true: npt.NDArray[np.bool_], score: FloatArray, rows: IntArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return area and average precision of each set; `rows` is the row of each score."""
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    starts = np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1])
    falls = weights.take(rows[order], axis=1)
    steps = falls * is_true[order]
    falls -= steps
    if len(starts) < len(ordered):
        steps, falls = (np.add.reduceat(each, starts, axis=1) for each in (steps, falls))
    hits = steps.cumsum(axis=1)
    n_hits = hits[:, -1]
    # Each miss is behind the hits before it, and half behind those of the same score.
    area = np.einsum("ij,ij->i", falls, hits) - np.einsum("ij,ij->i", falls, steps) / 2
    area /= n_hits * falls.sum(axis=1)
    seen = falls.cumsum(axis=1)
    seen += hits
    precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
    average = np.einsum("ij,ij->i", steps, precision) / n_hits
    return area, np.where(n_hits > 0, average, np.nan)


def _of_classes(name: str, rows: _Classes, positive: int | None) -> FloatArray:
    if name in _PLAIN:
        return _PLAIN[name](rows)
    family, _, average = name.rpartition("_")
    if average == "micro":
        is_curve = family in _CURVES
        return rows.micro_curve[_CURVES[family]] if is_curve else _accuracy(rows)
    if average == "binary":
        if positive is None:
            raise KeyError(name)
        if family in _CURVES:
            return rows.curve(positive)[_CURVES[family]]
        return np.asarray(rows.per_class(family)[:, positive])
    values = rows.per_class(family)
    is_there = (rows.support > 0) & ~np.isnan(values)
    weight = rows.support if average == "weighted" else np.ones_like(rows.support)
    weight = np.where(is_there, weight, 0.0)
    return np.asarray((np.where(is_there, values, 0.0) * weight).sum(axis=1) / weight.sum(axis=1))


def _accuracy(rows: _Classes) -> FloatArray:
    return np.asarray(rows.hits.sum(axis=1) / rows.total)


def _recall(rows: _Classes) -> FloatArray:
    return _of_classes("recall_score_macro", rows, None)


def _norm_recall(rows: _Classes) -> FloatArray:
    chance = 1.0 / rows.n_classes
    return np.maximum(0.0, (_recall(rows) - chance) / (1.0 - chance))


def _weighted_accuracy(rows: _Classes) -> FloatArray:
    return np.asarray((rows.support * rows.hits).sum(axis=1) / (rows.support**2).sum(axis=1))


def _matthews(rows: _Classes) -> FloatArray:
    total = rows.total
    both = rows.hits.sum(axis=1) * total - (rows.support * rows.said).sum(axis=1)
    spread = (total**2 - (rows.said**2).sum(axis=1)) * (total**2 - (rows.support**2).sum(axis=1))
    varies = np.where(spread > 0, both / np.sqrt(spread), 0.0)
    return np.where(total > 0, varies, np.nan)


def _log_loss(rows: _Classes) -> FloatArray:
    picked = rows.proba[np.arange(len(rows.y)), rows.y]
    sums = rows.proba.sum(axis=1)
    shares = np.where(sums > 0, picked / sums, 0.0)
    losses = -np.log(np.clip(shares, _EPSILON, 1.0 - _EPSILON))
    return np.asarray(rows.weights @ losses / rows.weights.sum(axis=1))


_PLAIN = {
    "accuracy": _accuracy,
    "balanced_accuracy": _recall,
    "norm_macro_recall": _norm_recall,
    "weighted_accuracy": _weighted_accuracy,
    "matthews_correlation": _matthews,
    "log_loss": _log_loss,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Numbers:
    """Labels, predictions and weights that add up to 1 in each set."""

    y: FloatArray
    predicted: FloatArray
    shares: FloatArray

    @property
    def errors(self) -> FloatArray:
        return self.y - self.predicted

    def mean(self, values: FloatArray) -> FloatArray:
        return np.asarray(self.shares @ values)

    def variance(self, values: FloatArray) -> FloatArray:
        """Return the variance of each set; exactly 0 where all values are the same."""
        centred = values - values.mean()  # so that large values cancel nothing
        means = self.mean(centred)
        spread = self.mean(centred**2) - means**2
        scale = np.abs(centred).max(initial=0.0) ** 2
        return np.where(spread > _EPSILON * len(values) * scale, spread, 0.0)


def _median_absolute(rows: _Numbers) -> FloatArray:
    errors = np.abs(rows.errors)
    order = np.argsort(errors)
    errors, reached = errors[order], rows.shares[:, order].cumsum(axis=1)
    last = len(errors) - 1
    low, high = (
        np.minimum((reached < half).sum(axis=1), last)
        for half in (0.5 - _HALF_TOLERANCE, 0.5 + _HALF_TOLERANCE)
    )
    return np.where(np.isnan(reached[:, last]), np.nan, (errors[low] + errors[high]) / 2)


def _squared_log(rows: _Numbers) -> FloatArray:
    has_log = (rows.y > -1) & (rows.predicted > -1)
    y, predicted = (np.where(has_log, v, 0.0) for v in (rows.y, rows.predicted))
    means = rows.mean((np.log1p(y) - np.log1p(predicted)) ** 2)
    return np.where((rows.shares @ ~has_log) > 0, np.nan, np.sqrt(means))


def _percentage(rows: _Numbers) -> FloatArray:
    is_filled = rows.y != 0
    shares = np.where(is_filled, np.abs(rows.errors / np.where(is_filled, rows.y, 1.0)), 0.0)
    return _PERCENT * rows.mean(shares) / rows.mean(is_filled.astype(np.float64))


def _r2(rows: _Numbers) -> FloatArray:
    total = rows.variance(rows.y)
    scores = np.maximum(-1.0, 1.0 - rows.mean(rows.errors**2) / total)
    return np.where(total > 0, scores, np.nan)


def _explained(rows: _Numbers) -> FloatArray:
    total = rows.variance(rows.y)
    return np.where(total > 0, 1.0 - rows.variance(rows.errors) / total, np.nan)


def _spearman(rows: _Numbers) -> FloatArray:
    a, b = (_ranks(values, rows.shares) for values in (rows.y, rows.predicted))
    # Mean ranks are one half of the whole weight.
    both = (rows.shares * (a - 0.5) * (b - 0.5)).sum(axis=1)
    spread = [(rows.shares * (ranks - 0.5) ** 2).sum(axis=1) for ranks in (a, b)]
    varies = (spread[0] > _EPSILON) & (spread[1] > _EPSILON)
    return np.where(varies, both / np.sqrt(spread[0] * spread[1]), np.nan)


def _ranks(values: FloatArray, shares: FloatArray) -> FloatArray:
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1])
    at = np.add.reduceat(shares[:, order], starts, axis=1)
    ranks = at.cumsum(axis=1) - at / 2
    places = np.empty(len(values), dtype=np.int64)
    places[order] = np.searchsorted(starts, np.arange(len(values)), side="right") - 1
    return np.asarray(ranks[:, places])


_NUMBERS = {
    "r2_score": _r2,
    "explained_variance": _explained,
    "spearman_correlation": _spearman,
    "mean_absolute_percentage_error": _percentage,
    "mean_absolute_error": lambda rows: rows.mean(np.abs(rows.errors)),
    "median_absolute_error": _median_absolute,
    "root_mean_squared_error": lambda rows: np.sqrt(rows.mean(rows.errors**2)),
    "root_mean_squared_log_error": _squared_log,
}
