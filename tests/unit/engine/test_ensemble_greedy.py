"""Greedy selection of members."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from nbautoml.engine.ensemble.greedy import (
    ROUNDS,
    blend,
    relevant_part,
    select,
    select_by_loss,
)

Y = np.array([0, 1, 0, 1, 1, 0])


def proba(p: list[float]) -> npt.NDArray[np.float64]:
    one = np.array(p)
    return np.stack([1 - one, one], axis=1)


def accuracy(y: npt.NDArray[np.int64]) -> object:
    return lambda p: float(np.mean(p.argmax(axis=1) == y))


def noisy_models(n: int, *, seed: int = 0) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, 400)
    logits = (2 * y - 1) * 0.7 + rng.normal(size=(n, 400)) * np.linspace(1, 3, n)[:, None]
    one = 1 / (1 + np.exp(-logits))
    return np.stack([1 - one, one], axis=2), y


def test_counts_are_of_at_most_25_draws() -> None:
    predictions, y = noisy_models(8)
    assert 1 <= select(predictions, y, accuracy(y)).sum() <= ROUNDS


def test_the_ensemble_is_never_worse_than_the_best_model() -> None:
    for seed in range(5):
        predictions, y = noisy_models(6, seed=seed)
        score = accuracy(y)
        best = max(score(p) for p in predictions)
        assert score(blend(predictions, select(predictions, y, score))) >= best


def test_models_that_err_apart_are_mixed() -> None:
    predictions, y = noisy_models(8)
    counts = select(predictions, y, accuracy(y))
    assert np.count_nonzero(counts) > 1


def test_a_perfect_model_stays_alone() -> None:
    perfect = proba([0.0, 1.0, 0.0, 1.0, 1.0, 0.0])
    wrong = proba([1.0, 0.0, 1.0, 0.0, 0.0, 1.0])
    counts = select(np.stack([wrong, perfect]), Y, accuracy(Y))
    assert counts[0] == 0


def test_equal_scores_are_decided_by_the_loss() -> None:
    sure = proba([0.1, 0.9, 0.1, 0.9, 0.9, 0.1])
    shy = proba([0.4, 0.6, 0.4, 0.6, 0.6, 0.4])
    counts = select(np.stack([shy, sure]), Y, accuracy(Y))
    assert counts.argmax() == 1
    assert counts[0] == 0


def test_members_are_limited() -> None:
    predictions, y = noisy_models(10)
    counts = select(predictions, y, accuracy(y), max_members=2)
    assert np.count_nonzero(counts) <= 2


def test_an_undefined_score_still_gives_an_ensemble() -> None:
    predictions, y = noisy_models(3)
    assert select(predictions, y, lambda _p: -np.inf).sum() >= 1


def test_numbers_are_mixed_by_squared_error() -> None:
    y = np.array([1.0, 2.0, 3.0])
    predictions = np.stack([y - 1, y + 1, y + 9])
    counts, loss = select_by_loss(relevant_part(predictions, y), y, is_proba=False)
    assert counts.tolist() == [1, 1, 0]
    assert loss == pytest.approx(0.0)


def test_selection_by_loss_beats_the_best_model() -> None:
    predictions, y = noisy_models(8)
    relevant = relevant_part(predictions, y)
    counts, loss = select_by_loss(relevant, y, is_proba=True)
    assert loss < (-np.log(relevant)).mean(axis=1).min()
    mean = relevant_part(blend(predictions, counts)[np.newaxis], y)
    assert (-np.log(mean)).mean() == pytest.approx(loss)


def test_the_relevant_part_is_the_true_class() -> None:
    predictions = proba([0.2, 0.7, 0.2, 0.7, 0.7, 0.2])[np.newaxis]
    np.testing.assert_allclose(relevant_part(predictions, Y), [[0.8, 0.7, 0.8, 0.7, 0.7, 0.8]])
