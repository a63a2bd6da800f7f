from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.automl.scoring import (
    METRICS,
    BadPredictionsError,
    constant_scores,
    score_all,
)


def test_binary_scores_take_the_later_class_as_positive() -> None:
    truth = pd.Series(["no", "yes", "no", "yes"])
    proba = pd.DataFrame({"yes": [0.1, 0.9, 0.6, 0.8], "no": [0.9, 0.1, 0.4, 0.2]})

    found = score_all("binary", truth, proba)

    assert found["auc"] == pytest.approx(1.0)
    assert found["accuracy"] == pytest.approx(0.75)
    expected = -np.log([0.9, 0.9, 0.4, 0.8]).mean()
    assert found["log_loss"] == pytest.approx(expected)


def test_whole_numbers_and_texts_name_the_same_class() -> None:
    truth = pd.Series([0, 1, 1])
    proba = pd.DataFrame({"0": [1.0, 0.2, 0.1], "1": [0.0, 0.8, 0.9]})

    assert score_all("binary", truth, proba)["auc"] == pytest.approx(1.0)


def test_a_class_that_a_system_has_not_seen_is_no_failure() -> None:
    truth = pd.Series(["a", "b", "c"])
    proba = pd.DataFrame({"a": [0.9, 0.1, 0.5], "b": [0.1, 0.9, 0.5]})

    found = score_all("multiclass", truth, proba)

    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["log_loss"] == pytest.approx((-2 * np.log(0.9) - np.log(1e-15)) / 3, rel=1e-6)


def test_regression_scores() -> None:
    found = score_all(
        "regression", pd.Series([1.0, 2.0, 3.0]), pd.DataFrame({"prediction": [1.0, 2.0, 6.0]})
    )

    assert found["rmse"] == pytest.approx(np.sqrt(3.0))
    assert found["mae"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("task", "predictions", "message"),
    [
        ("binary", {"a": [0.5], "b": [0.5]}, "1 predictions for 2 test rows"),
        ("binary", {"a": [0.5, np.nan], "b": [0.5, 0.5]}, "1 probabilities are not finite"),
        ("binary", {"a": [0.5, 0.5], "b": [0.5, 0.9]}, "sum to between 1 and 1.4"),
        ("binary", {"a": [0.5, 0.5], "c": [0.5, 0.5]}, "two classes expected"),
        ("regression", {"value": [1.0, 2.0]}, "no column 'prediction'"),
        ("regression", {"prediction": [1.0, np.inf]}, "1 predictions are not finite"),
    ],
)
def test_predictions_that_cannot_be_scored_are_refused(
    task: str, predictions: dict[str, list[float]], message: str
) -> None:
    truth = pd.Series([1.0, 2.0]) if task == "regression" else pd.Series(["a", "b"])

    with pytest.raises(BadPredictionsError, match=message):
        score_all(task, truth, pd.DataFrame(predictions))


def test_the_constant_predictor_knows_shares_and_the_median() -> None:
    classes = constant_scores("binary", pd.Series([0, 0, 0, 1]), pd.Series([0, 1]))
    numbers = constant_scores("regression", pd.Series([1.0, 2.0, 90.0]), pd.Series([2.0, 4.0]))

    assert classes["auc"] == pytest.approx(0.5)
    assert classes["log_loss"] == pytest.approx(-(np.log(0.75) + np.log(0.25)) / 2)
    assert numbers["rmse"] == pytest.approx(np.sqrt(2.0))


def test_loss_turns_gains_around() -> None:
    assert METRICS["auc"].loss(0.9) == pytest.approx(0.1)
    assert METRICS["rmse"].loss(3.0) == 3.0
