"""What the linear families share."""

from __future__ import annotations

import math

import numpy as np

from nbautoml.engine.models._base import Vector


def spread_of(y: Vector, weight: Vector | None = None) -> float:
    """Return the standard deviation of a target, 1 where it has none.

    Examples
    --------
    >>> spread_of(np.array([1.0, 3.0])), spread_of(np.array([2.0, 2.0]))
    (1.0, 1.0)
    """
    mean = np.average(y, weights=weight)
    return math.sqrt(np.average((y - mean) ** 2, weights=weight)) or 1.0
