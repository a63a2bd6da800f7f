"""A pipeline as JSON: nothing in it needs the code that made it; submission checks parameters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from nbautoml.compute.cluster_options import ClusterOptions
from nbautoml.compute.kinds.cluster import ClusterBackend
from nbautoml.data.datastore import Datastore
from nbautoml.data.tabular import from_frame
from nbautoml.domain.records import ComputeRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.pipelines import frozen as subject
from nbautoml.pipelines.frozen import FrozenPipeline, submit_frozen
from nbautoml.pipelines.parameters import DataPathComputeBinding, PipelineParameter
from nbautoml.pipelines.pipeline import Pipeline
from nbautoml.pipelines.pipeline_run import PipelineRun
from nbautoml.pipelines.steps.python_script import CommandStep, PythonScriptStep
from nbautoml.runs.environment import Environment
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.run_configuration import RunConfiguration
from nbautoml.runs.workspace_handle import WorkspaceHandle

Pair = tuple[PythonScriptStep, PythonScriptStep]


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Return the runs whose processes would have been started."""
    found: list[str] = []
    monkeypatch.setattr(subject, "launch", lambda _session, run_id: found.append(run_id))
    yield found


def test_json_and_back_is_the_same(workspace: WorkspaceHandle, steps: Pair) -> None:
    frozen = Pipeline(workspace, [steps[1]], description="two steps").freeze()

    text = json.dumps(frozen.to_json())

    assert FrozenPipeline.from_json(json.loads(text)).to_json() == frozen.to_json()
    assert frozen.step_names == ("make.py", "use.py")
    assert frozen.description == "two steps"


def test_the_graph_is_told_in_full(workspace: WorkspaceHandle, steps: Pair) -> None:
    make, use = (s.described for s in Pipeline(workspace, [steps[1]]).freeze().steps)

    assert (make.name, make.step_kind, make.after, make.outputs) == (
        "make.py",
        "PythonScriptStep",
        (),
        ("rows",),
    )
    assert (use.after, use.inputs) == ((0,), ("rows",))


def test_sources_are_kept_when_the_pipeline_is_frozen(
    workspace: WorkspaceHandle, steps: Pair, source: Path
) -> None:
    before = Pipeline(workspace, [steps[0]]).freeze()
    (source / "make.py").write_text("print('another')")
    after = Pipeline(workspace, [steps[0]]).freeze()

    assert before.steps[0].settings["snapshot"] != after.steps[0].settings["snapshot"]


def test_a_newer_form_is_refused(workspace: WorkspaceHandle, steps: Pair) -> None:
    content = Pipeline(workspace, [steps[0]]).freeze().to_json()

    with pytest.raises(ConfigError, match="newer nbautoml"):
        FrozenPipeline.from_json({**content, "form": 99})


def test_a_pipeline_with_a_mistake_is_not_frozen(workspace: WorkspaceHandle, steps: Pair) -> None:
    steps[0].run_after(steps[1])

    with pytest.raises(ConfigError, match="Steps wait for each other"):
        Pipeline(workspace, list(steps)).freeze()


def test_defaults_of_all_kinds_are_frozen(workspace: WorkspaceHandle, source: Path) -> None:
    path = PipelineParameter("raw", Datastore.get_default(workspace).path("raw.csv"))
    rows = PipelineParameter("rows", from_frame(pd.DataFrame({"a": [1, 2]})))
    step = PythonScriptStep(
        "make.py",
        arguments=[PipelineParameter("rate", 0.1)],
        inputs=[(path, DataPathComputeBinding()), rows],
        source_directory=source,
    )

    defaults = Pipeline(workspace, [step]).freeze().parameters

    assert defaults["rate"] == 0.1
    assert defaults["raw"] == {"datastore": "workspaceblobstore", "path": "raw.csv"}
    with workspace.session.read() as tx:
        assert tx.datasets.get_by_id(defaults["rows"]["dataset"]).n_rows == 2


@pytest.fixture
def frozen(workspace: WorkspaceHandle, source: Path) -> FrozenPipeline:
    path = PipelineParameter("raw", Datastore.get_default(workspace).path("raw.csv"))
    step = PythonScriptStep(
        "make.py",
        arguments=[PipelineParameter("rate", 0.1)],
        inputs=[(path, DataPathComputeBinding())],
        source_directory=source,
    )
    return Pipeline(workspace, [step], description="a").freeze()


def submit(workspace: WorkspaceHandle, frozen: FrozenPipeline, **settings: object) -> PipelineRun:
    return submit_frozen(Experiment(workspace, "e"), frozen, **settings)  # type: ignore[arg-type]


def test_submission_records_the_run_and_starts_its_process(
    workspace: WorkspaceHandle, frozen: FrozenPipeline, launched: list[str]
) -> None:
    run = submit(
        workspace,
        frozen,
        parameters={"rate": 0.5},
        tags={"a": "b"},
        properties={"azureml.pipelineid": "p"},
    )

    assert launched == [run.id]
    assert run.tags == {"a": "b"}
    assert json.loads(run.properties["azureml.parameters"])["rate"] == 0.5
    assert [r.id for r in PipelineRun.get_pipeline_runs(workspace, "p")] == [run.id]
    state = run.snapshot()
    assert state.described is not None
    assert state.described.what == "pipeline"
    assert [s.status for s in state.steps] == [RunStatus.NOT_STARTED]
    assert run.get_graph().to_json() == frozen.to_json()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"rat": 1}, "no parameter 'rat'. Did you mean 'rate'"),
        ({"raw": 3}, "'raw' stands for a DataPath; got a text or a number"),
        ({"rate": {"datastore": "d", "path": "p"}}, "'rate' stands for a text or a number"),
        ({"raw": {"store": "d"}}, "a mapping with 'datastore' and 'path'"),
        ({"rate": object()}, "must be a text, a number, a DataPath or a dataset"),
    ],
)
def test_wrong_parameters_are_refused(
    workspace: WorkspaceHandle,
    frozen: FrozenPipeline,
    launched: list[str],
    parameters: dict[str, object],
    message: str,
) -> None:
    with pytest.raises(ConfigError, match=message):
        submit(workspace, frozen, parameters=parameters)
    assert launched == []


def test_a_path_in_the_words_of_the_sdk_is_taken(
    workspace: WorkspaceHandle, frozen: FrozenPipeline, launched: list[str]
) -> None:
    path = {"DataStoreName": "workspaceblobstore", "RelativePath": "other.csv"}

    run = submit(workspace, frozen, parameters={"raw": path})

    values = json.loads(run.properties["azureml.parameters"])
    assert values["raw"] == {"datastore": "workspaceblobstore", "path": "other.csv"}
    with pytest.raises(NotFoundError):
        submit(workspace, frozen, parameters={"raw": {"datastore": "no", "path": "a"}})


def test_an_experiment_submits_pipelines_with_their_settings(
    workspace: WorkspaceHandle, steps: Pair, launched: list[str]
) -> None:
    pipeline = Pipeline(workspace, [steps[1]])
    experiment = Experiment(workspace, "e")

    run = experiment.submit(pipeline, regenerate_outputs=True, continue_on_step_failure=True)

    assert isinstance(run, PipelineRun)
    settings = run.get_details()["runDefinition"]
    assert settings["regenerate_outputs"]
    assert settings["continue_on_step_failure"]
    with pytest.raises(ConfigError, match="no setting 'regenerate_output'. Did you mean"):
        experiment.submit(pipeline, regenerate_output=True)


def test_a_script_that_is_not_there_is_told_at_once(
    workspace: WorkspaceHandle, source: Path
) -> None:
    step = PythonScriptStep("mak.py", source_directory=source)

    with pytest.raises(NotFoundError, match=r"no file 'mak.py'.*make.py"):
        Pipeline(workspace, [step]).freeze()


def test_a_compute_target_must_exist(workspace: WorkspaceHandle, source: Path) -> None:
    step = PythonScriptStep("make.py", source_directory=source, compute_target="cpu-cluster")

    with pytest.raises(NotFoundError, match="cpu-cluster"):
        Pipeline(workspace, [step]).freeze()


def test_a_script_that_names_a_cluster_is_told_where_it_runs(
    workspace: WorkspaceHandle, source: Path
) -> None:
    options = ClusterBackend.record_options(ClusterOptions())
    cluster = ComputeRecord(
        name="cpu-cluster", kind=ClusterBackend.kind, options=options, created_at=1.0
    )
    with workspace.session.write() as tx:
        tx.computes.put(cluster)
    config = RunConfiguration()
    config.target = "cpu-cluster"
    steps = [
        PythonScriptStep("make.py", source_directory=source, compute_target="cpu-cluster"),
        PythonScriptStep("use.py", source_directory=source, runconfig=config),
    ]

    for step in Pipeline(workspace, steps).freeze().steps:
        assert step.settings["compute_target"] == "cpu-cluster"
        (note,) = step.settings["notes"]
        assert note.startswith("compute_target 'cpu-cluster' is a cluster; scripts run on")
    assert config.target == "cpu-cluster"


def test_environment_and_folder_come_from_where_they_are_said(
    workspace: WorkspaceHandle, source: Path
) -> None:
    config = RunConfiguration()
    config.environment = Environment("training")
    config.environment.environment_variables = {"EPOCHS": "3"}
    step = PythonScriptStep("make.py", runconfig=config, params={"rate": 0.1})

    (frozen,) = Pipeline(workspace, [step], default_source_directory=source).freeze().steps

    assert frozen.settings["source_directory"] == str(source)
    assert frozen.settings["environment"]["environment_variables"] == {"EPOCHS": "3"}
    assert frozen.params == {"rate": {"text": "0.1"}}


@pytest.mark.parametrize(("command", "kept"), [("ls -l", ""), (["ls", "-l"], ())])
def test_a_command_is_a_line_or_words(
    workspace: WorkspaceHandle, source: Path, command: object, kept: object
) -> None:
    step = CommandStep(command, source_directory=source)  # type: ignore[arg-type]

    (frozen,) = Pipeline(workspace, [step]).freeze().steps

    assert frozen.settings["command"] == kept
    assert frozen.settings["script"] is None


def test_a_pipeline_is_published_as_it_is_now(workspace: WorkspaceHandle, steps: Pair) -> None:
    pipeline = Pipeline(workspace, [steps[1]], description="two steps")

    published = pipeline.publish("train", version="1.0", continue_on_step_failure=True)

    assert (published.name, published.version, published.description) == (
        "train",
        "1.0",
        "two steps",
    )
    assert published.continue_on_step_failure
    assert published.get_step_names() == ["make.py", "use.py"]


def test_a_run_is_published_with_its_parameters(
    workspace: WorkspaceHandle, frozen: FrozenPipeline, launched: list[str]
) -> None:
    run = submit(workspace, frozen, parameters={"rate": 0.5}, continue_on_step_failure=True)

    published = run.publish_pipeline("train", "from a run", "2")

    assert published.parameters["rate"] == 0.5
    assert published.continue_on_step_failure
