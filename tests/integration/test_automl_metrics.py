"""What a whole AutoML run reports: a positive class, intervals, charts, guardrails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

from nbautoml import AutoMLConfig, AutoMLRun, Experiment, Run, Workspace
from nbautoml.domain.metrics import metrics_for
from nbautoml.domain.tasks import Task
from nbautoml.errors import NotFoundError

pytestmark = pytest.mark.integration
N_TRIALS = 3
N_ROWS = 200


def cancer() -> pd.DataFrame:
    frame: pd.DataFrame = load_breast_cancer(as_frame=True).frame.iloc[:N_ROWS]
    return frame.assign(
        target=frame["target"].map({0: "malignant", 1: "benign"}), copy=frame["target"] * 2
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AutoMLRun]:
    workspace = Workspace.create("w", path=tmp_path_factory.mktemp("workspace"))
    config = AutoMLConfig(
        "classification",
        primary_metric="AUC_weighted",
        training_data=cancer(),
        label_column_name="target",
        positive_label="malignant",
        enable_metric_confidence=True,
        model_explainability=False,
        iterations=N_TRIALS,
        n_cross_validations=3,
    )
    found = Experiment(workspace, "metrics").submit(config)
    assert isinstance(found, AutoMLRun)
    found.wait_for_completion()
    yield found
    workspace.session.close()


def children(run: AutoMLRun) -> list[Run]:
    return [Run(run.experiment, f"{run.id}_{number}") for number in range(N_TRIALS)]


def test_every_child_reports_the_metrics_of_the_positive_class(run: AutoMLRun) -> None:
    expected = {spec.name for spec in metrics_for(Task.CLASSIFICATION, has_positive=True)}
    for child in children(run):
        assert expected <= set(child.get_metrics())


def test_a_best_child_can_be_chosen_by_a_metric_of_the_positive_class(run: AutoMLRun) -> None:
    best = run.get_best_child(metric="recall_score_binary")
    scores = [child.get_metrics()["recall_score_binary"] for child in children(run)]
    assert best.get_metrics()["recall_score_binary"] == max(scores)


def test_every_child_keeps_its_charts(run: AutoMLRun, tmp_path: Path) -> None:
    for child in children(run):
        for name in ("confusion_matrix", "accuracy_table"):
            path = tmp_path / f"{child.id}-{name}.json"
            child.download_file(name, path)
            data = json.loads(path.read_text())["data"]
            assert data["class_labels"] == ["benign", "malignant"]
        counts = json.loads((tmp_path / f"{child.id}-confusion_matrix.json").read_text())
        assert sum(map(sum, counts["data"]["matrix"])) == N_ROWS


def test_the_best_model_has_intervals_of_all_metrics(run: AutoMLRun) -> None:
    found = run.get_metric_confidence()
    reported = run.get_best_child().get_metrics()
    assert set(found) == {s.name for s in metrics_for(Task.CLASSIFICATION, has_positive=True)}
    for name, interval in found.items():
        assert interval["value"] == pytest.approx(reported[name], abs=1e-5)
        assert interval["lower_ci_95"] <= interval["value"] <= interval["upper_ci_95"]


def test_a_run_without_intervals_says_so(run: AutoMLRun) -> None:
    best = run.get_best_child().id
    other = next(child.id for child in children(run) if child.id != best)
    with pytest.raises(NotFoundError, match="no confidence intervals: it is Completed"):
        AutoMLRun(run.experiment, other).get_metric_confidence()


def test_guardrails_are_printed_as_while_the_run_works(
    run: AutoMLRun, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {g["name"]: g for g in run.get_guardrails()["guardrails"]}
    assert found["Target leakage detection"]["state"] == "Alerted"
    assert found["Target leakage detection"]["details"][0]["Column name"] == "copy"
    lines = capsys.readouterr().out.splitlines()
    assert lines.count("DATA GUARDRAILS: ") == 1
    at = lines.index("TYPE:         Target leakage detection")
    assert lines[at + 1] == "STATUS:       ALERTED"
    assert any(line.startswith("|copy ") for line in lines[at:])
