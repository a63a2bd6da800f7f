"""Looks for a column that gives the label away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any  # Any: labels are codes or floats, columns of any type

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from nbautoml.domain.events import GuardrailReported, GuardrailState
from nbautoml.domain.tasks import Task
from nbautoml.engine.featurize.build import build_adapter
from nbautoml.engine.featurize.options import ColumnPurpose
from nbautoml.engine.guardrails._base import GuardrailInput, named

NAME = "Target leakage detection"
LEAK_SCORE = 0.999
SAMPLE_ROWS = 2_000
FEWEST_ROWS = 30
FILLED_SHARE = 0.5

FloatArray = npt.NDArray[np.float64]


def check(given: GuardrailInput) -> GuardrailReported:
    """Alert when one column alone predicts the label almost without an error.

    A sample of the rows is looked at. Nothing is dropped: such a column may be right.
    """
    rows = _sample(len(given.y))
    names = [
        column.name for column in given.profile.used if column.purpose is not ColumnPurpose.TEXT
    ]
    y = np.asarray(given.y)[rows]
    frame = build_adapter(given.profile).transform(given.X.iloc[rows])
    scores = {name: _score(frame[name], y, given.task) for name in names}
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


def _sample(n_rows: int) -> npt.NDArray[np.int64]:
    if n_rows <= SAMPLE_ROWS:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(0).choice(n_rows, SAMPLE_ROWS, replace=False))


def _score(column: pd.Series, y: npt.NDArray[Any], task: Task) -> float:
    """Return how well a column alone tells the label, from 0 to 1."""
    is_category = isinstance(column.dtype, pd.CategoricalDtype)
    values = column.cat.codes.to_numpy() if is_category else _numbers(column)
    is_filled = values >= 0 if is_category else ~np.isnan(values)
    if is_filled.sum() < max(FEWEST_ROWS, FILLED_SHARE * len(y)):
        return 0.0
    return _SCORES[is_category, task is Task.CLASSIFICATION](values[is_filled], y[is_filled])


def _numbers(column: pd.Series) -> FloatArray:
    if column.dtype.kind != "M":
        return column.to_numpy(dtype=np.float64)
    seconds = column.to_numpy(dtype="datetime64[s]").astype(np.float64)
    return np.where(column.isna(), np.nan, seconds)


def _number_to_class(values: FloatArray, y: npt.NDArray[Any]) -> float:
    """Return the area under the ROC curve, of either sign, weighted over the classes."""
    codes, counts = np.unique(y, return_counts=True)
    if len(codes) < 2:
        return 0.0
    ranks = rankdata(values)
    n_rest = len(y) - counts
    wins = np.array([ranks[y == c].sum() for c in codes]) - counts * (counts + 1) / 2
    areas = wins / (counts * n_rest)
    return float(np.average(np.maximum(areas, 1 - areas), weights=counts))


def _number_to_number(values: FloatArray, y: npt.NDArray[Any]) -> float:
    """Return the absolute rank correlation."""
    if values.min() == values.max() or y.min() == y.max():
        return 0.0
    return float(abs(np.corrcoef(rankdata(values), rankdata(y))[0, 1]))


def _category_to_class(values: npt.NDArray[Any], y: npt.NDArray[Any]) -> float:
    """Return the mean recall of the category's most frequent class, each row left out once."""
    codes, places = np.unique(y, return_inverse=True)
    if len(codes) < 2:
        return 0.0
    table = np.zeros((int(values.max()) + 1, len(codes)))
    np.add.at(table, (values, places), 1)
    order = np.sort(table, axis=1)
    best_other = np.where(table == order[:, -1:], order[:, -2:-1], order[:, -1:])
    hits = np.where(table - 1 > best_other, table, 0).sum(axis=0)
    return float((hits / table.sum(axis=0)).mean())


def _category_to_number(values: npt.NDArray[Any], y: npt.NDArray[Any]) -> float:
    """Return r2 of the category's mean, each row left out once."""
    counts = np.bincount(values)[values]
    total = ((y - y.mean()) ** 2).sum()
    if total == 0:
        return 0.0
    sums = np.bincount(values, weights=y)[values]
    means = np.where(counts > 1, (sums - y) / np.maximum(counts - 1, 1), y.mean())
    return float(1 - ((y - means) ** 2).sum() / total)


_SCORES: dict[tuple[bool, bool], Callable[[npt.NDArray[Any], npt.NDArray[Any]], float]] = {
    (True, True): _category_to_class,
    (True, False): _category_to_number,
    (False, True): _number_to_class,
    (False, False): _number_to_number,
}
