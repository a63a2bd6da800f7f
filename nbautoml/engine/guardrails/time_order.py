"""Looks for rows in the order of time that are split at random."""

from __future__ import annotations

from typing import Any  # Any: labels are codes or floats

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.domain.events import GuardrailReported, GuardrailState
from nbautoml.domain.tasks import Task
from nbautoml.engine.guardrails._base import GuardrailInput

NAME = "Time order detection"
SORTED_SHARE = 0.99
"""Share of the steps between neighbouring rows that go the same way in sorted rows."""
FEWEST_DATES = 20
FILLED_SHARE = 0.9
LIKE_NEIGHBOUR = 0.5**0.5
"""Correlation of each label with the one before from which that one explains half of its
variance: such rows are not independent, be it for their time or their place."""
RUNS_OF_CLASS = 10
"""A file that is sorted by the label has about one run of each class; so few runs are an order
of the file, not of time."""
SORTED_BY_LABEL = 0.6
"""In time labels go up as often as down; where so many steps go the same way, the file is
sorted by the label, in parts at least."""


def check(given: GuardrailInput) -> GuardrailReported | None:
    """Alert when rows in the order of a date, or with labels like their neighbours', are mixed."""
    if not given.is_random_split:
        return None
    likeness = neighbour_likeness(np.asarray(given.y), given.task)
    dates = [str(n) for n in given.columns if given.columns[n].dtype.kind == "M"]
    in_order = [name for name in dates if _is_sorted(given.columns[name])]
    is_alike = likeness > LIKE_NEIGHBOUR and not _is_sorted_by_label(given)
    if not in_order and not is_alike:
        return GuardrailReported(
            name=NAME,
            state=GuardrailState.PASSED,
            description="The rows are in no order of time that a random split would break.",
        )
    found = f"in the order of {in_order[0]!r}" if in_order else "like their neighbours"
    return GuardrailReported(
        name=NAME,
        state=GuardrailState.ALERTED,
        description=(
            f"The rows are {found}, but are split at random, so models are validated on rows "
            "between those they have learned from. If they are to answer for later rows, give the "
            "last rows as validation_data, or splits of your own."
        ),
        details=(
            {
                "Columns in order": ", ".join(in_order) or "none",
                "Correlation of neighbouring labels": round(likeness, 3),
            },
        ),
    )


def neighbour_likeness(y: npt.NDArray[Any], task: Task) -> float:
    """Return how much labels are like the one of the row before: 1 is the same, 0 is chance.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Class codes or numbers, in the order of the rows.
    task : Task
        Of numbers the correlation of ranks is taken, of classes Cohen's kappa.

    Examples
    --------
    >>> neighbour_likeness(np.arange(10.0), Task.REGRESSION)
    1.0
    >>> neighbour_likeness(np.array([0, 1] * 5), Task.CLASSIFICATION) < 0
    True
    """
    if len(y) < 3:
        return 0.0
    if task is not Task.CLASSIFICATION:
        ranks = pd.Series(y).rank().to_numpy()
        before, after = ranks[:-1], ranks[1:]
        if before.min() == before.max() or after.min() == after.max():
            return 0.0
        return round(float(np.corrcoef(before, after)[0, 1]), 12)
    shares = np.unique(y, return_counts=True)[1] / len(y)
    by_chance = float((shares**2).sum())
    agreement = float((y[1:] == y[:-1]).mean())
    return (agreement - by_chance) / (1 - by_chance) if by_chance < 1 else 0.0


def _is_sorted(dates: pd.Series) -> bool:
    filled = dates.dropna().to_numpy().astype("datetime64[s]").astype(np.int64)
    if len(filled) < FILLED_SHARE * len(dates) or len(np.unique(filled)) < FEWEST_DATES:
        return False
    return _share_in_order(filled) > SORTED_SHARE


def _share_in_order(values: npt.NDArray[Any]) -> float:
    """Return the share of the steps that go up, or down, if that is more."""
    steps = np.diff(values)
    steps = steps[steps != 0]
    if not len(steps):
        return 0.0
    share = float((steps > 0).mean())
    return max(share, 1 - share)


def _is_sorted_by_label(given: GuardrailInput) -> bool:
    y = np.asarray(given.y)
    if given.task is Task.CLASSIFICATION:
        return int((y[1:] != y[:-1]).sum()) + 1 <= RUNS_OF_CLASS * len(np.unique(y))
    return _share_in_order(y) > SORTED_BY_LABEL
