"""Whole AutoML runs with weights, given splits, groups and a test of the best model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes

from nbautoml import AutoMLConfig, AutoMLRun, Dataset, Experiment, Run, Workspace
from nbautoml.domain.events import DataDescribed
from nbautoml.domain.metrics import metrics_for
from nbautoml.domain.tasks import Task
from nbautoml.engine.metrics import score_classification, score_primary
from nbautoml.errors import DatasetError

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    workspace = Workspace.create("w", path=tmp_path_factory.mktemp("workspace"))
    yield workspace
    for name in workspace.experiments:
        for run in workspace.experiments[name].get_runs():
            run.cancel()
            run.wait_for_completion(raise_on_error=False)
    workspace.session.close()


def cancer() -> pd.DataFrame:
    frame: pd.DataFrame = load_breast_cancer(as_frame=True).frame.iloc[:300]
    return frame.assign(target=frame["target"].map({0: "malignant", 1: "benign"}))


def do(workspace: Workspace, name: str, frame: pd.DataFrame, **settings: object) -> AutoMLRun:
    usual = {"task": "classification", "label_column_name": "target", "iterations": 3}
    values = usual | {"model_explainability": False} | settings
    config = AutoMLConfig(training_data=frame, **values)
    run = Experiment(workspace, name).submit(config)
    assert isinstance(run, AutoMLRun)
    run.wait_for_completion(wait_post_processing=True)
    return run


def described(run: AutoMLRun) -> DataDescribed:
    with run.session.read() as tx:
        records = tx.events.read(run.id)
    return next(r.event for r in records if isinstance(r.event, DataDescribed))


def oof(run: AutoMLRun, folder: Path, number: int) -> np.ndarray:
    path = folder / f"{number}.npy"
    Run(run.experiment, f"{run.id}_{number}").download_file("internal/oof_predictions.npy", path)
    return np.load(path)


def test_weights_count_in_every_score(workspace: Workspace, tmp_path: Path) -> None:
    weight = np.where(np.arange(300) % 3 == 0, 5.0, 0.5)
    frame = cancer().assign(weight=weight)
    splits = [[np.arange(0, 200), np.arange(200, 300)]]
    run = do(workspace, "weights", frame, weight_column_name="weight", cv_splits_indices=splits)
    y = (frame["target"] == "malignant").to_numpy().astype(int)[200:]
    for child in run.get_children():
        expected = score_classification(
            y, oof(run, tmp_path, child.number or 0), 2, sample_weight=weight[200:]
        )
        found = child.get_metrics()
        for name, value in expected.items():
            assert found[name] == pytest.approx(value, rel=1e-4, abs=1e-6, nan_ok=True), name
    _, model = run.get_output()
    assert len(model.predict(cancer().drop(columns="target"))) == 300
    child = run.get_best_child()
    child.download_file("outputs/schema.json", tmp_path / "schema.json")
    assert "weight" not in (tmp_path / "schema.json").read_text()


def test_split_columns_are_the_folds(workspace: Workspace, tmp_path: Path) -> None:
    marks = {f"cv {i}": (np.arange(300) % 4 != i).astype(int) for i in range(2)}
    run = do(workspace, "columns", cancer().assign(**marks), cv_split_column_names=list(marks))
    assert described(run).n_folds == 2
    assert len(oof(run, tmp_path, 0)) == 150
    _, model = run.get_output()
    assert len(model.predict(cancer().drop(columns="target"))) == 300


def test_groups_are_not_split(workspace: Workspace) -> None:
    """The label is that of the group: only a split through groups could tell it."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(40), 8)
    frame = pd.DataFrame(rng.normal(size=(40, 4))[group], columns=list("abcd"))
    frame = frame.assign(target=rng.integers(0, 2, 40)[group], group=group)
    apart = do(workspace, "groups", frame, n_cross_validations=4, group_column_name="group")
    mixed = do(workspace, "mixed", frame.drop(columns="group"), n_cross_validations=4)
    scores = [run.get_best_child().get_metrics()["accuracy"] for run in (apart, mixed)]
    assert scores[0] < 0.75
    assert scores[1] > 0.9
    assert "40 groups kept together" in described(apart).validation


@pytest.fixture(scope="module")
def tested(workspace: Workspace) -> AutoMLRun:
    return do(workspace, "test", cancer(), test_size=0.2, n_cross_validations=3)


def test_the_best_model_is_tested_in_a_run_of_its_own(tested: AutoMLRun) -> None:
    best = tested.get_best_child()
    (test,) = best.get_children(type="automl.model_test")
    assert test.get_status() == "Completed"
    assert test.parent is not None and test.parent.id == best.id
    assert "scored 60" in test.get_details()["message"]
    metrics = test.get_metrics()
    assert set(metrics) == {spec.name for spec in metrics_for(Task.CLASSIFICATION)}
    assert metrics["accuracy"] > 0.85
    assert {"confusion_matrix", "accuracy_table"} <= set(test.get_file_names())


def test_predictions_have_the_documented_columns(tested: AutoMLRun, tmp_path: Path) -> None:
    (test,) = tested.get_best_child().get_children(type="automl.model_test")
    test.download_file("predictions/predictions.csv", tmp_path / "predictions.csv")
    found = pd.read_csv(tmp_path / "predictions.csv")
    features = [f"{name}_orig" for name in cancer().columns[:-1]]
    assert list(found.columns) == [
        "target_orig",
        "target_predicted",
        "benign_predicted_proba",
        "malignant_predicted_proba",
        *features,
    ]
    assert len(found) == 60
    is_right = found["target_orig"] == found["target_predicted"]
    assert is_right.mean() == pytest.approx(test.get_metrics()["accuracy"])
    assert found["target_orig"].value_counts()["malignant"] == round(
        60 * (cancer()["target"] == "malignant").mean()
    )
    dataset_id = test.get_details()["outputDatasets"][0]["identifier"]["savedId"]
    workspace = tested.experiment.workspace
    kept = Dataset.get_by_id(workspace, dataset_id).to_pandas_dataframe()
    assert kept["target_predicted"].tolist() == found["target_predicted"].tolist()


def test_test_rows_take_no_part_in_the_run(tested: AutoMLRun, tmp_path: Path) -> None:
    assert described(tested).n_rows == 240
    assert len(oof(tested, tmp_path, 0)) == 240


def test_test_data_of_its_own_is_scored_by_weight(workspace: Workspace, tmp_path: Path) -> None:
    frame = load_diabetes(as_frame=True).frame.iloc[:200]
    frame = frame.assign(w=np.arange(200) % 5 + 1.0)
    run = do(
        workspace,
        "test-data",
        frame.iloc[:150],
        task="regression",
        test_data=frame.iloc[150:],
        weight_column_name="w",
        test_include_predictions_only=True,
        n_cross_validations=3,
    )
    (test,) = run.get_best_child().get_children(type="automl.model_test")
    test.download_file("predictions/predictions.csv", tmp_path / "predictions.csv")
    found = pd.read_csv(tmp_path / "predictions.csv")
    assert list(found.columns) == ["target_predicted"]
    expected = score_primary(
        "root_mean_squared_error",
        frame["target"].iloc[150:],
        found["target_predicted"],
        y_min=0.0,
        y_max=1.0,
        sample_weight=frame["w"].iloc[150:],
    )
    assert test.get_metrics()["root_mean_squared_error"] == pytest.approx(expected)


def test_positions_behind_the_data_are_refused_at_once(workspace: Workspace) -> None:
    with pytest.raises(DatasetError, match="names row 300, but the training data has 300 rows"):
        do(workspace, "wrong", cancer(), cv_splits_indices=[[np.arange(200), [300]]])
    assert not list(Experiment(workspace, "wrong").get_runs())
