"""What rows a model takes: columns, kinds of values, categories and ranges seen in training."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any  # Any: cells of a frame, JSON values

import pandas as pd

MAX_CATEGORIES = 100
"""Most distinct values that are listed for a column; longer lists help nobody who reads them."""

JsonValue = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSchema:
    """One input column as it was in training.

    ``categories`` holds the values seen in a column of words or truth values with at most
    `MAX_CATEGORIES` of them; ``minimum`` and ``maximum`` those of numbers and dates. They
    describe, they do not forbid: a model takes values that it has not seen.
    """

    name: str
    dtype: str
    is_nullable: bool
    categories: tuple[JsonValue, ...] | None = None
    minimum: JsonValue = None
    maximum: JsonValue = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSchema:
    """Input and output of a model; ``classes`` is None for a number."""

    task: str
    label: str
    columns: tuple[ColumnSchema, ...]
    classes: tuple[JsonValue, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModelSchema:
        """Rebuild a schema from `to_dict`."""
        columns = (
            {**column, "categories": _tuple_of(column.get("categories"))}
            for column in values["columns"]
        )
        return cls(
            task=values["task"],
            label=values["label"],
            columns=tuple(ColumnSchema(**column) for column in columns),
            classes=_tuple_of(values.get("classes")),
        )


def _tuple_of(values: Sequence[JsonValue] | None) -> tuple[JsonValue, ...] | None:
    return None if values is None else tuple(values)


def describe_frame(
    X: pd.DataFrame, *, task: str, label: str, classes: Sequence[Any] | None = None
) -> ModelSchema:
    """Describe the training rows.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_columns)
        Raw training rows, without the label.
    task : str
        ``"classification"``, ``"regression"`` or ``"forecasting"``.
    label : str
        Name of the target column.
    classes : sequence, optional
        Labels that the model predicts.

    Examples
    --------
    >>> frame = pd.DataFrame({"age": [31, 45], "job": ["clerk", None]})
    >>> schema = describe_frame(frame, task="regression", label="pay")
    >>> [(c.name, c.is_nullable, c.maximum, c.categories) for c in schema.columns]
    [('age', False, 45, None), ('job', True, None, ('clerk',))]
    """
    return ModelSchema(
        task=task,
        label=label,
        columns=tuple(_describe_column(X[name]) for name in X.columns),
        classes=None if classes is None else tuple(to_json(c) for c in classes),
    )


def _describe_column(column: pd.Series[Any]) -> ColumnSchema:
    known = column.dropna()
    low: JsonValue = None
    high: JsonValue = None
    categories: tuple[JsonValue, ...] | None = None
    if _has_order(column) and len(known):
        low, high = to_json(known.min()), to_json(known.max())
    elif not _has_order(column):
        categories = _categories(known)
    return ColumnSchema(
        name=str(column.name),
        dtype=str(column.dtype),
        is_nullable=bool(column.isna().any()),
        categories=categories,
        minimum=low,
        maximum=high,
    )


def _has_order(column: pd.Series[Any]) -> bool:
    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    return is_number or pd.api.types.is_datetime64_any_dtype(column)


def _categories(known: pd.Series[Any]) -> tuple[JsonValue, ...] | None:
    values = {to_json(v) for v in known.unique()} if known.map(_is_hashable).all() else None
    if values is None or len(values) > MAX_CATEGORIES:
        return None
    return tuple(sorted(values, key=lambda v: (type(v).__name__, v if v is not None else "")))


def _is_hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def to_json(value: Any) -> JsonValue:
    """Return one cell as a JSON value: dates as ISO text, missing and infinite as None.

    Examples
    --------
    >>> to_json(pd.Timestamp("2026-01-31"))
    '2026-01-31T00:00:00'
    >>> to_json(float("nan")) is None
    True
    """
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, (str, bool, int)):
        return value
    item = getattr(value, "item", None)
    if not isinstance(value, float) and callable(item):
        return to_json(item())
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return str(value)


def to_rows(frame: pd.DataFrame) -> list[Mapping[str, JsonValue]]:
    """Return the rows of a frame as JSON objects."""
    columns = {str(name): [to_json(v) for v in frame[name]] for name in frame.columns}
    return [{name: values[i] for name, values in columns.items()} for i in range(frame.shape[0])]
