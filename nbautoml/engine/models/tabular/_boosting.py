"""What boosting families share: how many rounds, and when to stop."""

from __future__ import annotations

from nbautoml.engine.models._base import ROW_BYTES, DataShape

# Rounds are counted in units of 1/learning rate: half the rate needs about twice the rounds.
_ROUNDS_TIMES_RATE = 60.0
_PATIENCE_TIMES_RATE = 3.0
_FEWEST_PATIENT_ROUNDS = 25
_MOST_ROUNDS = 5_000

# A histogram's bin: sums of gradients and of curvatures in float64, for each of 256 values.
_HISTOGRAM_BYTES = 16.0 * 256
_TREE_NODE_BYTES = 100.0


def boosting_bytes(shape: DataShape, *, n_rounds: int, n_leaves: float) -> float:
    """Return about how many bytes boosting needs beside its input.

    These are the binned rows (a byte a cell, twice), gradients and scores of each row, the
    histograms of one tree, and the trees.
    """
    leaves = min(n_leaves, float(shape.n_rows))
    columns = min(shape.n_columns, shape.n_cells)
    trees = n_rounds * shape.n_outputs * 2.0 * leaves * _TREE_NODE_BYTES
    histograms = leaves * columns * _HISTOGRAM_BYTES
    return 2.0 * shape.n_cells + ROW_BYTES * shape.n_rows * shape.n_outputs + histograms + trees


def max_rounds(learning_rate: float) -> int:
    """Return how many rounds a fit may take at most.

    Examples
    --------
    >>> max_rounds(0.05), max_rounds(0.001)
    (1200, 5000)
    """
    return min(_MOST_ROUNDS, round(_ROUNDS_TIMES_RATE / learning_rate))


def early_stopping_rounds(learning_rate: float) -> int:
    """Return after how many rounds without gain a fit stops.

    Examples
    --------
    >>> early_stopping_rounds(0.05)
    60
    """
    return max(_FEWEST_PATIENT_ROUNDS, round(_PATIENCE_TIMES_RATE / learning_rate))
