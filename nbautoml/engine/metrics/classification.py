"""Classification metrics from one confusion matrix and one sort for each class.

Definitions are those of "Evaluate AutoML experiment results" (learn.microsoft.com); values
equal scikit-learn's where it has the metric, many times faster for small folds.

Classes that have no row in the labels that are scored take no part in macro averages (their
recall and AUC do not exist), so a fold without a rare class is scored on the others. A metric
that has no meaning for the rows at hand is NaN: AUC with one class, for example.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

AVERAGES = ("macro", "micro", "weighted")
_EPSILON = float(np.finfo(np.float64).eps)


def score_classification(
    y_codes: npt.ArrayLike,
    proba: npt.ArrayLike,
    n_classes: int,
    *,
    sample_weight: npt.ArrayLike | None = None,
    positive: int | None = None,
) -> dict[str, float]:
    """Return all classification metrics.

    Parameters
    ----------
    y_codes : array-like of int, shape (n_rows,)
        True classes, from 0 to ``n_classes - 1``.
    proba : array-like of shape (n_rows, n_classes)
        Predicted probabilities; the class with the highest one is the prediction.
    n_classes : int
        Number of classes of the training data.
    sample_weight : array-like of shape (n_rows,), optional
        Weight of each row.
    positive : int, optional
        Code of the class for which the metrics named ``*_binary`` are reported too.

    Returns
    -------
    dict of str to float
        The metrics that `nbautoml.domain.metrics` lists for classification; those of the
        positive class only when there is one.

    Raises
    ------
    ValueError
        When shapes differ or a probability is not finite.

    Examples
    --------
    >>> scores = score_classification([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], 2)
    >>> round(scores["accuracy"], 3), scores["AUC_weighted"]
    (0.667, 1.0)
    """
    rows = _ScoredRows.of(y_codes, proba, n_classes, sample_weight)
    scores = {name: metric(rows) for name, metric in _SCALARS.items()}
    precisions, recalls, f1s = rows.precision, rows.recall, rows.f1
    areas, averages = rows.areas, rows.average_precisions
    for family, values in (
        ("precision_score", precisions),
        ("recall_score", recalls),
        ("f1_score", f1s),
    ):
        scores[f"{family}_macro"] = rows.macro(values)
        scores[f"{family}_micro"] = scores["accuracy"]
        scores[f"{family}_weighted"] = rows.weighted(values)
    for family, values, micro in (
        ("AUC", areas, rows.micro_curve[0]),
        ("average_precision_score", averages, rows.micro_curve[1]),
    ):
        scores[f"{family}_macro"] = rows.macro(values)
        scores[f"{family}_micro"] = micro
        scores[f"{family}_weighted"] = rows.weighted(values)
    if positive is not None:
        scores |= {name: metric(rows, positive) for name, metric in _BINARY.items()}
    return scores


def score_primary_classification(
    name: str,
    y_codes: npt.ArrayLike,
    proba: npt.ArrayLike,
    n_classes: int,
    *,
    sample_weight: npt.ArrayLike | None = None,
    positive: int | None = None,
) -> float:
    """Return one metric, computing nothing that it does not need.

    Raises
    ------
    KeyError
        When no classification metric has that name, or a ``*_binary`` one is asked for without
        a positive class.
    """
    rows = _ScoredRows.of(y_codes, proba, n_classes, sample_weight)
    if positive is not None and name in _BINARY:
        return _BINARY[name](rows, positive)
    return SINGLE[name](rows)


@dataclass(frozen=True, kw_only=True)
class _ScoredRows:
    """Labels and probabilities, and what several metrics share; computed when first asked."""

    y: IntArray
    proba: FloatArray
    n_classes: int
    weight: FloatArray | None

    @classmethod
    def of(
        cls,
        y_codes: npt.ArrayLike,
        proba: npt.ArrayLike,
        n_classes: int,
        sample_weight: npt.ArrayLike | None,
    ) -> _ScoredRows:
        y = np.asarray(y_codes, dtype=np.int64)
        p = np.asarray(proba, dtype=np.float64)
        if p.shape != (len(y), n_classes):
            raise ValueError(
                f"Probabilities of {len(y)} rows and {n_classes} classes must have shape "
                f"{(len(y), n_classes)}; got {p.shape}."
            )
        if not math.isfinite(p.sum()):
            raise ValueError("Some predicted probabilities are not finite.")
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        return cls(y=y, proba=p, n_classes=n_classes, weight=weight)

    @cached_property
    def confusion(self) -> FloatArray:
        """Weight of rows by true class (rows) and predicted class (columns)."""
        cells = self.y * self.n_classes + self.proba.argmax(axis=1)
        size = self.n_classes * self.n_classes
        counts = np.bincount(cells, weights=self.weight, minlength=size)
        return np.asarray(counts, dtype=np.float64).reshape(self.n_classes, self.n_classes)

    @cached_property
    def support(self) -> FloatArray:
        """Weight of rows of each true class."""
        return np.asarray(self.confusion.sum(axis=1))

    @cached_property
    def is_present(self) -> npt.NDArray[np.bool_]:
        """Which classes have rows."""
        return self.support > 0

    @property
    def total(self) -> float:
        """Weight of all rows."""
        return float(self.support.sum())

    @cached_property
    def recall(self) -> FloatArray:
        return _divide(self.confusion.diagonal(), self.support)

    @cached_property
    def precision(self) -> FloatArray:
        return _divide(self.confusion.diagonal(), self.confusion.sum(axis=0))

    @cached_property
    def f1(self) -> FloatArray:
        hits = self.confusion.diagonal()
        return _divide(2 * hits, self.support + self.confusion.sum(axis=0))

    @cached_property
    def curves(self) -> list[tuple[float, float]]:
        """Area under the ROC curve and average precision of each class against the rest."""
        return [self.curve(code) for code in range(self.n_classes)]

    def curve(self, code: int) -> tuple[float, float]:
        """Return area under the ROC curve and average precision of one class."""
        return _area_and_precision(self.y == code, self.proba[:, code], self.weight)

    @property
    def areas(self) -> FloatArray:
        return np.array([area for area, _ in self.curves])

    @property
    def average_precisions(self) -> FloatArray:
        return np.array([precision for _, precision in self.curves])

    @cached_property
    def micro_curve(self) -> tuple[float, float]:
        """The same of all pairs of row and class taken as one binary problem."""
        if self.is_present.sum() < 2:
            return math.nan, math.nan
        is_true = np.zeros(self.proba.shape, dtype=bool)
        is_true[np.arange(len(self.y)), self.y] = True
        weight = None if self.weight is None else np.repeat(self.weight, self.n_classes)
        return _area_and_precision(is_true.ravel(), self.proba.ravel(), weight)

    def of_class(self, values: FloatArray, code: int) -> float:
        """Return the value of one class; NaN when it has no rows."""
        return float(values[code]) if self.is_present[code] else math.nan

    def macro(self, values: FloatArray) -> float:
        """Return the plain mean over the classes that have rows."""
        present = values[self.is_present]
        return float(present.mean()) if len(present) else math.nan

    def weighted(self, values: FloatArray) -> float:
        """Return the mean over the classes that have rows, by their weight."""
        if not self.total:
            return math.nan
        is_present = self.is_present
        return float(values[is_present] @ self.support[is_present] / self.total)


def _divide(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Return the ratio, 0 where there is nothing to divide by (as scikit-learn does)."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _area_and_precision(
    is_true: npt.NDArray[np.bool_], score: FloatArray, weight: FloatArray | None
) -> tuple[float, float]:
    """Return area under the ROC curve and average precision of a binary problem.

    The area is the trapezoid sum over distinct scores, which counts ties half; the average
    precision is the sum of precision times the step in recall.
    """
    order = np.argsort(-score, kind="stable")
    hit = is_true[order].astype(np.float64)
    if weight is None:
        hits, seen = hit.cumsum(), np.arange(1.0, len(hit) + 1)
    else:
        sorted_weight = weight[order]
        hits, seen = (hit * sorted_weight).cumsum(), sorted_weight.cumsum()
    if not len(hits) or hits[-1] == 0 or hits[-1] == seen[-1]:
        return math.nan, 1.0 if len(hits) and hits[-1] else math.nan
    ordered = score[order]
    ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(hit) - 1)
    hits, seen = hits[ends], seen[ends]
    misses = seen - hits
    steps, fall = _steps(hits), _steps(misses)
    area = (fall * (hits - steps / 2)).sum() / (hits[-1] * misses[-1])
    precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
    return float(area), float((steps * precision).sum() / hits[-1])


def _steps(sums: FloatArray) -> FloatArray:
    """Return what was added for each sum; `numpy.diff` takes longer than all else for few rows."""
    steps = sums.copy()
    steps[1:] -= sums[:-1]
    return steps


def _accuracy(rows: _ScoredRows) -> float:
    return float(rows.confusion.trace() / rows.total) if rows.total else math.nan


def _recall_macro(rows: _ScoredRows) -> float:
    return rows.macro(rows.recall)


def _norm_macro_recall(rows: _ScoredRows) -> float:
    """Macro recall from 0 for chance (1 / number of classes, or worse) to 1."""
    chance = 1.0 / rows.n_classes
    recall = rows.macro(rows.recall)
    return recall if math.isnan(recall) else max(0.0, (recall - chance) / (1.0 - chance))


def _weighted_accuracy(rows: _ScoredRows) -> float:
    """Share of hits when each row weighs as much as its class has rows."""
    if not rows.total:
        return math.nan
    support = rows.support
    return float(support @ rows.confusion.diagonal() / (support @ support))


def _matthews(rows: _ScoredRows) -> float:
    """Correlation of true and predicted classes; 0 when one of them does not vary."""
    if not rows.total:
        return math.nan
    true, predicted = rows.support, rows.confusion.sum(axis=0)
    total = rows.total
    both = rows.confusion.trace() * total - true @ predicted
    spread = (total**2 - predicted @ predicted) * (total**2 - true @ true)
    return float(both / math.sqrt(spread)) if spread > 0 else 0.0


def _log_loss(rows: _ScoredRows) -> float:
    """Mean negative logarithm of the true class's probability, which is kept above 2e-16."""
    if not rows.total:
        return math.nan
    picked = rows.proba[np.arange(len(rows.y)), rows.y]
    sums = rows.proba.sum(axis=1)
    shares = np.divide(picked, sums, out=np.zeros_like(picked), where=sums > 0)
    losses = -np.log(np.clip(shares, _EPSILON, 1.0 - _EPSILON))
    return float(losses.mean() if rows.weight is None else losses @ rows.weight / rows.total)


_SCALARS: dict[str, Callable[[_ScoredRows], float]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _recall_macro,
    "norm_macro_recall": _norm_macro_recall,
    "weighted_accuracy": _weighted_accuracy,
    "matthews_correlation": _matthews,
    "log_loss": _log_loss,
}

_BINARY: dict[str, Callable[[_ScoredRows, int], float]] = {
    "AUC_binary": lambda rows, code: rows.curve(code)[0],
    "average_precision_score_binary": lambda rows, code: rows.curve(code)[1],
    "f1_score_binary": lambda rows, code: rows.of_class(rows.f1, code),
    "precision_score_binary": lambda rows, code: rows.of_class(rows.precision, code),
    "recall_score_binary": lambda rows, code: rows.of_class(rows.recall, code),
}
"""Metrics of one class against all others."""

SINGLE: dict[str, Callable[[_ScoredRows], float]] = {
    **_SCALARS,
    "precision_score_macro": lambda rows: rows.macro(rows.precision),
    "precision_score_micro": _accuracy,
    "precision_score_weighted": lambda rows: rows.weighted(rows.precision),
    "recall_score_macro": _recall_macro,
    "recall_score_micro": _accuracy,
    "recall_score_weighted": lambda rows: rows.weighted(rows.recall),
    "f1_score_macro": lambda rows: rows.macro(rows.f1),
    "f1_score_micro": _accuracy,
    "f1_score_weighted": lambda rows: rows.weighted(rows.f1),
    "AUC_macro": lambda rows: rows.macro(rows.areas),
    "AUC_micro": lambda rows: rows.micro_curve[0],
    "AUC_weighted": lambda rows: rows.weighted(rows.areas),
    "average_precision_score_macro": lambda rows: rows.macro(rows.average_precisions),
    "average_precision_score_micro": lambda rows: rows.micro_curve[1],
    "average_precision_score_weighted": lambda rows: rows.weighted(rows.average_precisions),
}
"""Every classification metric that needs no positive class, by name."""
