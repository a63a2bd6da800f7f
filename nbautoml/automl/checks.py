"""Checks between settings of a run: metric and task, models and task, label and data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any  # Any: values of settings

from nbautoml.automl import model_names
from nbautoml.automl.featurization_config import FeaturizationConfig
from nbautoml.domain.metrics import get_primary_metrics
from nbautoml.domain.tasks import Task
from nbautoml.errors import ConfigError, NotAvailableError, did_you_mean

_SHOWN_COLUMNS = 12


def refuse_forecasting(task: object) -> None:
    """Raise NotAvailableError for the task that is planned."""
    if isinstance(task, str) and task.lower() == Task.FORECASTING:
        raise NotAvailableError(
            "task='forecasting' of AutoMLConfig is not available yet; it is planned. "
            "Today task is 'classification' or 'regression'."
        )


def check_metric(values: Mapping[str, Any]) -> None:
    """Check that the primary metric belongs to the task."""
    metric, task = values["primary_metric"], values["task"]
    valid = get_primary_metrics(task)
    if metric is not None and metric not in valid:
        raise ConfigError(
            f"primary_metric of AutoMLConfig must be one of {valid} for task {task!r}; "
            f"got {metric!r}.{did_you_mean(metric, valid)}"
        )


def models_for_task(values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return ``allowed_models`` and ``blocked_models`` (those given) with names of the task.

    Raises
    ------
    NotAvailableError
        When a model is asked for that no run trains yet.
    ConfigError
        When a model belongs to another task, or none is left.
    """
    task = Task(values["task"])
    valid = model_names.AVAILABLE[task]
    named = {
        option: list(dict.fromkeys(model_names.for_task(name, task) for name in values[option]))
        for option in ("allowed_models", "blocked_models")
        if values[option] is not None
    }
    for name in named.get("allowed_models", ()):
        _check_allowed(name, task, valid)
    left = [
        n for n in named.get("allowed_models", valid) if n not in named.get("blocked_models", ())
    ]
    if not left:
        raise ConfigError(
            f"allowed_models and blocked_models of AutoMLConfig leave no model to try; "
            f"available for {task.value} are {list(valid)}."
        )
    return named


def _check_allowed(name: str, task: Task, valid: Sequence[str]) -> None:
    if name in valid or ":" in name:  # a family of the user's own is checked when it is loaded
        return
    if name in model_names.PLANNED:
        raise NotAvailableError(
            f"allowed_models of AutoMLConfig asks for {name!r}, which is not available yet. "
            f"Available for {task.value} are {list(valid)}."
        )
    raise ConfigError(
        f"allowed_models of AutoMLConfig must be among {list(valid)} for task {task.value!r}; "
        f"got {name!r}."
    )


def check_validation(values: Mapping[str, Any]) -> None:
    """Check that at most one way of validation is given."""
    if values["validation_data"] is None:
        if values["validation_size"] == 1:
            raise ConfigError(
                "validation_size of AutoMLConfig must be a number above 0 and below 1; got 1."
            )
        return
    for other in ("n_cross_validations", "validation_size"):
        if values[other] is not None:
            raise ConfigError(
                f"AutoMLConfig got both validation_data and {other}; give one of them: "
                f"models are scored either on rows of their own or on parts of training_data."
            )


def check_data(values: Mapping[str, Any]) -> None:
    """Check that there is data, and that the label is a column of it."""
    label = values["label_column_name"]
    if values["training_data"] is None:
        raise ConfigError("training_data of AutoMLConfig is missing; give a dataset or DataFrame.")
    columns = known_columns(values["training_data"])
    if label is None:
        raise ConfigError(
            f"label_column_name of AutoMLConfig is missing; name the column to predict"
            f"{_listing(columns)}."
        )
    for name in ("training_data", "validation_data"):
        columns = known_columns(values[name])
        if columns is not None and label not in columns:
            texts = [str(column) for column in columns]
            raise ConfigError(
                f"label_column_name of AutoMLConfig is {label!r}, which is no column of {name}"
                f"{_listing(columns)}.{did_you_mean(str(label), texts)}"
            )


def check_featurization(values: Mapping[str, Any]) -> None:
    """Check that the columns that a FeaturizationConfig names are in the data."""
    featurization = values["featurization"]
    columns = known_columns(values["training_data"])
    if not isinstance(featurization, FeaturizationConfig) or columns is None:
        return
    texts = [str(column) for column in columns]
    label = str(values["label_column_name"])
    for name in featurization.named_columns:
        if name == label:
            raise ConfigError(
                f"featurization of AutoMLConfig names {name!r}, which is the label; features are "
                "made from the other columns."
            )
        if name not in texts:
            raise ConfigError(
                f"featurization of AutoMLConfig names {name!r}, which is no column of "
                f"training_data{_listing(columns)}.{did_you_mean(name, texts)}"
            )


def known_columns(data: object) -> list[str | int] | None:
    """Return the column names of a frame or dataset that knows them without reading rows.

    Examples
    --------
    >>> import pandas as pd
    >>> known_columns(pd.DataFrame({"a": [1]}))
    ['a']
    >>> known_columns(None) is None
    True
    """
    columns = getattr(data, "columns", None)
    if columns is None or isinstance(columns, str) or callable(columns):
        return None
    return list(columns)


def _listing(columns: Sequence[str | int] | None) -> str:
    if columns is None:
        return ""
    shown = ", ".join(str(c) for c in columns[:_SHOWN_COLUMNS])
    more = len(columns) - _SHOWN_COLUMNS
    return f" ({shown}{f' and {more} more' if more > 0 else ''})"
