"""Settings in the forms of 2018 to 2020, turned into those of today."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any  # Any: values of settings, data as users give it

import numpy as np
import pandas as pd

from nbautoml.errors import ConfigError, DatasetError

_DEFAULT_LABEL = "y"
_WEIGHT = "sample_weight"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Conversion:
    """How one old setting becomes a setting of today."""

    old: str
    new: str
    convert: Callable[[Any], Any]


_CONVERSIONS = (
    _Conversion(
        old="experiment_timeout_hours",
        new="experiment_timeout_minutes",
        convert=lambda hours: hours * 60.0,
    ),
    _Conversion(
        old="max_time_sec", new="iteration_timeout_minutes", convert=lambda seconds: seconds / 60.0
    ),
    _Conversion(old="preprocess", new="featurization", convert=lambda on: "auto" if on else "off"),
)
_IS_OLD = {"max_time_sec", "preprocess"}


def modernise(given: dict[str, Any], *, warn: Callable[[str], None]) -> dict[str, Any]:
    """Return given settings without old forms.

    Parameters
    ----------
    given : dict
        Checked values of the settings that the user gave.
    warn : callable
        Takes one sentence for each old form.

    Returns
    -------
    dict
        A new dict: hours and seconds as minutes, ``preprocess`` as ``featurization``,
        ``X`` and ``y`` as ``training_data`` with its label column, ``sample_weight`` as a column
        of it.

    Raises
    ------
    ConfigError
        When the same thing is given in both forms, or one of a pair is missing.
    """
    settings = dict(given)
    for conversion in _CONVERSIONS:
        if conversion.old not in settings:
            continue
        if conversion.new in settings:
            raise ConfigError(
                f"AutoMLConfig got both {conversion.old} and {conversion.new}; give one of them."
            )
        if conversion.old in _IS_OLD:
            warn(f"{conversion.old} of AutoMLConfig is an old name; write {conversion.new}.")
        settings[conversion.new] = conversion.convert(settings.pop(conversion.old))
    weights = {n: settings.pop(n) for n in (_WEIGHT, f"{_WEIGHT}_valid") if n in settings}
    is_old = {"training_data": "X" in settings, "validation_data": "X_valid" in settings}
    return _join_weights(_join_labels(settings, warn=warn), weights, is_old)


def _join_weights(
    settings: dict[str, Any], weights: dict[str, Any], is_old: dict[str, bool]
) -> dict[str, Any]:
    """Make columns of weights that came beside X and X_valid."""
    if not weights:
        return settings
    if "weight_column_name" in settings or not is_old["training_data"]:
        raise ConfigError(
            f"{', '.join(weights)} of AutoMLConfig belong to X and y. With training_data, make the "
            "weights a column of it and name it in weight_column_name."
        )
    for name, data in ((_WEIGHT, "training_data"), (f"{_WEIGHT}_valid", "validation_data")):
        if data not in settings and name not in weights:
            continue
        if name not in weights or not is_old[data]:
            raise ConfigError(
                "sample_weight and sample_weight_valid of AutoMLConfig go together: one for the "
                "rows of X, one for those of X_valid, where it is given."
            )
        frame, _ = join_label(settings[data], weights[name], _WEIGHT, of=(data, name))
        settings[data] = frame
    return settings | {"weight_column_name": _WEIGHT}


def _join_labels(settings: dict[str, Any], *, warn: Callable[[str], None]) -> dict[str, Any]:
    """Replace X, y, X_valid and y_valid by frames that hold the label."""
    label = settings.get("label_column_name")
    for features, labels, data in (
        ("X", "y", "training_data"),
        ("X_valid", "y_valid", "validation_data"),
    ):
        if features not in settings and labels not in settings:
            continue
        missing = [name for name in (features, labels) if name not in settings]
        if missing:
            raise ConfigError(
                f"AutoMLConfig got only one of {features} and {labels}: {missing[0]} is missing. "
                f"Better: give {data} with the label in it, and label_column_name."
            )
        if data in settings:
            raise ConfigError(f"AutoMLConfig got both {features} and {data}; give one of them.")
        warn(
            f"{features} and {labels} of AutoMLConfig are old names; "
            f"write {data} and label_column_name."
        )
        frame, label = join_label(settings.pop(features), settings.pop(labels), label)
        settings[data] = frame
        settings["label_column_name"] = label
    return settings


def join_label(
    features: object,
    labels: object,
    name: str | int | None = None,
    *,
    of: tuple[str, str] = ("X", "y"),
) -> tuple[pd.DataFrame, str | int]:
    """Return one frame of features and labels, and the name of its label column.

    Parameters
    ----------
    features : DataFrame, TabularDataset or array of shape (n_rows, n_columns)
        Columns of an array are called ``column_0``, ``column_1`` and so on.
    labels : Series, DataFrame, TabularDataset or array of shape (n_rows,) or (n_rows, 1)
        One label a row, in the same order.
    name : str or int, optional
        Name of the label column; else that of `labels`, else ``y``.
    of : tuple of (str, str)
        What messages call the two.

    Raises
    ------
    DatasetError
        When the sizes differ, or a column has the label's name already.

    Examples
    --------
    >>> frame, label = join_label([[1.0], [2.0]], [0, 1])
    >>> list(frame.columns), label
    (['column_0', 'y'], 'y')
    """
    frame = _as_frame(features)
    column = _as_column(labels)
    if len(frame) != len(column):
        raise DatasetError(
            f"{of[0]} has {len(frame):,} rows and {of[1]} has {len(column):,}; they must match."
        )
    if name is None:
        name = _DEFAULT_LABEL if column.name is None else _name_of(column)
    if name in frame.columns:
        raise DatasetError(
            f"{of[0]} has a column {name!r}, so {of[1]} cannot become a column of that name; take "
            f"it out of {of[0]}."
        )
    joined = frame.copy()
    joined[name] = column.to_numpy()
    return joined, name


def _name_of(column: pd.Series) -> str | int:
    return column.name if isinstance(column.name, (str, int)) else str(column.name)


def _as_frame(value: object) -> pd.DataFrame:
    plain = _plain(value)
    if isinstance(plain, pd.DataFrame):
        return plain
    if isinstance(plain, pd.Series):
        return plain.to_frame()
    array = np.asarray(plain)
    if array.ndim != 2:
        raise DatasetError(f"X must have rows and columns; got an array of shape {array.shape}.")
    return pd.DataFrame(array, columns=[f"column_{i}" for i in range(array.shape[1])])


def _as_column(value: object) -> pd.Series:
    plain = _plain(value)
    if isinstance(plain, pd.DataFrame):
        if plain.shape[1] != 1:
            raise DatasetError(f"y must have one column; got {plain.shape[1]}.")
        return plain.iloc[:, 0]
    if isinstance(plain, pd.Series):
        return plain
    array = np.asarray(plain)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DatasetError(f"y must have one value a row; got an array of shape {array.shape}.")
    return pd.Series(array)


def _plain(value: object) -> object:
    """Return a dataset as a frame, and anything else as it is; sparse arrays are refused."""
    to_frame = getattr(value, "to_pandas_dataframe", None)
    if callable(to_frame):
        frame: object = to_frame()
        return frame
    if hasattr(value, "tocsr"):
        raise DatasetError(
            "X is a sparse matrix, which cannot be stored as a table. "
            "Give a DataFrame, with texts as they are: the run makes features from them."
        )
    return value
