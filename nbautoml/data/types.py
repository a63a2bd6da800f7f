"""Column types that a caller may set, and how a column is turned into them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any  # Any: JSON values

import numpy as np
import pandas as pd

from nbautoml.errors import ConfigError, DatasetError, did_you_mean

TRUE_WORDS = ("true", "t", "yes", "y", "1", "1.0")
FALSE_WORDS = ("false", "f", "no", "n", "0", "0.0")


class PromoteHeadersBehavior(Enum):
    """Which of several delimited files begin with a line of column names.

    ``header=True`` means ``ALL_FILES_HAVE_SAME_HEADERS``, ``header=False`` ``NO_HEADERS``.
    """

    NO_HEADERS = 0
    ONLY_FIRST_FILE_HAS_HEADERS = 1
    COMBINE_ALL_FILES_HEADERS = 2
    ALL_FILES_HAVE_SAME_HEADERS = 3


@dataclass(frozen=True, slots=True)
class DataType:
    """Type of a column, for ``set_column_types``; made by the ``to_…`` methods.

    Examples
    --------
    >>> DataType.to_datetime("%d.%m.%Y").to_dict()
    {'kind': 'datetime', 'formats': ['%d.%m.%Y']}
    >>> DataType.from_dict({"kind": "long"}) == DataType.to_long()
    True
    """

    kind: str
    formats: tuple[str, ...] = ()

    @staticmethod
    def to_string() -> DataType:
        """Text, exactly as it stands in the file (leading zeros stay)."""
        return DataType("string")

    @staticmethod
    def to_long() -> DataType:
        """Whole numbers; a column with missing values holds them as floats."""
        return DataType("long")

    @staticmethod
    def to_float(decimal_mark: str = ".") -> DataType:
        """Numbers; `decimal_mark` is ``"."`` or ``","``."""
        if decimal_mark not in (".", ","):
            raise ConfigError(f"decimal_mark must be '.' or ','; got {decimal_mark!r}.")
        return DataType("float", () if decimal_mark == "." else (decimal_mark,))

    @staticmethod
    def to_bool() -> DataType:
        """True or false; understands true/false, yes/no, t/f, y/n and 1/0 in any case."""
        return DataType("bool")

    @staticmethod
    def to_datetime(formats: str | list[str] | tuple[str, ...] | None = None) -> DataType:
        """Dates and times; `formats` are ``strptime`` patterns, tried in order."""
        if formats is None:
            return DataType("datetime")
        return DataType("datetime", (formats,) if isinstance(formats, str) else tuple(formats))

    def to_dict(self) -> dict[str, Any]:
        """Return the type as JSON-safe values."""
        return {"kind": self.kind, **({"formats": list(self.formats)} if self.formats else {})}

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> DataType:
        """Rebuild a type from `to_dict`."""
        return DataType(values["kind"], tuple(values.get("formats", ())))


def accept_column_types(value: Mapping[str, DataType] | None) -> dict[str, DataType]:
    """Return checked ``set_column_types``.

    Raises
    ------
    ConfigError
        When a value is not a `DataType`.
    """
    if value is None:
        return {}
    for name, data_type in value.items():
        if not isinstance(data_type, DataType):
            raise ConfigError(
                f"set_column_types: the type of column {name!r} must be a DataType, such as "
                f"DataType.to_string(); got {data_type!r}."
            )
    return {str(name): data_type for name, data_type in value.items()}


def convert_columns(
    frame: pd.DataFrame, types: Mapping[str, DataType], *, on_error: str = "null"
) -> pd.DataFrame:
    """Return the frame with columns in the types that were set.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns to convert hold text or anything that pandas made of them.
    types : mapping of str to DataType
        The type of each column to convert.
    on_error : {"null", "fail"}, default "null"
        What a value that does not fit becomes: a missing value with one warning a column,
        or an error.

    Raises
    ------
    DatasetError
        When a named column does not exist, or a value does not fit and `on_error` is
        ``"fail"``.
    """
    if on_error not in ("null", "fail"):
        raise ConfigError(f"on_error must be 'null' or 'fail'; got {on_error!r}.")
    converted: dict[str, pd.Series[Any]] = {}
    for name, data_type in types.items():
        if name not in frame.columns:
            raise DatasetError(
                f"set_column_types names the column {name!r}, which is not in the data."
                f"{did_you_mean(name, frame.columns)} Columns: {shorten(frame.columns)}."
            )
        before = frame[name]
        after = _convert(before, data_type)
        _report_lost(before, after, data_type, on_error)
        converted[name] = after
    return frame.assign(**converted) if converted else frame


def shorten(names: Any, limit: int = 20) -> str:  # Any: an index or any iterable of names
    """Return names as one line of text, at most `limit` of them."""
    listed = [str(name) for name in names]
    more = f" and {len(listed) - limit} more" if len(listed) > limit else ""
    return ", ".join(repr(name) for name in listed[:limit]) + more


def _convert(column: pd.Series[Any], data_type: DataType) -> pd.Series[Any]:
    if data_type.kind == "string":
        return column.where(column.isna(), column.astype(str)).astype("str")
    if data_type.kind == "bool":
        return _to_bool(column)
    if data_type.kind == "datetime":
        return _to_datetime(column, data_type.formats)
    return _to_number(column, data_type)


def _to_number(column: pd.Series[Any], data_type: DataType) -> pd.Series[Any]:
    text = column
    if data_type.formats and not pd.api.types.is_numeric_dtype(column):
        plain = column.astype("str").str.replace(".", "", regex=False)
        text = plain.str.replace(",", ".", regex=False)
    numbers = pd.to_numeric(text, errors="coerce")
    if data_type.kind == "float":
        return numbers.astype("float64")
    whole = numbers.where(numbers.isna() | (numbers == numbers.round()))
    return whole.astype("float64" if whole.isna().any() else "int64")


def _to_bool(column: pd.Series[Any]) -> pd.Series[Any]:
    words = column.astype("str").str.strip().str.lower()
    values = np.full(len(column), None, dtype=object)
    values[words.isin(TRUE_WORDS).to_numpy(dtype=bool)] = True
    values[words.isin(FALSE_WORDS).to_numpy(dtype=bool)] = False
    result = pd.Series(values, index=column.index, name=column.name)
    return result if result.isna().any() else result.astype(bool)


def _to_datetime(column: pd.Series[Any], formats: tuple[str, ...]) -> pd.Series[Any]:
    if not formats:
        return pd.to_datetime(column, errors="coerce", format="mixed")
    result = pd.to_datetime(column, errors="coerce", format=formats[0])
    for pattern in formats[1:]:
        result = result.fillna(pd.to_datetime(column, errors="coerce", format=pattern))
    return result


def _report_lost(
    before: pd.Series[Any], after: pd.Series[Any], data_type: DataType, on_error: str
) -> None:
    lost = (before.notna() & after.isna()).to_numpy(dtype=bool)
    if not lost.any():
        return
    first = int(lost.argmax())
    found = (
        f"column {before.name!r}: {int(lost.sum())} of {len(before)} values are no "
        f"{data_type.kind}; the first is {str(before.iloc[first])!r} in data row {first + 1}"
    )
    if on_error == "fail":
        raise DatasetError(
            f"{found}. Correct the values, or read them as missing with on_error='null'."
        )
    warnings.warn(f"{found}. They are read as missing values.", UserWarning, stacklevel=4)
