"""Rows on which an ensemble is scored without having been chosen on them.

The members' predictions are out of fold, but weights that were chosen on a row know its label.
So the validation rows are dealt to a few parts, and each part is predicted by an ensemble that
was chosen on the other parts only. All rows together give a score that compares with that of a
single trial; what is shipped is chosen on all rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nbautoml.engine.context import PreparedData
from nbautoml.engine.models._base import Vector

IntArray = npt.NDArray[np.int64]

MOST_PARTS = 5
"""More parts only take time: with five, each ensemble is chosen on four fifths of the rows."""
_FEWEST_FOLDS = 3
LEAST_ROWS = 10
"""With fewer validation rows a part would have less than two."""


def parts_of(data: PreparedData, seed: int) -> tuple[IntArray, ...]:
    """Deal the validation rows of a run to parts: `deal_parts`."""
    return deal_parts(data.fold_places(), data.y_valid, seed)


def deal_parts(places: Sequence[IntArray], y: Vector, seed: int) -> tuple[IntArray, ...]:
    """Deal validation rows to parts, each row to exactly one.

    Parts are whole folds where there are at least three which do not overlap: rows that belong
    together then stay together, and a fold's score comes from one ensemble. Else they are drawn,
    with the same mix of labels in each.

    Parameters
    ----------
    places : sequence of ndarray
        Where each fold's validation rows are among all validation rows.
    y : ndarray of shape (n_rows,)
        Labels of the validation rows.
    seed : int
        Seed of the drawing.

    Returns
    -------
    tuple of ndarray
        Positions among the validation rows, sorted; at most five arrays.
    """
    n_rows = len(y)
    if len(places) >= _FEWEST_FOLDS and sum(map(len, places)) == n_rows:
        n_parts = min(MOST_PARTS, len(places))
        return tuple(np.sort(np.concatenate(places[i::n_parts])) for i in range(n_parts))
    return _draw(y, np.random.default_rng([seed, n_rows]))


def _draw(y: Vector, rng: np.random.Generator) -> tuple[IntArray, ...]:
    order = np.lexsort((rng.random(len(y)), y))
    return tuple(np.sort(order[i::MOST_PARTS]) for i in range(MOST_PARTS))


def join(
    parts: Sequence[IntArray], predictions: Sequence[npt.NDArray[np.float32]]
) -> npt.NDArray[np.float32]:
    """Return one array in the order of the rows from those of the parts."""
    n_rows = sum(map(len, parts))
    joined = np.empty((n_rows, *predictions[0].shape[1:]), dtype=np.float32)
    for part, predicted in zip(parts, predictions, strict=True):
        joined[part] = predicted
    return joined
