"""Whole AutoML runs that end with a vote and a stack, asked as a notebook asks them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.metrics import roc_auc_score

from nbautoml import AutoMLConfig, AutoMLRun, Experiment, Run, Workspace

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    workspace = Workspace.create("w", path=tmp_path_factory.mktemp("workspace"))
    yield workspace
    workspace.session.close()


def cancer() -> pd.DataFrame:
    frame: pd.DataFrame = load_breast_cancer(as_frame=True).frame
    return frame.assign(target=frame["target"].map({0: "malignant", 1: "benign"}))


@pytest.fixture(scope="module")
def stacked(workspace: Workspace) -> AutoMLRun:
    config = AutoMLConfig(
        task="classification",
        training_data=cancer().iloc[::2],
        label_column_name="target",
        primary_metric="AUC_weighted",
        n_cross_validations=3,
        iterations=8,
        enable_stack_ensemble=True,
        model_explainability=False,
        stack_meta_learner_type="LogisticRegressionCV",
        stack_meta_learner_kwargs={"Cs": [0.01, 0.1]},
    )
    run = Experiment(workspace, "stacked").submit(config)
    assert isinstance(run, AutoMLRun)
    run.wait_for_completion()
    return run


def test_the_last_iterations_are_a_vote_and_a_stack(stacked: AutoMLRun) -> None:
    trials = stacked.snapshot().trials
    assert [t.is_ensemble for t in trials] == [False] * 6 + [True] * 2
    assert [t.pipeline for t in trials[-2:]] == ["VotingEnsemble", "StackEnsemble"]
    assert trials[-1].params["meta_learner"] == "LogisticRegressionCV"
    rivals = {t.params["best_single_score"] for t in trials[-2:]}
    assert len(rivals) == 1 and 0.9 < rivals.pop() < 1.0


def test_a_stack_answers_rows_that_it_has_not_seen(stacked: AutoMLRun) -> None:
    best, model = stacked.get_output(iteration=7)
    assert best.number == 7
    rows = cancer().iloc[1::2]
    proba = model.predict_proba(rows.drop(columns="target"))
    at = list(model.classes_).index("malignant")
    score = roc_auc_score(rows["target"] == "malignant", proba[:, at])
    assert score > 0.97
    assert abs(score - best.get_metrics()["AUC_weighted"]) < 0.03
    stack = model.steps[-1][1]
    assert model.steps[-1][0] == "stackensembleclassifier"
    assert [list(member.named_steps)[-1] for _, member in stack._base_learners]
    assert stack._meta_learner.Cs == [0.01, 0.1]


def test_a_stack_is_a_file_as_any_other_model(stacked: AutoMLRun, tmp_path: Path) -> None:
    child = Run(stacked.experiment, f"{stacked.id}_7")
    child.download_file("outputs/model.pkl", tmp_path / "model.pkl")
    rows = cancer().drop(columns="target")
    loaded = joblib.load(tmp_path / "model.pkl")
    _, model = stacked.get_output(iteration=7)
    np.testing.assert_allclose(loaded.predict_proba(rows), model.predict_proba(rows))


def test_a_stack_alone_predicts_numbers(workspace: Workspace) -> None:
    frame: pd.DataFrame = load_diabetes(as_frame=True).frame
    config = AutoMLConfig(
        task="regression",
        training_data=frame,
        label_column_name="target",
        iterations=6,
        enable_voting_ensemble=False,
        enable_stack_ensemble=True,
        ensemble_iterations=3,
        model_explainability=False,
    )
    run = Experiment(workspace, "numbers").submit(config)
    assert isinstance(run, AutoMLRun)
    run.wait_for_completion()
    stack = run.snapshot().trials[-1]
    assert (stack.pipeline, stack.is_ensemble) == ("StackEnsemble", True)
    assert 2 <= len(stack.params["members"]) <= 3
    _, model = run.get_output(iteration=stack.number)
    answers = model.predict(frame.drop(columns="target"))
    assert np.corrcoef(answers, frame["target"])[0, 1] > 0.6
