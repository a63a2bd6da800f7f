"""LightGBM's trees asked in a faster way: the same answers, or none of it."""

from __future__ import annotations

import copy
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pytest
from sklearn.ensemble import VotingRegressor

from nbautoml.serving import trees
from nbautoml.serving.small_trees import MOST_QUESTIONS, SmallTrees
from nbautoml.serving.trees import FEWEST_ROWS, FasterBooster, hasten

N_ROWS = 400


def rows(seed: int = 0, *, with_missing: bool = True) -> npt.NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N_ROWS, 5)).round(1)
    if with_missing:
        X[rng.random(X.shape) < 0.1] = np.nan
    return X


def numbers(X: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    known = np.nan_to_num(X)
    return np.asarray(known[:, 0] * known[:, 1] + np.sin(known[:, 2]) + 3)


def fitted(
    objective: str, n_leaves: int = 6, *, with_missing: bool = True, **params: Any
) -> lgb.LGBMModel:
    X = rows(with_missing=with_missing)
    y = numbers(X)
    settings = {"n_estimators": 12, "num_leaves": n_leaves, "verbose": -1, "n_jobs": 1, **params}
    if objective == "binary":
        return lgb.LGBMClassifier(**settings).fit(X, y > 3)
    if objective == "multiclass":
        return lgb.LGBMClassifier(**settings).fit(X, np.digitize(y, [2.5, 3.5]))
    return lgb.LGBMRegressor(objective=objective, **settings).fit(X, np.abs(y))


def answers(model: Any, X: npt.NDArray[Any]) -> npt.NDArray[Any]:
    method = "predict_proba" if hasattr(model, "predict_proba") else "predict"
    return np.asarray(getattr(model, method)(X))


OBJECTIVES = (
    "regression", "regression_l1", "huber", "quantile", "mape", "poisson", "gamma", "tweedie",
    "binary", "multiclass",
)  # fmt: skip


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("with_missing", [True, False])
def test_small_trees_say_the_same_bit_by_bit(objective: str, with_missing: bool) -> None:
    model = fitted(objective, with_missing=with_missing)
    faster = copy.deepcopy(model)
    assert hasten(faster) == 1
    assert isinstance(faster._Booster, FasterBooster)
    for X in (rows(1), rows(1).astype(np.float32), rows(1, with_missing=False)):
        assert np.array_equal(answers(model, X), answers(faster, X))


def test_the_booster_is_not_asked_any_more() -> None:
    model = fitted("regression")
    hasten(model)
    asked: list[int] = []
    ask = model._Booster._margins
    model._Booster._margins = lambda X: (asked.append(len(X)), ask(X))[1]
    model.predict(rows(2))
    assert asked == [N_ROWS]


@pytest.mark.parametrize("objective", ["regression", "binary", "multiclass"])
def test_larger_trees_say_the_same_bit_by_bit(objective: str) -> None:
    pytest.importorskip("onnxruntime")
    model = fitted(objective, MOST_QUESTIONS + 12, min_child_samples=5)
    faster = copy.deepcopy(model)
    assert hasten(faster) == 1
    assert np.array_equal(answers(model, rows(1)), answers(faster, rows(1)))


def test_without_onnxruntime_larger_trees_stay_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trees, "find_spec", lambda _name: None)
    model = fitted("regression", MOST_QUESTIONS + 12, min_child_samples=5)
    assert hasten(model) == 0
    assert isinstance(model._Booster, lgb.Booster)


def test_categories_of_a_small_tree_are_no_table() -> None:
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 6, N_ROWS), rng.normal(size=N_ROWS)])
    model = lgb.LGBMRegressor(n_estimators=5, num_leaves=5, verbose=-1, min_data_per_group=5)
    model.fit(X, np.isin(X[:, 0], [1, 4]) * 3.0 + X[:, 1], categorical_feature=[0])
    with pytest.raises(ValueError, match="more than whether a number"):
        SmallTrees(model.booster_.dump_model())
    faster = copy.deepcopy(model)
    hasten(faster)  # by onnxruntime, where it is
    assert np.array_equal(model.predict(X), faster.predict(X))


def test_all_fits_of_a_model_are_found_at_any_depth() -> None:
    X = rows(with_missing=False)
    vote = VotingRegressor(
        [(str(n), lgb.LGBMRegressor(n_estimators=3 + n, num_leaves=4, verbose=-1)) for n in (0, 1)]
    ).fit(X, numbers(X))
    plain = copy.deepcopy(vote)
    assert hasten(vote) == 2
    assert np.array_equal(plain.predict(X), vote.predict(X))


def test_what_is_not_usual_is_asked_of_the_booster() -> None:
    model = fitted("regression")
    faster = copy.deepcopy(model)
    hasten(faster)
    X = rows(3)
    for params in ({"pred_contrib": True}, {"raw_score": True}, {"num_iteration": 4}):
        assert np.array_equal(model.predict(X, **params), faster.predict(X, **params))
    few = X[: FEWEST_ROWS - 1]
    assert np.array_equal(model.predict(few), faster.predict(few))
    assert faster.booster_.num_trees() == 12


def test_a_model_that_would_answer_otherwise_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    own = SmallTrees.margins
    monkeypatch.setattr(SmallTrees, "margins", lambda self, X: own(self, X) + 1e-12)
    model = fitted("regression")
    assert hasten(model) == 0
    assert isinstance(model._Booster, lgb.Booster)


def test_trees_with_lines_in_their_leaves_stay_or_say_the_same() -> None:
    X = rows(with_missing=False)
    model = lgb.LGBMRegressor(n_estimators=5, num_leaves=4, verbose=-1, linear_tree=True)
    model.fit(X, numbers(X))
    faster = copy.deepcopy(model)
    hasten(faster)
    assert np.array_equal(model.predict(X), faster.predict(X))


def test_a_model_without_a_question_stays() -> None:
    model = fitted("regression", min_child_samples=10_000)
    expected = model.predict(rows(1))
    hasten(model)
    assert np.array_equal(expected, model.predict(rows(1)))


def test_time_is_not_spent_on_many_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "MOST_SECONDS", 0.0)
    assert hasten(fitted("regression")) == 0


@pytest.mark.parametrize("n_rows", [2, 3, 17, N_ROWS])
def test_rows_are_looked_at_in_parts_of_any_size(
    n_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nbautoml.serving.small_trees.MOST_CELLS", 50)
    booster = fitted("multiclass").booster_
    X = rows(4)[:n_rows]
    expected = booster.predict(X, raw_score=True)
    assert np.array_equal(expected, SmallTrees(booster.dump_model()).margins(X))


@pytest.mark.parametrize("objective", ["binary", "poisson", "multiclass"])
def test_sums_of_any_size_become_answers_as_in_lightgbm(objective: str) -> None:
    finish = trees._FINISHES[objective]
    margins = np.array([[-800.0, 3.0, 0.5], [800.0, -1.0, 2.0], [0.25, 0.25, 0.25]])
    found = finish(margins)
    assert np.isfinite(found[2]).all()
    if objective == "multiclass":
        assert found.sum(axis=1) == pytest.approx(1.0)
    else:
        assert found[0] == pytest.approx(0.0, abs=1e-300)
        assert found[1] == (1.0 if objective == "binary" else np.inf)
