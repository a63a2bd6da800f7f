"""Whole runs in one process with weights, groups, given splits and a chosen number of folds."""

from __future__ import annotations

import json
import pickle
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes

from nbautoml.domain import events as ev
from nbautoml.domain.tasks import Task
from nbautoml.engine.finder import Found, find_model
from nbautoml.engine.metrics import score_primary
from nbautoml.engine.plan import Limits, SearchPlan
from nbautoml.engine.validation import ValidationOptions, read_splits
from nbautoml.errors import DatasetError
from nbautoml.testing.executor import (
    FolderArtifacts,
    InProcessExecutor,
    MemoryEvents,
    ScriptedControl,
)
from nbautoml.testing.fast_family import FAST_FAMILY

FOLDS = ValidationOptions(n_cross_validations=3)


class Run:
    """A run of three iterations and all that came of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events = MemoryEvents()
        self.artifacts = FolderArtifacts(folder / "artifacts")

    def __call__(self, frame: pd.DataFrame, plan: SearchPlan) -> Found:
        executor = InProcessExecutor()
        try:
            return find_model(
                frame,
                "label",
                plan,
                executor=executor,
                events=self.events,
                artifacts=self.artifacts,
                control=ScriptedControl(),
                scratch=self.folder / "scratch",
                clock=time.time,
            )
        finally:
            executor.close()

    def of(self, kind: type) -> list:
        return [event for event in self.events.events if isinstance(event, kind)]

    def finished(self) -> list[ev.TrialFinished]:
        return sorted(self.of(ev.TrialFinished), key=lambda event: event.number)

    def oof(self, number: int) -> np.ndarray:
        return np.load(self.artifacts.local_path(number, "internal/oof_predictions.npy"))

    def folds(self) -> list[tuple[np.ndarray, np.ndarray]]:
        data = self.folder / "scratch" / "data"
        n_folds = json.loads((data / "spec.json").read_text())["n_folds"]
        return [
            (np.load(data / f"train{i}.npy"), np.load(data / f"valid{i}.npy"))
            for i in range(n_folds)
        ]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def make_plan(task: Task = Task.CLASSIFICATION, **settings: object) -> SearchPlan:
    metric = "accuracy" if task is Task.CLASSIFICATION else "normalized_root_mean_squared_error"
    linear = "LogisticRegression" if task is Task.CLASSIFICATION else "ElasticNet"
    values = {"limits": Limits(max_iterations=3), "validation": FOLDS, **settings}
    return SearchPlan(task=task, primary_metric=metric, models=(linear, FAST_FAMILY), **values)


def cancer(n_rows: int = 150) -> pd.DataFrame:
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    frame = X.iloc[:, :6].assign(label=np.where(y == 1, "benign", "malignant"))
    return frame.sample(n_rows, random_state=0).reset_index(drop=True)


def diabetes() -> pd.DataFrame:
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    return X.assign(label=y).iloc[:150]


@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
def test_scores_of_trials_and_ensemble_are_weighted(run: Run, task: Task) -> None:
    frame = cancer() if task is Task.CLASSIFICATION else diabetes()
    weight = np.random.default_rng(0).uniform(0.01, 10.0, len(frame))
    plan = make_plan(task, weight_column="w")
    run(frame.assign(w=weight), plan)
    labels = frame["label"].to_numpy()
    is_class = task is Task.CLASSIFICATION
    y = np.searchsorted(np.unique(labels), labels) if is_class else labels
    for event in run.finished():
        predictions = run.oof(event.number)
        scores = [
            score_primary(
                plan.primary_metric,
                y[valid],
                predictions[valid],
                n_classes=2,
                y_min=y.min(),
                y_max=y.max(),
                sample_weight=weight[valid],
            )
            for _, valid in run.folds()
        ]
        assert event.score == pytest.approx(np.mean(scores), rel=1e-5), event.family
    assert any(event.is_ensemble for event in run.finished())


def test_a_constant_answer_is_weighted_too(run: Run) -> None:
    frame = cancer()
    weight = np.where(frame["label"] == "benign", 0.1, 10.0)
    plan = make_plan(weight_column="w", limits=Limits(timeout_seconds=0.0))
    found = run(frame.assign(w=weight), plan)
    model = pickle.loads(run.artifacts.local_path(found.best, "outputs/model.pkl").read_bytes())
    assert set(model.predict(frame.drop(columns="label"))) == {"malignant"}
    assert found.score is not None and found.score > 0.9


def test_other_weights_are_other_trials(tmp_path: Path) -> None:
    keys = []
    for name, column in (("a", np.ones(150)), ("b", np.arange(1.0, 151.0))):
        one = Run(tmp_path / name)
        one(
            cancer().assign(w=column), make_plan(weight_column="w", limits=Limits(max_iterations=1))
        )
        keys.append(one.finished()[0].key)
    assert keys[0] != keys[1]


def test_the_model_does_not_need_columns_that_are_no_features(run: Run) -> None:
    frame = cancer()
    group = np.arange(len(frame)) % 20
    options = ValidationOptions(n_cross_validations=3, group_column="g")
    found = run(frame.assign(w=1.0, g=group), make_plan(weight_column="w", validation=options))
    model = pickle.loads(run.artifacts.local_path(found.best, "outputs/model.pkl").read_bytes())
    assert len(model.predict(frame.drop(columns="label"))) == len(frame)
    for train, valid in run.folds():
        assert not set(group[train]) & set(group[valid])


def test_split_columns_are_the_folds(run: Run) -> None:
    frame = cancer()
    marks = {f"cv{i}": (np.arange(len(frame)) % 5 != i).astype(int) for i in range(2)}
    options = ValidationOptions(cv_split_columns=("cv0", "cv1"))
    run(frame.assign(**marks), make_plan(validation=options))
    assert [valid.tolist() for _, valid in run.folds()] == [
        np.flatnonzero(column == 0).tolist() for column in marks.values()
    ]
    assert {event.folds_done for event in run.finished()} == {2}
    (described,) = run.of(ev.DataDescribed)
    assert (described.n_columns, described.n_folds) == (6, 2)
    assert described.validation == "2 splits as given; 60 of 150 rows validate."


def test_given_rows_that_overlap_are_scored_by_their_mean(run: Run) -> None:
    rows = np.arange(150)
    splits = read_splits([[rows[50:], rows[:50]], [rows[:100], rows[100:]], [rows[60:], rows[:60]]])
    run(cancer(), make_plan(validation=ValidationOptions(cv_splits=splits)))
    assert len(run.oof(0)) == 110
    assert len(run.finished()) == 3


def test_auto_follows_the_time_of_the_run(tmp_path: Path) -> None:
    n_folds = {}
    for budget in (None, 1e-3):
        one = Run(tmp_path / str(budget))
        options = ValidationOptions(is_auto=True, budget_seconds=budget)
        one(cancer(), make_plan(validation=options, limits=Limits(max_iterations=1)))
        n_folds[budget] = len(one.folds())
    assert n_folds == {None: 5, 1e-3: 1}


def test_weightless_rows_are_reported(run: Run) -> None:
    weight = np.where(np.arange(150) < 30, 0.0, 1.0)
    run(cancer().assign(w=weight), make_plan(weight_column="w"))
    reports = {event.name: event for event in run.of(ev.GuardrailReported)}
    assert "30 rows of weight 0 left out" in reports["Dropped columns and rows"].description
    assert run.of(ev.DataDescribed)[0].n_rows == 120


def test_missing_labels_end_a_run_that_must_not_leave_them_out(run: Run) -> None:
    frame = cancer()
    frame.loc[:6, "label"] = None
    with pytest.raises(DatasetError, match="7 of 150 rows have no label"):
        run(frame, make_plan(exclude_nan_labels=False))
