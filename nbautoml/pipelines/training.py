"""An AutoML run as a step: its row, made from the step's settings, and the files of its outputs."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any  # Any: JSON values, and metrics

from nbautoml.automl.artifacts import SERVED_MODEL
from nbautoml.automl.config import AutoMLConfig
from nbautoml.automl.export import ensure_bundle
from nbautoml.automl.submit import Place, record_of
from nbautoml.data.dataset import Dataset
from nbautoml.data.tabular import TabularDataset
from nbautoml.domain.records import RunRecord
from nbautoml.errors import ConfigError
from nbautoml.pipelines.data import METRICS
from nbautoml.pipelines.outputs import keep_output, load_output, save_outputs
from nbautoml.pipelines.resolved import ResolvedStep
from nbautoml.pipelines.tables import table_of
from nbautoml.runs import metrics as run_metrics
from nbautoml.runs.details import run_snapshot
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session

DATA = ("training_data", "validation_data", "test_data")
"""Settings that are data, and inputs of the step under the same names."""
DEFAULT_METRICS, DEFAULT_MODEL = "default_metrics_", "default_model_"
"""Beginnings of the names of outputs that were not asked for; the step's name follows."""


def automl_record(
    session: Session, resolved: ResolvedStep, experiment: str, place: Place
) -> RunRecord:
    """Keep the data of a step and return the row of its run, which nobody has written yet.

    Parameters
    ----------
    session : Session
        The open store.
    resolved : ResolvedStep
        The step.
    experiment : str
        Where the run belongs.
    place : Place
        Its id and parent.
    """
    data = {
        str(given["name"]): _dataset(session, resolved.step.name, given)
        for given in resolved.inputs
        if given["name"] in DATA
    }
    config = AutoMLConfig.from_dict(resolved.step.settings["config"], **data)
    return record_of(session, config, experiment, place)


def keep_training_outputs(session: Session, resolved: ResolvedStep, record: RunRecord) -> None:
    """Write the outputs of a step whose AutoML run has completed.

    A second call writes the same.

    Parameters
    ----------
    session : Session
        The open store.
    resolved : ResolvedStep
        The step.
    record : RunRecord
        Its run.

    Raises
    ------
    ModelError
        When the best model cannot be exported.
    """
    kept = []
    with tempfile.TemporaryDirectory(prefix="nbautoml-outputs-") as scratch:
        for output in resolved.step.outputs:
            written = Path(scratch) / output.name
            if output.training == METRICS:
                written.write_text(json.dumps(metrics_by_child(session, record.id)))
            else:
                written.write_bytes(_best_model(session, record.id).read_bytes())
            kept.append(keep_output(session, record.id, output, written))
    save_outputs(session, record.id, kept)


def metrics_by_child(session: Session, run_id: str) -> dict[str, dict[str, list[Any]]]:
    """Return the metrics of the models of a run, in the SDK's form.

    Returns
    -------
    dict
        Child id to name of the metric to a list of its values; NaN is None.
    """
    found = run_metrics.read(session, run_id, name=None, recursive=True)
    return {
        child: {name: [_json(value)] for name, value in values.items()}
        for child, values in found.items()
        if values
    }


def _best_model(session: Session, run_id: str) -> Path:
    best = run_snapshot(session, run_id).best_trial
    assert best is not None  # the run has completed
    ensure_bundle(session, run_id, best.number)
    return session.load_artifact(best.run_id, SERVED_MODEL)


def _dataset(session: Session, step: str, given: Mapping[str, Any]) -> TabularDataset:
    """Return the data of a setting as a dataset."""
    source = given["source"]
    if source["kind"] == "dataset":
        return Dataset.get_by_id(WorkspaceHandle(session), source["dataset"])
    if source["kind"] == "output" and given["table"] is not None:
        output = load_output(session, source["run"], source["output"])
        return table_of(session, output, given["table"])
    raise ConfigError(
        f"{given['name']} of step {step!r} is files, not a table. Say how they are read: "
        "data.as_dataset().parse_delimited_files() or parse_parquet_files()."
    )


def _json(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
