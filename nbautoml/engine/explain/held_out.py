"""Which rows a model of a run is explained on: a sample of its validation rows, with their folds.

A run keeps the sample when it has split its rows, so that any of its models can be explained
later, on the same rows, by the fold models that were not fitted on them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

HELD_OUT = "internal/held_out.npz"
"""The file of a run that holds the sample."""
MOST_ROWS = 20_000
"""So many rows are enough for every part of an explanation, and their file is small."""
# Rows that are drawn for each one that is kept: random splits hold the same row several times.
_OF_EACH = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutRows:
    """A sample of validation rows, in a random order.

    Parameters
    ----------
    rows : ndarray of int, shape (n_rows,)
        Positions among the rows that take part in the run.
    places : ndarray of int, shape (n_rows,)
        Positions among all validation rows: where a trial's out-of-fold predictions have them.
    folds : ndarray of int, shape (n_rows,)
        For each row a fold whose training rows it is not among.
    n_folds : int
        Number of folds of the run.
    """

    rows: IntArray
    places: IntArray
    folds: IntArray
    n_folds: int

    def to_bytes(self) -> bytes:
        """Return the sample as the content of a file."""
        stream = io.BytesIO()
        np.savez_compressed(
            stream,
            rows=self.rows.astype(np.uint32),
            places=self.places.astype(np.uint32),
            folds=self.folds.astype(np.uint16),
            n_folds=np.array(self.n_folds),
        )
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> HeldOutRows:
        """Rebuild a sample from `to_bytes`."""
        with np.load(io.BytesIO(content)) as arrays:
            return cls(
                rows=arrays["rows"].astype(np.int64),
                places=arrays["places"].astype(np.int64),
                folds=arrays["folds"].astype(np.int64),
                n_folds=int(arrays["n_folds"]),
            )


def draw_held_out(
    folds: Sequence[tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]],
    seed: int,
    most: int = MOST_ROWS,
) -> HeldOutRows:
    """Draw validation rows at random.

    Parameters
    ----------
    folds : sequence of (ndarray, ndarray)
        Training and validation rows of each fold.
    seed : int
        Seed of the draw.
    most : int, default 20,000
        Most rows to draw.

    Examples
    --------
    >>> folds = [(np.array([2, 3]), np.array([0, 1])), (np.array([0, 1]), np.array([2, 3]))]
    >>> drawn = draw_held_out(folds, seed=0)
    >>> sorted(zip(drawn.rows.tolist(), drawn.folds.tolist()))
    [(0, 0), (1, 0), (2, 1), (3, 1)]
    """
    rng = np.random.default_rng(seed)
    rows = np.concatenate([np.asarray(valid, dtype=np.int64) for _, valid in folds])
    fold_of = np.concatenate([np.full(len(valid), n) for n, (_, valid) in enumerate(folds)])
    order = rng.permutation(len(rows))[: _OF_EACH * most]
    # A row of several folds is taken once, in whichever of them comes first.
    _, first = np.unique(rows[order], return_index=True)
    kept = order[np.sort(first)[:most]]
    return HeldOutRows(
        rows=rows[kept],
        places=np.searchsorted(np.unique(rows), rows[kept]),
        folds=fold_of[kept].astype(np.int64),
        n_folds=len(folds),
    )
