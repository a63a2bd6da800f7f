"""Weighted means of fitted models."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from nbautoml.runtime.pipeline import ModelPipeline
from nbautoml.runtime.voting import (
    PreFittedSoftVotingClassifier,
    PreFittedSoftVotingRegressor,
    geometric_mean,
)

RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.normal(size=(50, 2)), columns=["a", "b"])
LABELS = np.array(["no", "yes"])


def member(column: str) -> ModelPipeline:
    codes = (X[column] > 0).astype(int)
    return ModelPipeline([("model", LogisticRegression().fit(X, codes))], classes=LABELS)


MEMBERS = [("0", member("a")), ("4", member("b"))]


def test_probabilities_are_the_weighted_mean() -> None:
    voting = PreFittedSoftVotingClassifier(MEMBERS, [0.75, 0.25], LABELS)
    first, second = (m.predict_proba(X) for _, m in MEMBERS)
    np.testing.assert_allclose(voting.predict_proba(X), 0.75 * first + 0.25 * second)


def test_probabilities_may_be_joined_by_their_geometric_mean() -> None:
    voting = PreFittedSoftVotingClassifier(MEMBERS, [0.75, 0.25], LABELS, is_geometric=True)
    first, second = (m.predict_proba(X) for _, m in MEMBERS)
    found = voting.predict_proba(X)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    odds = (first[:, 1] / first[:, 0]) ** 0.75 * (second[:, 1] / second[:, 0]) ** 0.25
    np.testing.assert_allclose(found[:, 1] / found[:, 0], odds)
    assert pickle.loads(pickle.dumps(voting)).is_geometric


def test_powers_above_one_make_a_geometric_mean_more_certain() -> None:
    one = np.array([[0.6, 0.4]])
    np.testing.assert_allclose(geometric_mean([one, one], [0.5, 0.5]), one)
    sharp = geometric_mean([one, one], [1.0, 0.5])
    np.testing.assert_allclose(sharp[0, 0] / sharp[0, 1], 1.5**1.5)


def test_no_member_rules_a_class_out_alone() -> None:
    joined = geometric_mean([np.array([[1.0, 0.0]]), np.array([[0.2, 0.8]])], [0.5, 0.5])
    assert 0.005 < joined[0, 1] < 0.05


def test_answers_are_labels_in_the_order_of_classes_() -> None:
    voting = PreFittedSoftVotingClassifier(MEMBERS, [0.9, 0.1], LABELS)
    assert voting.classes_.tolist() == ["no", "yes"]
    expected = LABELS[voting.predict_proba(X).argmax(axis=1)]
    np.testing.assert_array_equal(voting.predict(X), expected)
    assert np.mean(voting.predict(X) == LABELS[(X["a"] > 0).astype(int)]) > 0.9


def test_numbers_are_the_weighted_mean() -> None:
    up = ModelPipeline([("model", LinearRegression().fit(X, X["a"]))])
    down = ModelPipeline([("model", LinearRegression().fit(X, -X["a"]))])
    voting = PreFittedSoftVotingRegressor([("0", up), ("1", down)], [0.8, 0.2])
    np.testing.assert_allclose(voting.predict(X), 0.6 * X["a"])


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_estimators_and_weights_can_be_read(kind: str) -> None:
    if kind == "classifier":
        voting: object = PreFittedSoftVotingClassifier(MEMBERS, [0.5, 0.5], LABELS)
    else:
        voting = PreFittedSoftVotingRegressor(MEMBERS, [0.5, 0.5])
    params = voting.get_params(deep=False)  # type: ignore[attr-defined] # of BaseEstimator
    assert [name for name, _ in params["estimators"]] == ["0", "4"]
    assert params["weights"] == [0.5, 0.5]


def test_it_pickles() -> None:
    voting = PreFittedSoftVotingClassifier(MEMBERS, [0.5, 0.5], LABELS)
    again = pickle.loads(pickle.dumps(voting))
    np.testing.assert_array_equal(again.predict_proba(X), voting.predict_proba(X))
