"""Checks between settings of a run: metric and task, models and task, label and data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any  # Any: values of settings

import pandas as pd

from nbautoml.automl import model_names
from nbautoml.automl.featurization_config import FeaturizationConfig
from nbautoml.domain.metrics import METRICS, get_primary_metrics, metrics_for
from nbautoml.domain.tasks import Task
from nbautoml.engine.ensemble.names import META_LEARNERS
from nbautoml.engine.target import TargetEncoding
from nbautoml.errors import ConfigError, NotAvailableError, did_you_mean
from nbautoml.registry.extras import check_extra
from nbautoml.registry.onnx.families import CONVERTIBLE, NOT_CONVERTIBLE
from nbautoml.runtime import parsing

_SHOWN_COLUMNS = 12
_OWN_FAMILY = "a family of your own has no converter."
_ASIDE = ("weight_column_name", "group_column_name", "cv_split_column_names")


def refuse_forecasting(task: object) -> None:
    """Raise NotAvailableError for the task that is planned."""
    if isinstance(task, str) and task.lower() == Task.FORECASTING:
        raise NotAvailableError(
            "task='forecasting' of AutoMLConfig is not available yet; it is planned. "
            "Today task is 'classification' or 'regression'."
        )


def check_metric(values: Mapping[str, Any]) -> None:
    """Check that the run reports its primary metric."""
    name, task = values["primary_metric"], values["task"]
    has_positive = values["positive_label"] is not None
    reported = [spec.name for spec in metrics_for(Task(task), has_positive=has_positive)]
    if name is None or name in reported:
        return
    if name in METRICS and Task(task) in METRICS[name].tasks:
        raise ConfigError(
            f"primary_metric={name!r} of AutoMLConfig is of one class; name it with positive_label."
        )
    usual = get_primary_metrics(task)
    raise ConfigError(
        f"primary_metric of AutoMLConfig must be one of {usual}, or another metric of "
        f"task {task!r}; got {name!r}.{did_you_mean(name, reported)}"
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
    valid = model_names.available(task)
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
    if values["enable_onnx_compatible_models"]:
        _check_convertible(left)
    if not left:
        raise ConfigError(
            f"allowed_models and blocked_models of AutoMLConfig leave no model to try; "
            f"available for {task.value} are {list(valid)}."
        )
    return named


def _check_allowed(name: str, task: Task, valid: Sequence[str]) -> None:
    if name in valid or ":" in name:  # a family of the user's own is checked when it is loaded
        return
    if not model_names.is_installed(name) and task is not Task.FORECASTING:
        package = model_names.OPTIONAL[name]
        raise NotAvailableError(
            f"allowed_models of AutoMLConfig asks for {name!r}, which needs the package {package}. "
            f"Install it (pip install 'nbautoml[{package}]'), or choose among {list(valid)}."
        )
    if name in model_names.PLANNED:
        raise NotAvailableError(
            f"allowed_models of AutoMLConfig asks for {name!r}, which is not available yet. "
            f"Available for {task.value} are {list(valid)}."
        )
    raise ConfigError(
        f"allowed_models of AutoMLConfig must be among {list(valid)} for task {task.value!r}; "
        f"got {name!r}."
    )


def _check_convertible(names: Sequence[str]) -> None:
    """Check that a model is left that can be written as ONNX."""
    if not names or any(name in CONVERTIBLE for name in names):
        return
    reasons = [f"{name}: {NOT_CONVERTIBLE.get(name, _OWN_FAMILY)}" for name in names]
    raise ConfigError(
        "enable_onnx_compatible_models of AutoMLConfig leaves no model to try; none of these can "
        f"be written as ONNX: {' '.join(reasons)}"
    )


def check_packages(values: Mapping[str, Any]) -> None:
    """Check that the packages are there which a setting needs at the end of a run.

    Raises
    ------
    MissingExtraError
        When one is not installed; better now than after the run.
    """
    if values["enable_onnx_compatible_models"]:
        purpose = "write ONNX models (enable_onnx_compatible_models of AutoMLConfig)"
        check_extra("onnx", "onnxruntime", extra="onnx", purpose=purpose)
    if values["save_mlflow"]:
        purpose = "write models in MLflow's format (save_mlflow of AutoMLConfig)"
        check_extra("mlflow", extra="mlflow", purpose=purpose)


def check_stack(values: Mapping[str, Any]) -> None:
    """Check that the model on top of a stack is one of the task, and that its settings suit it."""
    name, settings = values["stack_meta_learner_type"], values["stack_meta_learner_kwargs"]
    valid = META_LEARNERS[Task(values["task"])]
    if name is not None and name not in valid:
        raise ConfigError(
            f"stack_meta_learner_type of AutoMLConfig must be one of {list(valid)} for task "
            f"{values['task']!r}; got {name!r}."
        )
    if settings:
        # Loads the machine-learning stack, which a config does not need otherwise.
        from nbautoml.engine.ensemble.meta_learner import check_meta_learner

        check_meta_learner(name or valid[0], settings)


_WAYS = ("validation_data", "cv_splits_indices", "cv_split_column_names")
"""Ways of validation of which each leaves nothing else to say."""
_OTHER_WAYS = ("n_cross_validations", "validation_size", "group_column_name")


def check_validation(values: Mapping[str, Any]) -> None:
    """Check that at most one way of validation, and one of testing, is given."""
    for name in ("validation_size", "test_size"):
        if values[name] == 1:
            raise ConfigError(
                f"{name} of AutoMLConfig must be a number above 0 and below 1; got 1."
            )
    given = [name for name in _WAYS if values[name] is not None]
    others = [name for name in _OTHER_WAYS if values[name] is not None]
    if given and (len(given) > 1 or others):
        raise ConfigError(
            f"AutoMLConfig got both {given[0]} and {(given[1:] + others)[0]}; give one of them: "
            f"models are scored either on rows of their own or on parts of training_data, and "
            "those parts are either given or drawn."
        )
    if values["n_cross_validations"] == "auto" and values["validation_size"] is not None:
        raise ConfigError(
            "AutoMLConfig got n_cross_validations='auto' and validation_size; with the latter, "
            "n_cross_validations must be a number of random splits, or be left out."
        )
    _check_test(values)


def _check_test(values: Mapping[str, Any]) -> None:
    """Check the settings of a test run; the SDK documents what excludes it."""
    if values["test_data"] is not None and values["test_size"]:
        raise ConfigError(
            "AutoMLConfig got both test_data and test_size; give one of them: the best model is "
            "tested either on rows of their own or on a part of training_data."
        )
    test = "test_data" if values["test_data"] is not None else "test_size"
    if not values["test_size"] and values["test_data"] is None:
        return
    if values["cv_split_column_names"] is not None:
        raise ConfigError(
            f"AutoMLConfig got both cv_split_column_names and {test}; leave one out. Score "
            "the fitted model on rows of your own instead of a test run."
        )
    if values["cv_splits_indices"] is not None and test == "test_size":
        raise ConfigError(
            "AutoMLConfig got both cv_splits_indices and test_size; rows that are set aside would "
            "change the positions of the others. Give test_data instead of test_size."
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
    _check_columns_aside(values)


def check_positive_label(values: Mapping[str, Any]) -> None:
    """Check that the positive class is a class of the label, as far as that is known now.

    The label of a dataset is read by the run, which checks it then.
    """
    label, data = values["positive_label"], values["training_data"]
    if label is None:
        return
    if Task(values["task"]) is not Task.CLASSIFICATION:
        raise ConfigError(
            f"positive_label of AutoMLConfig is {label!r}, but task is {values['task']!r}, which "
            "has no classes. Leave it out, or set task='classification'."
        )
    labels = data[values["label_column_name"]] if isinstance(data, pd.DataFrame) else None
    if isinstance(labels, pd.Series):
        _, classes = parsing.distinct(labels)
        TargetEncoding(task=Task.CLASSIFICATION, classes=tuple(classes)).code_of(label)


def columns_aside(values: Mapping[str, Any]) -> list[str]:
    """Return the columns beside the label that are no features, as texts.

    Examples
    --------
    >>> columns_aside({"weight_column_name": "w", "group_column_name": None,
    ...     "cv_split_column_names": ["cv1", "cv2"]})
    ['w', 'cv1', 'cv2']
    """
    named = (values["weight_column_name"], *(values["cv_split_column_names"] or ()))
    return [str(name) for name in (*named, values["group_column_name"]) if name is not None]


def _check_columns_aside(values: Mapping[str, Any]) -> None:
    """Check that columns which say something about rows are in the data, and not the label."""
    label = str(values["label_column_name"])
    needed = {"training_data": _ASIDE, "validation_data": _ASIDE[:1], "test_data": _ASIDE[:1]}
    for data, settings in needed.items():
        columns = known_columns(values[data])
        if columns is None:
            continue
        texts = [str(column) for column in columns]
        for setting in settings:
            given = values[setting]
            for name in given if isinstance(given, list) else [given] if given is not None else []:
                _check_aside(setting, str(name), label=label, data=data, columns=texts)
    splits = values["cv_split_column_names"] or []
    if len(set(splits)) < len(splits):
        raise ConfigError(
            "cv_split_column_names of AutoMLConfig names a column more than once; each column is "
            "one split."
        )


def _check_aside(setting: str, name: str, *, label: str, data: str, columns: Sequence[str]) -> None:
    if name == label:
        raise ConfigError(
            f"{setting} of AutoMLConfig is {name!r}, which is the label; it must be another column."
        )
    if name not in columns:
        raise ConfigError(
            f"{setting} of AutoMLConfig is {name!r}, which is no column of {data}"
            f"{_listing(columns)}.{did_you_mean(name, columns)}"
        )


def check_featurization(values: Mapping[str, Any]) -> None:
    """Check that the columns that a FeaturizationConfig names are in the data."""
    featurization = values["featurization"]
    columns = known_columns(values["training_data"])
    if not isinstance(featurization, FeaturizationConfig) or columns is None:
        return
    texts = [str(column) for column in columns]
    label, aside = str(values["label_column_name"]), columns_aside(values)
    for name in featurization.named_columns:
        if name == label:
            raise ConfigError(
                f"featurization of AutoMLConfig names {name!r}, which is the label; features are "
                "made from the other columns."
            )
        if name in aside:
            raise ConfigError(
                f"featurization of AutoMLConfig names {name!r}, which is no feature: it says how "
                "rows count or are split."
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
