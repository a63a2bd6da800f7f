"""Looks for columns whose values differ between training and validation rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import chi2

from nbautoml.domain.events import GuardrailReported, GuardrailState
from nbautoml.engine.guardrails._base import GuardrailInput, missing_cells, named, sample_rows

NAME = "Training and validation drift detection"
LARGE_SHIFT = 0.25
"""A population stability index above this is a large shift (Siddiqi, "Credit Risk Scorecards",
2006, chapter 6)."""
CHANCE = 0.001
"""Probability, over all columns, of an alert where there is no drift. Without drift the index
is about (1/n + 1/m) times a chi-squared number of bins - 1 degrees of freedom (Yurdakul,
"Statistical properties of population stability index", 2018)."""
N_BINS = 10
MOST_ROWS = 20_000

IntArray = npt.NDArray[np.int64]


def check(given: GuardrailInput) -> GuardrailReported | None:
    """Alert when given validation rows differ much from the training rows.

    The parts of a random split are drawn from the same rows and cannot differ. Dates are left
    out: later rows have later dates.
    """
    if given.is_random_split:
        return None
    train, valid = (part[sample_rows(len(part), MOST_ROWS)] for part in given.validation.folds[0])
    names = [str(n) for n in given.columns if given.columns[n].dtype.kind not in "M"]
    names = [n for n in names if given.columns[n].dtype != object]  # texts have no bins
    details = []
    for name in names:
        bins = _bins(given.columns[name], train)
        index, chance = stability_index(bins[train], bins[valid])
        if index > LARGE_SHIFT and chance * len(names) < CHANCE:
            details.append({"Column name": name, "Population stability index": round(index, 3)})
    if not details:
        return GuardrailReported(
            name=NAME,
            state=GuardrailState.PASSED,
            description="Training and validation rows have columns of much the same values.",
        )
    details.sort(key=lambda detail: -float(str(detail["Population stability index"])))
    return GuardrailReported(
        name=NAME,
        state=GuardrailState.ALERTED,
        description=(
            f"{named(len(details), 'column')} with quite other values in the validation rows than "
            "in the training rows. Scores then say little of rows like the training rows; check "
            "where both come from."
        ),
        details=tuple(details),
    )


def stability_index(train: IntArray, valid: IntArray) -> tuple[float, float]:
    """Return the population stability index of two parts, and its probability by chance.

    Parameters
    ----------
    train, valid : ndarray of int
        Bins of the values of each part, from 0.

    Examples
    --------
    >>> same, other = np.arange(400) % 4, np.arange(400) % 2
    >>> round(stability_index(same, same)[0], 3), stability_index(same, other)[0] > 0.25
    (0.0, True)
    """
    n_bins = int(max(train.max(), valid.max())) + 1
    # Half a row in each bin keeps empty ones finite.
    parts = [np.bincount(part, minlength=n_bins) + 0.5 for part in (train, valid)]
    expected, actual = (part / part.sum() for part in parts)
    index = float(((actual - expected) * np.log(actual / expected)).sum())
    scale = 1 / len(train) + 1 / len(valid)
    return index, float(chi2.sf(index / scale, max(n_bins - 1, 1)))


def _bins(column: pd.Series, train: IntArray) -> IntArray:
    """Return bins of a column: tenths of its training values, its frequent categories, none."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy().astype(np.int64)
        counts = np.bincount(codes[train] + 1, minlength=len(column.cat.categories) + 1)
        frequent = np.argsort(-counts, kind="stable")[:N_BINS]
        place = np.full(len(counts), len(frequent))
        place[frequent] = np.arange(len(frequent))
        return place[codes + 1]
    values = column.to_numpy()
    is_missing = missing_cells(column)
    known = values[train][~is_missing[train]]
    if not len(known):
        return np.where(is_missing, 0, 1)
    cuts = np.unique(np.quantile(known, np.arange(1, N_BINS) / N_BINS))
    return np.where(is_missing, len(cuts) + 1, np.searchsorted(cuts, values, side="left"))
