"""Looks for a column that gives the label away."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any  # Any: labels are codes or floats, columns of any type

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.domain.events import GuardrailReported, GuardrailState
from nbautoml.domain.tasks import Task
from nbautoml.engine.guardrails._base import GuardrailInput, missing_cells, named, sample_rows

NAME = "Target leakage detection"
LEAK_SCORE = 0.99
"""The best honest columns of 68 public tables score 0.983 (TSH, by which hypothyroidism is
diagnosed), 0.976 (the size of cells, of tumours) and 0.970; a label that was written down again
scores more, a few mistakes included."""
SAMPLE_ROWS = 2_000
WIDE_SAMPLE_ROWS = 500
MANY_COLUMNS = 500
"""From so many columns on the smaller sample is looked at: a column takes about half a
millisecond."""
FEWEST_ROWS = 30
FEWEST_OF_CLASS = 5
"""A class with fewer rows says nothing: the area under the curve of one row is above `LEAK_SCORE`
for 2 % of columns without any meaning, of five rows for less than one in ten million."""
FILLED_SHARE = 0.5
_WORD = re.compile(r"[^\W\d_]+|\d+")

FloatArray = npt.NDArray[np.float64]


def check(given: GuardrailInput) -> GuardrailReported:
    """Alert when one column alone predicts the label almost without an error.

    A sample of the rows is looked at. Nothing is dropped: such a column may be right.
    """
    rows = _rows_to_look_at(given)
    y = np.asarray(given.y)[rows]
    frame = given.columns.iloc[rows]
    scores = {str(name): _score(frame[name], y, given.task) for name in frame}
    leaks = {name: score for name, score in scores.items() if score > LEAK_SCORE}
    if not leaks:
        return GuardrailReported(
            name=NAME,
            state=GuardrailState.PASSED,
            description="No column alone predicts the label.",
        )
    return GuardrailReported(
        name=NAME,
        state=GuardrailState.ALERTED,
        description=(
            f"{named(len(leaks), 'column')} alone predicts the label almost without an error. "
            "If it is known only after the label, leave it out: the model would fail in use."
        ),
        details=tuple(
            {"Column name": name, "Score alone": round(score, 4)} for name, score in leaks.items()
        ),
    )


def _rows_to_look_at(given: GuardrailInput) -> npt.NDArray[np.int64]:
    """Return the places of a sample of the rows; of rare classes more than chance would draw."""
    n_rows, n_columns = given.columns.shape
    most = WIDE_SAMPLE_ROWS if n_columns >= MANY_COLUMNS else SAMPLE_ROWS
    if given.task is not Task.CLASSIFICATION or n_rows <= most:
        return sample_rows(n_rows, most)
    order = np.random.default_rng(0).permutation(n_rows)
    y = np.asarray(given.y)[order]
    number_in_class = pd.Series(y).groupby(y).cumcount().to_numpy()
    few = min(FEWEST_ROWS, most // len(np.unique(y)))
    return np.sort(order[(np.arange(n_rows) < most) | (number_in_class < few)])


def _score(column: pd.Series, y: npt.NDArray[Any], task: Task) -> float:
    """Return how well a column alone tells the label, from 0 to 1, in the best of its readings.

    Which cells are missing can give the label away, too; of texts, how they begin or end.
    """
    is_class = task is Task.CLASSIFICATION
    is_missing = missing_cells(column)
    scores = [_OF_CATEGORIES[is_class](is_missing.astype(np.int64), y)] if is_missing.any() else []
    if (~is_missing).sum() < max(FEWEST_ROWS, FILLED_SHARE * len(y)):
        return max(scores, default=0.0)
    filled, labels = column[~is_missing], y[~is_missing]
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = filled.cat.codes.to_numpy().astype(np.int64)
        scores.append(_OF_CATEGORIES[is_class](codes, labels))
    elif column.dtype == object:
        for words in _first_and_last_words(filled):
            scores.append(_OF_CATEGORIES[is_class](pd.factorize(words)[0], labels))
    else:
        numbers = _numbers(filled)
        scores += [score(numbers, labels) for score in _OF_NUMBERS[is_class]]
    return max(scores)


def _first_and_last_words(texts: pd.Series) -> list[npt.NDArray[np.object_]]:
    """Return the runs of letters or digits with which each text begins and ends."""
    words = [_WORD.findall(text) or [""] for text in texts]
    return [np.array([found[at] for found in words], dtype=object) for at in (0, -1)]


def _numbers(column: pd.Series) -> FloatArray:
    if column.dtype.kind != "M":
        return column.to_numpy(dtype=np.float64)
    return column.to_numpy(dtype="datetime64[s]").astype(np.float64)


def _number_to_class(values: FloatArray, y: npt.NDArray[Any]) -> float:
    """Return the area under the ROC curve, of either sign, weighted over the classes."""
    _, places, counts = np.unique(y, return_inverse=True, return_counts=True)
    n_rest = len(y) - counts
    is_told = (counts >= FEWEST_OF_CLASS) & (n_rest >= FEWEST_OF_CLASS)
    if not is_told.any():
        return 0.0
    sums = np.bincount(places, weights=_mean_ranks(values))
    wins = (sums - counts * (counts + 1) / 2)[is_told]
    areas = wins / (counts * n_rest)[is_told]
    return float(np.average(np.maximum(areas, 1 - areas), weights=counts[is_told]))


def _neighbour_to_class(values: FloatArray, y: npt.NDArray[Any]) -> float:
    """Return the mean recall of the two neighbours in the order of the values, either of them.

    It finds classes that lie side by side, or a class between two parts of another, which the
    area under the curve does not. Rows of one value are shuffled: their order says nothing.
    """
    _, places, counts = np.unique(y, return_inverse=True, return_counts=True)
    order = np.lexsort((np.random.default_rng(0).random(len(values)), values))
    ordered = places[order]
    is_like_next = ordered[:-1] == ordered[1:]
    is_hit = np.append(is_like_next, False) | np.append(False, is_like_next)
    return _mean_recall(np.bincount(ordered, weights=is_hit), counts)


def _number_to_number(values: FloatArray, y: npt.NDArray[Any]) -> float:
    """Return the absolute rank correlation."""
    if values.min() == values.max() or y.min() == y.max():
        return 0.0
    return float(abs(np.corrcoef(_mean_ranks(values), _mean_ranks(y))[0, 1]))


def _category_to_class(values: npt.NDArray[Any], y: npt.NDArray[Any]) -> float:
    """Return the mean recall of the category's most frequent class, each row left out once."""
    codes, places, counts = np.unique(y, return_inverse=True, return_counts=True)
    if len(codes) < 2:
        return 0.0
    table = np.zeros((int(values.max()) + 1, len(codes)))
    np.add.at(table, (values, places), 1)
    order = np.sort(table, axis=1)
    best_other = np.where(table == order[:, -1:], order[:, -2:-1], order[:, -1:])
    return _mean_recall(np.where(table - 1 > best_other, table, 0).sum(axis=0), counts)


def _category_to_number(values: npt.NDArray[Any], y: npt.NDArray[Any]) -> float:
    """Return r2 of the category's mean, each row left out once."""
    counts = np.bincount(values)[values]
    total = ((y - y.mean()) ** 2).sum()
    if total == 0:
        return 0.0
    sums = np.bincount(values, weights=y)[values]
    means = np.where(counts > 1, (sums - y) / np.maximum(counts - 1, 1), y.mean())
    return float(1 - ((y - means) ** 2).sum() / total)


def _mean_recall(hits: npt.NDArray[Any], counts: npt.NDArray[Any]) -> float:
    """Return the mean recall of the classes that have rows enough; 0 with one of them."""
    is_told = counts >= FEWEST_OF_CLASS
    return float((hits / counts)[is_told].mean()) if is_told.sum() > 1 else 0.0


def _mean_ranks(values: npt.NDArray[Any]) -> FloatArray:
    """Return ranks from 1, equal values with their mean (quicker here than SciPy's).

    Examples
    --------
    >>> _mean_ranks(np.array([5.0, 2.0, 5.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    ends = np.append(starts[1:], len(values))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat((starts + ends + 1) / 2, ends - starts)
    return ranks


_Score = Callable[[npt.NDArray[Any], npt.NDArray[Any]], float]

# By whether the label is a class.
_OF_CATEGORIES: dict[bool, _Score] = {True: _category_to_class, False: _category_to_number}
_OF_NUMBERS: dict[bool, tuple[_Score, ...]] = {
    True: (_number_to_class, _neighbour_to_class),
    False: (_number_to_number,),
}
