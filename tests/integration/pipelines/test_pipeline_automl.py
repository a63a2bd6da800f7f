"""A pipeline with an AutoML run in it: from a table to a registered model, and none of it twice."""

from __future__ import annotations

import json
import os
import pickle
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psutil
import pytest
from sklearn.datasets import load_wine

from nbautoml.automl.automl_run import AutoMLRun
from nbautoml.automl.config import AutoMLConfig
from nbautoml.data.dataset import Dataset
from nbautoml.domain.status import RunStatus
from nbautoml.pipelines.data import PipelineData, TrainingOutput
from nbautoml.pipelines.parameters import PipelineParameter
from nbautoml.pipelines.pipeline import Pipeline
from nbautoml.pipelines.pipeline_run import PipelineRun
from nbautoml.pipelines.step_run import AutoMLStepRun
from nbautoml.pipelines.steps.automl import AutoMLStep
from nbautoml.pipelines.steps.python_script import PythonScriptStep
from nbautoml.registry.model import Model
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.run import Run
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session, create_session
from nbautoml.workspace.config_file import address_for

pytestmark = pytest.mark.integration

PREPARE = """
import os, sys
from nbautoml import Run
rows = Run.get_context().input_datasets["wine"].to_pandas_dataframe()
os.makedirs(sys.argv[1], exist_ok=True)
rows[["alcohol", "hue", "target"]].to_csv(os.path.join(sys.argv[1], "wine.csv"), index=False)
"""
REGISTER = """
import argparse
from nbautoml import Model, Run
parser = argparse.ArgumentParser()
parser.add_argument("--name")
parser.add_argument("--model")
args = parser.parse_args()
Model.register(Run.get_context().experiment.workspace, args.model, args.name)
"""


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = create_session(address_for("w", tmp_path / "w"))
    yield session
    with session.read() as tx:
        runs = tx.runs.list(include_children=True)
    for owner in (r.owner for r in runs if r.owner and not r.status.is_terminal):
        if psutil.pid_exists(owner.pid):
            os.kill(owner.pid, signal.SIGKILL)
    session.close()


def make(session: Session, source: Path, wine: pd.DataFrame) -> Pipeline:
    source.mkdir(exist_ok=True)
    (source / "prepare.py").write_text(PREPARE)
    (source / "register.py").write_text(REGISTER)
    rows = PipelineData("rows")
    metrics, model = (
        PipelineData(
            f"{kind.lower()}_data",
            pipeline_output_name=f"{kind.lower()}_output",
            training_output=TrainingOutput(type=kind),
        )
        for kind in ("Metrics", "Model")
    )
    named = Dataset.Tabular.from_pandas_dataframe(wine).as_named_input("wine")
    prepare = PythonScriptStep(
        "prepare.py",
        name="prepare",
        arguments=[rows],
        inputs=[named],
        outputs=[rows],
        source_directory=source,
    )
    config = AutoMLConfig(
        "classification",
        training_data=rows.as_dataset().parse_delimited_files(),
        label_column_name="target",
        iterations=2,
        n_cross_validations=2,
        allowed_models=["LightGBM", "LogisticRegression"],
        enable_voting_ensemble=False,
        enable_stack_ensemble=False,
        model_explainability=False,
        compute_target="local",
    )
    train = AutoMLStep("train", config, outputs=[metrics, model])
    register = PythonScriptStep(
        "register.py",
        name="register",
        arguments=["--name", PipelineParameter("model_name", "wine"), "--model", model],
        inputs=[model],
        source_directory=source,
    )
    return Pipeline(WorkspaceHandle(session), [register, train, prepare], description="wine")


def reasons(run: PipelineRun) -> dict[str, str]:
    return {state.step.name: state.reason for state in run.snapshot().steps}


def test_from_a_table_to_a_registered_model(session: Session, tmp_path: Path) -> None:
    wine = load_wine(as_frame=True).frame
    workspace = WorkspaceHandle(session)
    experiment = Experiment(workspace, "wine")

    first = experiment.submit(make(session, tmp_path / "source", wine))

    assert first.wait_for_completion(show_output=False) == "Finished"
    (train,) = first.find_step_run("train")
    assert isinstance(Run.get(workspace, train.id), AutoMLRun)
    _check_metrics(first, train.id, tmp_path)
    _check_model(first, wine, tmp_path)
    assert Model(workspace, "wine").version == 1
    defaults = AutoMLStepRun(train)
    assert defaults.get_default_model_output().get_port_data_reference().download(tmp_path) == 1
    assert defaults.get_default_metrics_output().name == "default_metrics_train"

    second = experiment.submit(make(session, tmp_path / "source", wine))
    assert second.wait_for_completion(show_output=False) == "Finished"
    assert all(reason.startswith("reused from ") for reason in reasons(second).values())

    third = experiment.submit(
        make(session, tmp_path / "source", wine), pipeline_parameters={"model_name": "vino"}
    )
    assert third.wait_for_completion(show_output=False) == "Finished"
    assert reasons(third)["train"] == f"reused from {train.id}"
    assert reasons(third)["register"].startswith("not reused: parameter model_name changed")
    assert Model(workspace, "vino").version == 1


def _check_metrics(run: PipelineRun, train_id: str, folder: Path) -> None:
    output = run.get_pipeline_output("metrics_output")
    assert output._path_on_datastore == f"azureml/{train_id}/metrics_data"
    output.download(folder, show_progress=True)
    found = json.loads((folder / output._path_on_datastore).read_text())
    assert set(found) == {f"{train_id}_0", f"{train_id}_1"}
    frame = pd.DataFrame({child: pd.Series(values) for child, values in found.items()})
    assert 0.5 < frame.loc["accuracy", f"{train_id}_0"][0] <= 1.0


def _check_model(run: PipelineRun, wine: pd.DataFrame, folder: Path) -> None:
    output = run.get_pipeline_output("model_output")
    output.download(folder)
    with (folder / output._path_on_datastore).open("rb") as file:
        model = pickle.load(file)
    assert set(model.predict(wine[["alcohol", "hue"]])) <= {0, 1, 2}


def training(session: Session, iterations: int) -> PipelineRun:
    """Start a pipeline of one AutoML step, and wait until a model is done."""
    config = AutoMLConfig(
        "classification",
        training_data=load_wine(as_frame=True).frame,
        label_column_name="target",
        iterations=iterations,
        n_cross_validations=2,
        enable_voting_ensemble=False,
        enable_stack_ensemble=False,
        model_explainability=False,
    )
    pipeline = Pipeline(WorkspaceHandle(session), AutoMLStep("train", config))
    run = pipeline.submit("wine")
    end = time.monotonic() + 120
    while not any(step.snapshot().n_done for step in run.get_steps()):
        assert time.monotonic() < end, "no model was done"
        time.sleep(0.1)
    return run


def test_an_automl_step_whose_process_is_lost_goes_on(session: Session) -> None:
    run = training(session, iterations=6)
    (train,) = run.find_step_run("train")
    with session.read() as tx:
        owner = tx.runs.get(train.id).owner
    assert owner is not None

    os.kill(owner.pid, signal.SIGKILL)

    assert run.wait_for_completion(show_output=False, timeout_seconds=200) == "Finished"
    with session.read() as tx:
        assert tx.runs.get(train.id).owner != owner
    assert train.snapshot().n_done == 6
    assert AutoMLStepRun(train).get_default_model_output().name == "default_model_train"


def test_cancel_ends_the_automl_step_too(session: Session) -> None:
    run = training(session, iterations=50)

    run.cancel()

    assert run.wait_for_completion(show_output=False, timeout_seconds=120) == "Canceled"
    (train,) = run.find_step_run("train")
    assert RunStatus(train.status).is_terminal
    assert train.snapshot().n_done < 50
