"""How much more or less certain a model's probabilities should be: one power for all rows.

Models differ in how cautious they are: a regularised one is, a deep tree is not. Probabilities to
the power of b, shared out anew, keep the order of the classes; the b with the least log loss is
found by Newton's method on out-of-fold predictions. It is the inverse of the temperature of Guo,
Pleiss, Sun, Weinberger, "On calibration of modern neural networks", ICML 2017.
"""

from __future__ import annotations

from typing import Any  # Any: floats of any width

import numpy as np
import numpy.typing as npt

from nbautoml.runtime.voting import log_shares, share_out

_LEAST, _MOST = 0.3, 4.0
_ROUNDS = 20
# A step changes the power by at most this share of it, so that no step leaps over the least loss.
_LARGEST_STEP = 0.5
_CLOSE = 1e-3


def best_power(
    probabilities: npt.NDArray[Any],
    y: npt.NDArray[Any],
    weight: npt.NDArray[np.float64] | None = None,
    start: float = 1.0,
) -> float:
    """Return the power of probabilities that has the least log loss, from 0.3 to 4.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows, n_classes)
        Out-of-fold predictions.
    y : ndarray of int, shape (n_rows,)
        Class codes.
    weight : ndarray of shape (n_rows,), optional
        How much each row counts.
    start : float, default 1.0
        Where to begin; near the end it takes fewer steps.

    Examples
    --------
    >>> timid = np.array([[0.6, 0.4]] * 7 + [[0.4, 0.6]] * 3)
    >>> power = best_power(timid, np.zeros(10, dtype=int))
    >>> float(raised(timid, power)[0, 0].round(2))  # right in seven of ten rows
    0.7
    """
    logs = log_shares(np.asarray(probabilities, dtype=np.float64))
    rows = np.arange(len(logs))
    true = logs[rows, np.asarray(y, dtype=np.int64)]
    power = start
    for _ in range(_ROUNDS):
        shares = share_out(power * logs)
        mean = (shares * logs).sum(axis=1)
        slope = np.average(mean - true, weights=weight)
        bend = np.average((shares * logs**2).sum(axis=1) - mean**2, weights=weight)
        largest = _LARGEST_STEP * power
        step = float(np.clip(slope / bend, -largest, largest)) if bend > 0 else 0.0
        before, power = power, float(np.clip(power - step, _LEAST, _MOST))
        if abs(power - before) < _CLOSE:
            break
    return power


def raised(probabilities: npt.NDArray[Any], power: float) -> npt.NDArray[Any]:
    """Return probabilities to a power; each row sums to 1."""
    return share_out(power * log_shares(probabilities))
