"""How certain probabilities should be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.metrics import log_loss

from nbautoml.engine.ensemble.sharpen import best_power, raised

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 4, 800)


def shares(scale: float) -> np.ndarray:
    """Return probabilities that are right on the whole for a scale of 1."""
    rng = np.random.default_rng(1)
    logits = scale * 2.0 * (2.0 * np.eye(4)[Y] + rng.normal(size=(800, 4)))
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.0])
def test_it_has_the_least_log_loss(scale: float) -> None:
    timid = shares(scale)
    power = best_power(timid, Y)

    def loss(b: float) -> float:
        return float(log_loss(Y, raised(timid, b)))

    best = minimize_scalar(loss, bounds=(0.3, 4.0), method="bounded")
    assert loss(power) <= best.fun + 1e-6
    assert power == pytest.approx(1 / scale, rel=0.15)


def test_rows_count_by_their_weight() -> None:
    timid = np.array([[0.6, 0.4], [0.4, 0.6]])
    weight = np.array([0.8, 0.2])
    power = best_power(timid, np.zeros(2, dtype=np.int64), weight)
    assert raised(timid, power)[0, 0] == pytest.approx(0.8, abs=1e-3)


@pytest.mark.parametrize("start", [0.3, 0.8, 4.0])
def test_it_does_not_matter_where_it_begins(start: float) -> None:
    timid = shares(0.5)
    assert best_power(timid, Y, start=start) == pytest.approx(best_power(timid, Y), abs=2e-3)


def test_it_stays_within_bounds_where_every_answer_is_right_or_wrong() -> None:
    right = np.array([[0.9, 0.1]] * 5)
    assert best_power(right, np.zeros(5, dtype=np.int64)) == 4.0
    assert best_power(right, np.ones(5, dtype=np.int64)) == 0.3


def test_the_likeliest_class_stays() -> None:
    some = shares(1.0)
    np.testing.assert_array_equal(some.argmax(axis=1), raised(some, 0.5).argmax(axis=1))
