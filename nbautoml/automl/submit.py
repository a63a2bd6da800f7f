"""From a configuration to a run that has begun, without waiting for anything."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any  # Any: settings are JSON values

from nbautoml.automl.automl_run import AutoMLRun
from nbautoml.automl.checks import columns_aside, known_columns
from nbautoml.automl.config import AutoMLConfig
from nbautoml.automl.graphics_cards import check_families
from nbautoml.automl.run_data import save_splits
from nbautoml.compute.target import check_target
from nbautoml.data.dataset import capture
from nbautoml.domain.ids import new_run_id
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.engine.validation import check_range
from nbautoml.runs.controller import launch
from nbautoml.runs.experiment import Experiment
from nbautoml.store.session import Session

__all__ = ["Place", "check_place", "record_of", "submit_config"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a run of AutoML is called, and what it is a part of.

    Parameters
    ----------
    run_id : str
        Its id.
    asked_at : float
        When it was asked for, in seconds since the epoch; its time counts from there.
    parent_id, number : str and int, optional
        The run of the pipeline that it is a step of, and which one.
    display_name : str
        A name for people.
    tags, properties : mapping of str to str
        Kept with the run.
    """

    run_id: str
    asked_at: float
    parent_id: str | None = None
    number: int | None = None
    display_name: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)


def submit_config(
    config: AutoMLConfig,
    experiment: Experiment,
    *,
    tags: Mapping[str, str] | None = None,
    show_output: bool = False,
) -> AutoMLRun:
    """Keep the data, record the run and start its controller.

    Parameters
    ----------
    config : AutoMLConfig
        The settings; they were checked when it was made.
    experiment : Experiment
        Where the run belongs.
    tags : mapping of str to str, optional
        Kept with the run.
    show_output : bool, default False
        Whether to wait and print what happens.

    Returns
    -------
    AutoMLRun
    """
    asked_at = time.time()  # the run's time counts from here, keeping the data included
    place = Place(run_id=new_run_id("AutoML"), asked_at=asked_at, tags=dict(tags or {}))
    record = record_of(experiment.session, config, experiment.name, place)
    with experiment.session.write() as tx:
        tx.experiments.get_or_create(experiment.name)
        tx.runs.create(record)
    splits = config.values["cv_splits_indices"] or ()
    if splits:
        save_splits(experiment.session, record.id, splits)
    launch(experiment.session, record.id)
    run = AutoMLRun(experiment, record.id)
    if show_output:
        run.wait_for_completion(show_output=True)
    return run


def check_place(session: Session, config: AutoMLConfig) -> None:
    """Look whether the compute target of a configuration can do what it asks.

    Raises
    ------
    ComputeTargetException
        When there is no such target, or it has no graphics card where one is asked for.
    """
    needs_gpu = bool(config.values["enable_gpu"])
    check_target(session, config.values.get("compute_target"), needs_gpu=needs_gpu)
    if needs_gpu:
        check_families(config)


def record_of(session: Session, config: AutoMLConfig, experiment: str, place: Place) -> RunRecord:
    """Keep the data of a run and return its row, which nobody has written yet.

    Parameters
    ----------
    session : Session
        The open store.
    config : AutoMLConfig
        The settings; they were checked when it was made.
    experiment : str
        Where the run belongs.
    place : Place
        Its id, and what it is a part of.

    Raises
    ------
    NbAutoMLError
        When data or compute target are not as the settings say: better now than in the run.
    """
    check_place(session, config)
    label = str(config.values["label_column_name"])
    training = capture(session, config.values["training_data"], label=label)
    if training.n_rows is not None:  # else the run finds out
        check_range(config.values["cv_splits_indices"] or (), training.n_rows)
    settings: dict[str, Any] = {
        "config": config.to_dict(),
        "task": str(config.values["task"]),
        "label": label,
        "compute_target": config.values.get("compute_target") or "local",
        "dataset": _name_of(config.values["training_data"]),
        "training_data": training.id,
        "validation_data": None,
        "test_data": None,
        "columns_aside": columns_aside(config.values),
    }
    if config.values.get("validation_data") is not None:
        captured = capture(session, config.values["validation_data"], label=label)
        settings["validation_data"] = captured.id
    if config.values.get("test_data") is not None:
        test_data = config.values["test_data"]
        has_label = label in map(str, known_columns(test_data) or [label])
        settings["test_data"] = capture(session, test_data, label=label if has_label else "").id
    return RunRecord(
        id=place.run_id,
        experiment=experiment,
        type="automl",
        status=RunStatus.NOT_STARTED,
        created_at=place.asked_at,
        parent_id=place.parent_id,
        number=place.number,
        display_name=place.display_name,
        settings=settings,
        tags={k: str(v) for k, v in place.tags.items()},
        properties={**_properties(config, label), **place.properties},
    )


def _properties(config: AutoMLConfig, label: str) -> dict[str, str]:
    """Return the parent properties that notebooks read, in the SDK's names."""
    values = config.values
    found = {
        "num_iterations": values.get("iterations"),
        "training_type": "TrainFull",
        "primary_metric": values.get("primary_metric"),
        "task_type": values.get("task"),
        "target": values.get("compute_target") or "local",
        "label_column_name": label,
        "num_cross_validation": values.get("n_cross_validations"),
        "runTemplate": "AutoML",
    }
    return {k: str(v) for k, v in found.items() if v is not None}


def _name_of(data: object) -> str:
    """Return how people know the data: a dataset's name and version, or what it is."""
    name = getattr(data, "name", None)
    if isinstance(name, str) and name:
        return f"{name}:{getattr(data, 'version', '')}".rstrip(":")
    return type(data).__name__
