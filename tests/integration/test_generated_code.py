"""The code of a run's models: offered by the child, written on demand, true to its score."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

from nbautoml import AutoMLConfig, AutoMLRun, Experiment, Run, Workspace

pytestmark = pytest.mark.integration

SCRIPT = "outputs/generated_code/script.py"
NOTEBOOK = "outputs/generated_code/script_run_notebook.ipynb"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def workspace(folder: Path) -> Iterator[Workspace]:
    workspace = Workspace.create("w", path=folder)
    yield workspace
    for name in workspace.experiments:
        for run in workspace.experiments[name].get_runs():
            run.cancel()
            run.wait_for_completion(raise_on_error=False)
    workspace.session.close()


def cancer() -> pd.DataFrame:
    frame: pd.DataFrame = load_breast_cancer(as_frame=True).frame.iloc[:300, [0, 1, 2, 3, -1]]
    return frame.assign(target=frame["target"].map({0: "malignant", 1: "benign"}))


def do(workspace: Workspace, name: str, **settings: object) -> AutoMLRun:
    usual: dict[str, object] = {
        "task": "classification",
        "training_data": cancer(),
        "label_column_name": "target",
        "iterations": 3,
        "enable_voting_ensemble": False,
        "enable_stack_ensemble": False,
        "model_explainability": False,
    }
    config = AutoMLConfig(**(usual | settings))
    run = Experiment(workspace, name).submit(config)
    assert isinstance(run, AutoMLRun)
    run.wait_for_completion(wait_post_processing=True)
    return run


@pytest.fixture(scope="module")
def done(workspace: Workspace) -> AutoMLRun:
    return do(workspace, "code", n_cross_validations=3, test_size=0.1)


def check_script(child: Run, folder: Path, code: Path) -> None:
    """Run a child's script as its owner would, in the folder of the workspace."""
    child.download_files("outputs/generated_code", code, append_prefix=False)
    command = [sys.executable, code / "script.py"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert ran.returncode == 0, ran.stderr
    name, _, score = ran.stdout.splitlines()[0].partition(": ")
    assert float(score) == pytest.approx(child.get_metrics()[name], abs=1e-9)


def test_a_script_prints_the_score_of_its_child(
    done: AutoMLRun, folder: Path, tmp_path: Path
) -> None:
    check_script(done.get_best_child(), folder, tmp_path)


def test_given_splits_come_with_the_script(
    workspace: Workspace, folder: Path, tmp_path: Path
) -> None:
    splits = [[np.arange(0, 200), np.arange(200, 300)], [np.arange(100, 300), np.arange(100)]]
    run = do(workspace, "splits", cv_splits_indices=splits)
    check_script(run.get_best_child(), folder, tmp_path)


BOTH = {"enable_voting_ensemble": True, "enable_stack_ensemble": True, "iterations": 7}


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("classes", {"n_cross_validations": 3, "stack_meta_learner_kwargs": {"C": 0.5}}),
        ("hold-out", {"validation_size": 0.3, "weight_column_name": "mean area"}),
        ("random-splits", {"validation_size": 0.3, "n_cross_validations": 2}),
        ("numbers", {"task": "regression", "n_cross_validations": 5}),
    ],
)
def test_the_code_of_ensembles_gives_their_scores(
    workspace: Workspace, folder: Path, tmp_path: Path, name: str, settings: dict[str, object]
) -> None:
    if name == "numbers":
        settings = settings | {"label_column_name": "mean area"}
    run = do(workspace, name, **(BOTH | settings))
    ensembles = [trial for trial in run.snapshot().trials if trial.is_ensemble]
    assert [trial.pipeline for trial in ensembles] == ["VotingEnsemble", "StackEnsemble"]
    for trial in ensembles:
        child = run.get_output(iteration=trial.number)[0]
        check_script(child, folder, tmp_path / trial.pipeline)
        source = (tmp_path / trial.pipeline / "script.py").read_text()
        assert len(source.splitlines()) < 150 * len(trial.params["members"]) + 400


def digits() -> pd.DataFrame:
    frame: pd.DataFrame = load_digits(as_frame=True).frame.iloc[:400, 10:]
    return frame.assign(target=frame["target"].map("digit {}".format))


def test_the_code_of_a_geometric_mean_gives_its_score(
    workspace: Workspace, folder: Path, tmp_path: Path
) -> None:
    run = do(
        workspace,
        "digits",
        training_data=digits(),
        primary_metric="log_loss",
        n_cross_validations=3,
        iterations=5,
        enable_voting_ensemble=True,
        allowed_models=["RandomForest", "ExtremeRandomTrees"],
    )
    (vote,) = [trial for trial in run.snapshot().trials if trial.is_ensemble]
    assert vote.params["mean"] == "geometric"
    child, model = run.get_output(iteration=vote.number)
    assert model.predict_proba(digits().iloc[:9, :-1]).shape == (9, 10)
    check_script(child, folder, tmp_path)
    assert "share_out" in (tmp_path / "script.py").read_text()


def test_code_is_listed_before_it_is_written_and_stays(done: AutoMLRun, tmp_path: Path) -> None:
    best = done.get_best_child().id
    child = next(child for child in done.get_children() if child.id != best)
    assert {SCRIPT, NOTEBOOK} <= set(child.get_file_names())
    with done.session.read() as tx:
        assert SCRIPT not in {artifact.name for artifact in tx.artifacts.list(child.id)}
    child.download_file(NOTEBOOK, tmp_path / "code.ipynb")
    assert json.loads((tmp_path / "code.ipynb").read_text())["nbformat"] == 4
    with done.session.read() as tx:
        assert SCRIPT in {artifact.name for artifact in tx.artifacts.list(child.id)}


def test_code_can_be_switched_off(workspace: Workspace) -> None:
    run = do(workspace, "no-code", enable_code_generation=False)
    child = Run.get(workspace, f"{run.id}_0")
    assert not any(name.startswith("outputs/generated_code") for name in child.get_file_names())
