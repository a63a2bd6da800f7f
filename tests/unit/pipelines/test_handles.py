"""Handles on data, pipelines and their runs say what they are, in the SDK's words."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from nbautoml.data.datastore import Datastore
from nbautoml.domain.events import OutputWritten
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import ConfigError, NotAvailableError, NotFoundError
from nbautoml.pipelines.data import (
    DataReference,
    OutputFileDatasetConfig,
    PipelineData,
    TrainingOutput,
)
from nbautoml.pipelines.frozen import FrozenOutput
from nbautoml.pipelines.inputs import accept_input
from nbautoml.pipelines.outputs import keep_output, save_outputs
from nbautoml.pipelines.parameters import DataPathComputeBinding, PipelineParameter
from nbautoml.pipelines.pipeline import Pipeline
from nbautoml.pipelines.pipeline_run import PipelineRun
from nbautoml.pipelines.step_run import AutoMLStepRun, StepRun
from nbautoml.pipelines.steps.python_script import PythonScriptStep
from nbautoml.pipelines.steps.sequence import StepSequence
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.run import Run
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session

Pair = tuple[PythonScriptStep, PythonScriptStep]


@pytest.fixture
def step_run(session: Session, workspace: WorkspaceHandle) -> StepRun:
    """Return the run of a step that is at work."""
    parent = RunRecord(
        id="p",
        experiment="e",
        type="azureml.PipelineRun",
        status=RunStatus.RUNNING,
        created_at=1.0,
    )
    child = RunRecord(
        id="s",
        experiment="e",
        type="azureml.StepRun",
        status=RunStatus.RUNNING,
        created_at=1.0,
        parent_id="p",
        number=0,
        display_name="train",
    )
    with session.write() as tx:
        tx.experiments.get_or_create("e")
        tx.runs.create(parent)
        tx.runs.create(child)
    return StepRun(Experiment(workspace, "e"), "s")


def test_a_step_run_knows_its_pipeline(step_run: StepRun, workspace: WorkspaceHandle) -> None:
    assert (step_run.name, step_run.pipeline_run_id, step_run.is_reused) == ("train", "p", False)
    assert (step_run.get_status(), step_run.status) == ("Running", "Running")
    assert isinstance(step_run.parent, PipelineRun)
    assert isinstance(Run.get(workspace, "s"), StepRun)
    other = StepRun(step_run.experiment, "s", "q")
    assert (other.pipeline_run_id, other.is_reused) == ("q", True)


def test_what_a_script_writes_can_be_read_at_once(session: Session, step_run: StepRun) -> None:
    assert step_run.get_stdout_log() == ""
    with session.write() as tx:
        tx.events.append("s", [OutputWritten(text="a\nb"), OutputWritten(text="c")], time.time())
    assert step_run.get_stdout_log() == "a\nb\nc\n"

    session.save_artifact("s", "user_logs/std_log.txt", b"all of it")

    assert step_run.get_stdout_log() == "all of it"
    assert step_run.get_details_with_logs()["logFiles"] == {"user_logs/std_log.txt": "all of it"}


def test_outputs_that_were_not_named_are_found(
    session: Session, step_run: StepRun, tmp_path: Path
) -> None:
    Datastore.get_default(WorkspaceHandle(session))
    kept = []
    for name in ("default_metrics_train", "default_model_train"):
        (tmp_path / name).write_text(name)
        output = FrozenOutput(name=name, datastore="workspaceblobstore")
        kept.append(keep_output(session, "s", output, tmp_path / name))
    save_outputs(session, "s", kept)
    run = AutoMLStepRun(step_run)

    metrics, model = run.get_default_metrics_output(), run.get_default_model_output()

    assert repr(metrics) == "StepRunOutput(name='default_metrics_train')"
    place = model.get_port_data_reference()
    assert place.path_on_datastore == "azureml/s/default_model_train"
    assert (run.id, run.pipeline_run_id) == ("s", "p")


def test_only_runs_of_pipelines_are_opened_as_such(
    step_run: StepRun, workspace: WorkspaceHandle
) -> None:
    assert PipelineRun.get(workspace, "p").id == "p"
    with pytest.raises(NotFoundError, match=r"its type is azureml.StepRun"):
        PipelineRun.get(workspace, "s")


def test_data_have_names_and_variables() -> None:
    data = PipelineData("rows", output_name="out")

    assert (data.name, data.get_env_variable_name()) == ("rows", "AZUREML_DATAREFERENCE_out")
    assert repr(data.as_input("other")) == "InputPortBinding(name='other')"
    assert data.as_mount().name == "rows"
    assert data.as_download("copy").as_step_input().is_copy
    output = OutputFileDatasetConfig("rows")
    assert repr(output.as_mount()) == "OutputFileDatasetConfig(name='rows')"
    assert output.as_input().name == "rows"


def test_outputs_without_names_are_counted_in_their_step() -> None:
    """So that they have the same names when a notebook makes them once more."""
    first, second = OutputFileDatasetConfig(), OutputFileDatasetConfig()
    PythonScriptStep("make.py", arguments=[first, second])

    assert (first.name, second.name) == ("output_1", "output_2")
    assert OutputFileDatasetConfig().as_input().name == "input"


def test_files_of_an_output_are_a_dataset_too() -> None:
    files = PipelineData("rows").as_dataset()

    assert (files.name, files.input_name) == ("rows", "rows")
    named = files.as_named_input("other").as_download()
    assert (named.input_name, named.as_step_input().is_copy) == ("other", True)
    assert not named.as_mount().as_step_input().is_copy
    assert named.as_direct().as_step_input().name == "other"
    table = named.parse_parquet_files().drop_columns("a").keep_columns(["b"])
    assert (table.name, table.input_name) == ("rows", "other")
    found = table.as_step_input().table
    assert found is not None
    assert [step.kind for step in found.steps] == ["drop", "keep"]


def test_both_kinds_of_dataset_are_registered_when_they_are_there() -> None:
    data = PipelineData("rows")
    data.as_dataset().register("files")
    data.as_dataset().parse_delimited_files().register("table")

    files, table = data.port.register_as

    assert (files[0].name, files[1]) == ("files", None)
    assert table[0].name == "table"
    assert table[1] is not None


@pytest.mark.parametrize(
    "ask",
    [
        lambda: OutputFileDatasetConfig("a", partition_format="/{x}"),
        lambda: OutputFileDatasetConfig("a").as_upload(source_globs=["*.csv"]),
        lambda: OutputFileDatasetConfig("a").read_delimited_files(path_glob="*.csv"),
        lambda: TrainingOutput("Model", model_file="outputs/other.pkl"),
    ],
)
def test_what_is_not_built_is_refused(ask: object) -> None:
    with pytest.raises(NotAvailableError):
        ask()  # type: ignore[operator]


def test_a_reference_may_be_mounted_or_copied(workspace: WorkspaceHandle) -> None:
    reference = DataReference(Datastore.get_default(workspace), path_on_datastore="raw")

    assert reference.name == "workspaceblobstore"
    assert reference.as_download().mode == "download"
    assert reference.as_download().as_mount().mode == "mount"
    assert reference.mode == "mount"


def test_a_path_is_an_input_by_itself(workspace: WorkspaceHandle) -> None:
    store = Datastore.get_default(workspace)

    assert accept_input(store.path("raw", "named"), "input_1").name == "named"
    assert accept_input(store.path("raw"), "input_1").name == "input_1"
    with pytest.raises(ConfigError, match="A pair as an input"):
        accept_input((store.path("raw"), DataPathComputeBinding()), "input_1")


@pytest.mark.parametrize("name", ["", "1a", 5])
def test_names_of_parameters_that_cannot_be_used_are_refused(name: object) -> None:
    with pytest.raises(ConfigError, match="A PipelineParameter cannot be called"):
        PipelineParameter(name, 1)  # type: ignore[arg-type]


def test_a_pipeline_shows_its_steps(workspace: WorkspaceHandle, steps: Pair) -> None:
    store = Datastore.register(workspace, "other", "memory://pipeline-default")
    pipeline = Pipeline(workspace, StepSequence([steps[1]]), default_datastore="other")

    assert repr(pipeline) == "Pipeline(steps=['make.py', 'use.py'])"
    assert pipeline.validate() == []
    assert pipeline.graph.after == ((), (0,))
    assert pipeline.freeze().steps[0].outputs[0].datastore == store.name
    assert len(StepSequence([steps])) == 1
    with pytest.raises(ConfigError, match="run_after takes a step; got str"):
        steps[0].run_after("make.py")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="name of PythonScriptStep"):
        PythonScriptStep("make.py", name=" ")
