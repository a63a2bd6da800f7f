"""A test of a fitted model: what is predicted, scored and told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nbautoml.domain.metrics import metrics_for
from nbautoml.domain.tasks import Task
from nbautoml.engine.model_test import ModelTest, Scoring, run_test
from nbautoml.engine.target import TargetEncoding
from nbautoml.engine.trial_data import DataSpec
from nbautoml.errors import DatasetError


class Model:
    """Answers with the columns it is given: probabilities of no and yes, or numbers."""

    classes_ = np.array(["no", "yes"])

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        return X["p"].to_numpy()

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        assert "label" not in X.columns
        return np.column_stack([1 - X["p"], X["p"]])


def scoring(task: Task = Task.CLASSIFICATION) -> Scoring:
    labels = ["no", "yes", "no"] if task is Task.CLASSIFICATION else [0.0, 10.0]
    encoding = TargetEncoding.fit(labels, task)
    spec = DataSpec(
        task=task,
        primary_metric="accuracy",
        n_classes=encoding.n_classes,
        y_min=encoding.y_min,
        y_max=encoding.y_max,
        n_folds=3,
    )
    return Scoring(encoding=encoding, spec=spec)


def frame(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"p": [0.9, 0.2, 0.6, 0.4]} | columns)


def run(data: pd.DataFrame, task: Task = Task.CLASSIFICATION, **more: object) -> ModelTest:
    return run_test(Model(), data, "label", scoring(task), **more)


def test_classes_are_scored_and_told_as_documented() -> None:
    found = run(frame(label=["yes", "no", "no", "no"]))
    assert list(found.predictions.columns) == [
        "label_orig",
        "label_predicted",
        "no_predicted_proba",
        "yes_predicted_proba",
        "p_orig",
    ]
    assert found.predictions["label_predicted"].tolist() == ["yes", "no", "yes", "no"]
    assert found.metrics["accuracy"] == 0.75
    assert set(found.metrics) == {m.name for m in metrics_for(Task.CLASSIFICATION)}
    assert found.charts["confusion_matrix"]["data"]["matrix"] == [[2, 1], [0, 1]]
    assert (found.n_scored, found.n_unknown) == (4, 0)


def test_numbers_are_scored_over_the_range_of_the_training_labels() -> None:
    found = run(frame(label=[1.9, 1.2, 1.6, 1.4]), Task.REGRESSION)
    assert list(found.predictions.columns) == ["label_orig", "label_predicted", "p_orig"]
    assert found.metrics["normalized_root_mean_squared_error"] == pytest.approx(0.1)
    assert set(found.charts) == {"residuals", "predicted_true"}


def test_rows_without_a_label_are_predicted_only() -> None:
    found = run(frame(label=["yes", None, "yes", None]))
    assert found.n_scored == 2
    assert found.metrics["accuracy"] == 1.0
    assert len(found.predictions) == 4


@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
def test_without_any_label_nothing_is_scored(task: Task) -> None:
    for data in (frame(), frame(label=[None] * 4)):
        found = run(data, task)
        assert (found.metrics, found.charts, found.n_scored) == ({}, {}, 0)
        assert len(found.predictions) == 4
    assert "label_orig" not in run(frame(), task).predictions.columns


def test_a_class_that_is_new_counts_as_a_mistake() -> None:
    found = run(frame(label=["yes", "no", "maybe", "never"]))
    assert found.n_unknown == 2
    assert found.metrics["accuracy"] == 0.5
    assert found.charts["confusion_matrix"]["data"]["class_labels"] == [
        "no",
        "yes",
        "maybe",
        "never",
    ]


def test_rows_count_by_their_weight() -> None:
    data = frame(label=["yes", "no", "no", "no"], w=[1.0, 1.0, 6.0, 2.0])
    found = run(data, weight_column="w")
    assert found.metrics["accuracy"] == pytest.approx(0.4)
    data["w"] = [1.0, 1.0, 0.0, 2.0]
    assert run(data, weight_column="w").metrics["accuracy"] == 1.0


def test_wrong_weights_are_refused() -> None:
    with pytest.raises(DatasetError, match="weight_column_name: column 'w'"):
        run(frame(label=["yes"] * 4, w=[1, 1, -1, 1]), weight_column="w")


def test_labels_and_features_can_be_left_out() -> None:
    found = run(frame(label=["yes", "no", "no", "no"]), only_predictions=True)
    assert list(found.predictions.columns) == [
        "label_predicted",
        "no_predicted_proba",
        "yes_predicted_proba",
    ]
    assert found.metrics["accuracy"] == 0.75


def test_what_has_no_meaning_for_the_rows_is_none() -> None:
    found = run(frame(label=["yes"] * 4))
    assert found.metrics["AUC_weighted"] is None
