"""What the families trained by stochastic gradient descent share: passes, steps and costs."""

from __future__ import annotations

import math
from typing import Any  # Any: estimators of scikit-learn

import numpy as np
from scipy import sparse
from sklearn.compose import TransformedTargetRegressor
from sklearn.preprocessing import StandardScaler

from nbautoml.engine.models._base import DataShape, Matrix

# Descent converges within about a million steps (scikit-learn's user guide, "Stochastic Gradient
# Descent", tips on practical use); a row is a step.
_STEPS = 1_000_000
_FEWEST_PASSES, _MOST_PASSES = 5, 200
_SECONDS_A_CELL = 2.5e-9
_SECONDS_A_STEP = 6e-8
# First steps are sized by a row longer than this share of all.
_LONG_ROW = 0.95


def most_passes(n_rows: int) -> int:
    """Return how often descent may go over the rows.

    Examples
    --------
    >>> most_passes(100), most_passes(50_000), most_passes(10_000_000)
    (200, 20, 5)
    """
    return min(_MOST_PASSES, max(_FEWEST_PASSES, math.ceil(_STEPS / max(n_rows, 1))))


def descent_seconds(shape: DataShape, passes: float) -> float:
    """Return about how many seconds so many passes over the rows take on one thread."""
    a_pass = _SECONDS_A_STEP * shape.n_rows + _SECONDS_A_CELL * shape.n_cells
    return passes * a_pass * shape.n_outputs


def long_row(X: Matrix) -> float:
    """Return the squared length of a row that is longer than most, with its intercept.

    Steps up to its inverse do not overshoot on that row.
    """
    squares = X.multiply(X).sum(axis=1) if sparse.issparse(X) else np.einsum("ij,ij->i", X, X)
    return 1.0 + float(np.quantile(np.asarray(squares, dtype=float), _LONG_ROW))


def on_unit_target(model: Any) -> TransformedTargetRegressor:
    """Return a regressor that learns the target with mean 0 and standard deviation 1."""
    return TransformedTargetRegressor(model, transformer=StandardScaler())
