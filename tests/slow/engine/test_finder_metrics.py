"""What whole runs in one process report: metrics of a class, weighted charts."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk
from sklearn.datasets import load_diabetes, load_iris

from nbautoml.domain import events as ev
from nbautoml.domain.metrics import METRICS, metrics_for
from nbautoml.domain.tasks import Task
from nbautoml.engine.finder import Found, find_model
from nbautoml.engine.plan import Limits, SearchPlan
from nbautoml.engine.validation import ValidationOptions
from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.testing.executor import (
    FolderArtifacts,
    InProcessExecutor,
    MemoryEvents,
    ScriptedControl,
)
from nbautoml.testing.fast_family import FAST_FAMILY

N_TRIALS = 3
CLASSES = SearchPlan(
    task=Task.CLASSIFICATION,
    primary_metric="AUC_weighted",
    models=("LogisticRegression", FAST_FAMILY),
    validation=ValidationOptions(n_cross_validations=3),
    limits=Limits(max_iterations=N_TRIALS, max_concurrent=2, enable_early_stopping=False),
)
NUMBERS = replace(
    CLASSES, task=Task.REGRESSION, primary_metric="r2_score", models=("ElasticNet", FAST_FAMILY)
)

NOT_PRIMARY = [
    pytest.param(task, spec.name, id=spec.name)
    for task in (Task.CLASSIFICATION, Task.REGRESSION)
    for spec in metrics_for(task, has_positive=True)
    if not spec.is_primary
]


class Run:
    """A run and all that came of it."""

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

    @property
    def finished(self) -> list[ev.TrialFinished]:
        found = [e for e in self.events.events if isinstance(e, ev.TrialFinished)]
        return sorted(found, key=lambda event: event.number)

    def path(self, number: int | None, name: str) -> Path:
        return self.artifacts.local_path(number, name)

    def json(self, number: int | None, name: str) -> dict[str, Any]:
        return json.loads(self.path(number, name).read_text())


def iris() -> pd.DataFrame:
    X, y = load_iris(return_X_y=True, as_frame=True)
    noisy = X + np.random.default_rng(0).normal(size=X.shape)
    weight = np.where(np.arange(len(y)) % 3, 1.0, 2.5)
    return noisy.assign(label=[f"kind {code}" for code in y], weight=weight)


def diabetes() -> pd.DataFrame:
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    weight = np.where(np.arange(len(y)) % 3, 1.0, 2.5)
    return X.assign(label=y, weight=weight).iloc[:200]


@pytest.fixture(scope="module")
def classified(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = Run(tmp_path_factory.mktemp("classes"))
    run(iris(), replace(CLASSES, positive_label="kind 2", weight_column="weight"))
    return run


@pytest.fixture(scope="module")
def regressed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = Run(tmp_path_factory.mktemp("numbers"))
    run(diabetes(), replace(NUMBERS, weight_column="weight"))
    return run


def test_every_trial_reports_the_positive_class(classified: Run) -> None:
    expected = {m.name for m in metrics_for(Task.CLASSIFICATION, has_positive=True)}
    assert [set(event.metrics) for event in classified.finished] == [expected] * N_TRIALS


def test_the_positive_class_is_the_one_that_was_named(classified: Run) -> None:
    frame = iris()
    predictions = np.load(classified.path(0, "internal/oof_predictions.npy"))
    score = predictions[:, 2]
    areas = []
    for fold in range(3):
        rows = np.load(classified.folder / "scratch" / "data" / f"valid{fold}.npy")
        is_true = frame["label"].to_numpy()[rows] == "kind 2"
        weight = frame["weight"].to_numpy()[rows]
        areas.append(sk.roc_auc_score(is_true, score[rows], sample_weight=weight))
    found = classified.finished[0].metrics["AUC_binary"]
    assert found == pytest.approx(np.mean(areas), abs=1e-9)


def test_a_class_that_is_not_there_ends_the_run_with_one_message(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'kind 9', which is no class of the label"):
        Run(tmp_path)(iris(), replace(CLASSES, positive_label="kind 9"))


@pytest.mark.parametrize("number", range(N_TRIALS))
def test_every_classifier_keeps_weighted_charts(classified: Run, number: int) -> None:
    frame = iris()
    weight = frame["weight"] / frame["weight"].mean()
    predicted = np.load(classified.path(number, "internal/oof_predictions.npy")).argmax(axis=1)
    codes = frame["label"].str[-1].astype(int)
    expected = sk.confusion_matrix(codes, predicted, sample_weight=weight)
    matrix = classified.json(number, "confusion_matrix")["data"]["matrix"]
    assert np.allclose(matrix, expected)
    table = classified.json(number, "accuracy_table")["data"]
    counts = np.array(table["probability_tables"])
    assert counts.shape == (3, 101, 4)
    assert np.allclose(counts.sum(axis=2), weight.sum(), atol=0.01)


@pytest.mark.parametrize("number", range(N_TRIALS))
def test_every_regressor_keeps_weighted_charts(regressed: Run, number: int) -> None:
    frame = diabetes()
    residuals = np.load(regressed.path(number, "internal/oof_predictions.npy")) - frame["label"]
    data = regressed.json(number, "residuals")["data"]
    assert data["mean"] == pytest.approx(np.average(residuals, weights=frame["weight"]), rel=1e-5)
    data = regressed.json(number, "predicted_true")["data"]
    assert sum(data["bin_counts"]) == pytest.approx(len(frame))


CONFIDENCE = "outputs/metric_confidence.json"


def test_the_best_model_has_an_interval_of_the_primary_metric(classified: Run) -> None:
    data = classified.json(None, CONFIDENCE)["data"]
    best = classified.finished[-1]
    assert best.is_best
    assert (data["iteration"], data["rows"]) == (best.number, 150)
    assert list(data["metrics"]) == ["AUC_weighted"]
    found = data["metrics"]["AUC_weighted"]
    assert found["value"] == pytest.approx(best.score, abs=1e-6)
    assert found["lower_ci_95"] < found["value"] < found["upper_ci_95"]
    assert classified.json(best.number, CONFIDENCE)["data"] == data


def test_all_metrics_have_intervals_when_asked(tmp_path: Path) -> None:
    run = Run(tmp_path)
    found = run(diabetes(), replace(NUMBERS, enable_metric_confidence=True))
    metrics = run.json(None, CONFIDENCE)["data"]["metrics"]
    reported = run.finished[found.best].metrics
    assert {name: metrics[name]["value"] for name in metrics} == pytest.approx(reported, abs=1e-5)
    assert all(m["lower_ci_95"] <= m["value"] <= m["upper_ci_95"] for m in metrics.values())


def test_a_run_without_time_has_no_intervals(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("nbautoml.engine.confidence.expected_seconds", lambda *_: 1e6)
    run = Run(tmp_path)
    limits = replace(CLASSES.limits, timeout_seconds=30.0, max_iterations=2)
    run(iris(), replace(CLASSES, limits=limits, enable_metric_confidence=True))
    with pytest.raises(NotFoundError):
        run.path(None, CONFIDENCE)


@pytest.mark.parametrize(("task", "name"), NOT_PRIMARY)
def test_a_run_makes_any_metric_best_that_it_reports(task: Task, name: str, tmp_path: Path) -> None:
    is_classes = task is Task.CLASSIFICATION
    plan = replace(CLASSES, positive_label="kind 2") if is_classes else NUMBERS
    run = Run(tmp_path)
    limits = replace(plan.limits, max_iterations=5)
    found = run(
        iris() if is_classes else diabetes(), replace(plan, primary_metric=name, limits=limits)
    )
    best = next(e for e in run.finished if e.number == found.best)
    singles = [e for e in run.finished if not e.is_ensemble]
    assert len({e.score for e in singles}) > 1
    assert best.score == best.metrics[name] == found.score
    if not best.is_ensemble:
        assert best.score == min((e.score for e in singles), key=METRICS[name].sort_key)
