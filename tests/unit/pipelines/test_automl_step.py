"""An AutoML run as a step: its data are inputs, and settings that change its models count."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from nbautoml.automl.config import AutoMLConfig
from nbautoml.automl.submit import Place
from nbautoml.domain.records import MetricPoint, RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import ConfigError, NotAvailableError, NotFoundError
from nbautoml.pipelines.data import OutputFileDatasetConfig, PipelineData, TrainingOutput
from nbautoml.pipelines.frozen import FrozenPipeline
from nbautoml.pipelines.graph import build_graph, problems_of
from nbautoml.pipelines.pipeline import Pipeline
from nbautoml.pipelines.resolved import resolve_step, step_run_id
from nbautoml.pipelines.reuse import StepKey, key_of, what_changed
from nbautoml.pipelines.steps.automl import AutoMLStep
from nbautoml.pipelines.steps.python_script import PythonScriptStep
from nbautoml.pipelines.training import automl_record, metrics_by_child
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session

ROWS = pd.DataFrame({"a": range(20), "y": [0, 1] * 10})


def config(data: object = ROWS, **settings: object) -> AutoMLConfig:
    return AutoMLConfig(
        "classification", training_data=data, label_column_name="y", iterations=2, **settings
    )


def metrics() -> PipelineData:
    return PipelineData("metrics", training_output=TrainingOutput("Metrics"))


def test_a_table_of_a_step_before_is_its_data() -> None:
    rows = PipelineData("rows")
    make = PythonScriptStep("make.py", outputs=[rows])
    step = AutoMLStep("train", config(rows.as_dataset().parse_parquet_files()), inputs=[rows])

    graph = build_graph(step)

    assert graph.steps == (make, step)
    assert problems_of(graph) == []
    (given,) = step.inputs
    assert (given.name, given.source.port) == ("training_data", make.outputs[0])
    assert given.table is not None
    assert given.table.reader == "parquet"


def test_validation_rows_are_an_input_of_their_own() -> None:
    data = OutputFileDatasetConfig("rows")
    PythonScriptStep("make.py", arguments=[data])
    train, valid = data.read_delimited_files().random_split(0.8, seed=1)

    step = AutoMLStep("train", config(train, validation_data=valid))

    assert [given.name for given in step.inputs] == ["training_data", "validation_data"]


def test_outputs_that_were_not_asked_for_have_the_name_of_the_step() -> None:
    step = AutoMLStep("train", config(), outputs=[metrics()])

    assert [port.name for port in step.outputs] == [
        "metrics",
        "default_metrics_train",
        "default_model_train",
    ]
    bare = AutoMLStep(
        "train",
        config(),
        enable_default_model_output=False,
        enable_default_metrics_output=False,
    )
    assert bare.outputs == []


def test_an_output_must_say_what_it_holds() -> None:
    with pytest.raises(ConfigError, match="training_output=TrainingOutput"):
        AutoMLStep("train", config(), outputs=[PipelineData("rows")])


def test_only_settings_of_automl_are_taken() -> None:
    with pytest.raises(ConfigError, match="must be an AutoMLConfig; got dict"):
        AutoMLStep("train", {})  # type: ignore[arg-type]
    splits = [([0, 1], [2, 3])]
    with pytest.raises(NotAvailableError, match="cv_split_column_names"):
        AutoMLStep("train", config(cv_splits_indices=splits))


def test_a_table_to_come_cannot_be_read_yet() -> None:
    with pytest.raises(NotAvailableError, match="is written by a step when the pipeline runs"):
        PipelineData("rows").as_dataset().parse_delimited_files().to_pandas_dataframe()


def test_a_compute_target_must_exist(workspace: WorkspaceHandle) -> None:
    step = AutoMLStep("train", config(compute_target="far"))

    with pytest.raises(NotFoundError, match="far"):
        Pipeline(workspace, step).freeze()


def frozen_of(workspace: WorkspaceHandle, **settings: object) -> FrozenPipeline:
    frozen = Pipeline(workspace, AutoMLStep("train", config(**settings))).freeze()
    return FrozenPipeline.from_json(json.loads(json.dumps(frozen.to_json())))


def key(workspace: WorkspaceHandle, **settings: object) -> StepKey:
    (step,) = frozen_of(workspace, **settings).steps
    return key_of(workspace.session, resolve_step(step, {}, {}))


def test_settings_that_change_models_count_and_others_do_not(workspace: WorkspaceHandle) -> None:
    before = key(workspace)

    assert key(workspace, compute_target="local").text == before.text
    assert key(workspace, model_explainability=False).text == before.text
    other = key(workspace, blocked_models=["KNN"])
    assert what_changed(other, before) == "setting blocked_models changed"
    more = key(workspace, data=ROWS.head(10))
    assert what_changed(more, before) == "input training_data changed"


def test_its_run_is_that_of_automl_with_the_pipelines_as_parent(
    workspace: WorkspaceHandle, session: Session
) -> None:
    (step,) = frozen_of(workspace, compute_target="local").steps
    place = Place(
        run_id=step_run_id("p", step), asked_at=5.0, parent_id="p", number=0, display_name="train"
    )

    record = automl_record(session, resolve_step(step, {}, {}), "e", place)

    assert record.id.startswith("AutoML_")
    assert (record.type, record.parent_id, record.number) == ("automl", "p", 0)
    assert record.settings["label"] == "y"
    with session.read() as tx:
        assert tx.datasets.get_by_id(record.settings["training_data"]).n_rows == len(ROWS)


def test_ids_of_step_runs_follow_from_the_run_of_the_pipeline(workspace: WorkspaceHandle) -> None:
    (step,) = frozen_of(workspace).steps

    assert step_run_id("p", step) == step_run_id("p", step)
    assert step_run_id("p", step) != step_run_id("q", step)


def test_files_that_are_no_table_are_no_data(workspace: WorkspaceHandle, session: Session) -> None:
    (step,) = frozen_of(workspace).steps
    resolved = resolve_step(step, {}, {})
    (given,) = resolved.inputs
    files = {**given, "source": {"kind": "path", "datastore": "d", "path": "p"}}
    broken = type(resolved)(step=step, inputs=(files,), arguments=(), params={}, values={})

    with pytest.raises(ConfigError, match="training_data of step 'train' is files, not a table"):
        automl_record(session, broken, "e", Place(run_id="r", asked_at=0.0))


def test_metrics_are_lists_by_child(session: Session) -> None:
    def record(run_id: str, parent: str | None) -> RunRecord:
        return RunRecord(
            id=run_id,
            experiment="e",
            type="automl",
            status=RunStatus.RUNNING,
            created_at=1.0,
            parent_id=parent,
        )

    with session.write() as tx:
        tx.experiments.get_or_create("e")
        tx.runs.create(record("r", None))
        tx.runs.create(record("r_0", "r"))
        tx.runs.create(record("r_1", "r"))
        points = [MetricPoint(name="accuracy", value=0.5), MetricPoint(name="loss", value=None)]
        tx.metrics.log("r_0", points)

    assert metrics_by_child(session, "r") == {"r_0": {"accuracy": [0.5], "loss": [None]}}
