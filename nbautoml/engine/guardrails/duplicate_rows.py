"""Looks for rows that are trained on and validated on."""

from __future__ import annotations

from typing import Any  # Any: JSON values

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.domain.events import GuardrailReported, GuardrailState
from nbautoml.engine.guardrails._base import GuardrailInput, named, row_hashes

NAME = "Duplicate row detection"
COPY_SHARE = 0.05
"""From this share of the validation rows on, a model that only remembers rows would look
better by about as much; below, it is less than what folds differ by."""
MOST_OTHER = 0.1
"""Copies have the same label. Where more of the equal rows than this have another one, the
columns are just too coarse to tell rows apart, and memory gains nothing."""
ROOM = 10.0
"""Columns that can hold fewer different rows than this many times the rows there are must
repeat themselves, which says nothing of how the rows were collected."""
ENOUGH_ROWS = 5_000

IntArray = npt.NDArray[np.int64]


def check(given: GuardrailInput) -> GuardrailReported:
    """Alert when many validation rows are copies of training rows, in columns and label.

    Splits are looked at until there are validation rows enough.
    """
    hashes = row_hashes(given.columns)
    n_valid = n_twins = n_other = 0
    for train, valid in given.validation.folds:
        twin = _find(hashes, train, valid)
        has_twin = twin >= 0
        n_valid += len(valid)
        n_twins += int(has_twin.sum())
        n_other += int((given.y[twin] != given.y[valid])[has_twin].sum())
        if n_valid >= ENOUGH_ROWS:
            break
    found = {
        "Validation rows": n_valid,
        "Equal to a training row": n_twins,
        "Of these with another label": n_other,
    }
    are_copies = n_twins - n_other >= COPY_SHARE * n_valid and n_other <= MOST_OTHER * n_twins
    if not are_copies or not _has_room(given):
        return _passed(found)
    return GuardrailReported(
        name=NAME,
        state=GuardrailState.ALERTED,
        description=(
            f"{n_twins / n_valid:.1%} of the validation rows equal a training row in all used "
            "columns, so scores are partly of what models remember. Remove the copies, or name "
            "the column of what they belong to as group_column_name."
        ),
        details=(found,),
    )


def _passed(found: dict[str, Any]) -> GuardrailReported:
    n_twins, n_other = found["Equal to a training row"], found["Of these with another label"]
    told = (
        f"{named(n_twins, 'validation row')} of {found['Validation rows']:,} equal a training row"
    )
    return GuardrailReported(
        name=NAME,
        state=GuardrailState.PASSED,
        description=f"{told}, {n_other:,} of them with another label." if n_twins else f"{told}.",
    )


def _find(hashes: npt.NDArray[np.uint64], train: IntArray, valid: IntArray) -> IntArray:
    """Return an equal training row of each validation row; -1 where there is none."""
    order = train[np.argsort(hashes[train], kind="stable")]
    places = np.searchsorted(hashes[order], hashes[valid])
    found = order[np.minimum(places, len(order) - 1)]
    return np.where(hashes[found] == hashes[valid], found, -1)


def _has_room(given: GuardrailInput) -> bool:
    """Return whether the columns can hold many more different rows than there are."""
    room, n_rows = 1.0, len(given.columns)
    for name in given.columns:
        room *= max(pd.unique(given.columns[name]).size, 1)
        if room > ROOM * n_rows:
            return True
    return False
