"""Read raw columns of any pandas type as numbers, truth values, dates, categories or texts.

Each reader works on the distinct values of a column and never lets ``pd.NA``, infinities or
extension arrays through: what comes out are plain NumPy arrays (and, for categories, a
`pandas.Categorical` whose categories are strings).
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from typing import Any  # Any: cells of a raw table can hold any object

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

FLOAT32_MAX = float(np.finfo(np.float32).max)

NULL_WORDS = frozenset(
    {"", "na", "n/a", "#n/a", "nan", "nat", "<na>", "null", "none", "nil", "?", "-", "--", "."}
    | {"inf", "+inf", "-inf", "infinity", "-infinity"}
)
"""Texts that stand for a missing number, truth value or date (in any case)."""

TRUTH_WORDS: tuple[tuple[frozenset[str], frozenset[str]], ...] = (
    (frozenset({"yes", "y"}), frozenset({"no", "n"})),
    (frozenset({"true", "t"}), frozenset({"false", "f"})),
    (frozenset({"on"}), frozenset({"off"})),
)
"""Families of words for true and false; words of two families are never mixed."""

_TRUE = frozenset().union(*(true for true, _ in TRUTH_WORDS), {"1", "1.0"})
_FALSE = frozenset().union(*(false for _, false in TRUTH_WORDS), {"0", "0.0"})

_MONEY = r"(?:[$€£¥₹]|(?:USD|EUR|GBP|CHF|JPY|INR|CAD|AUD)\b)"
_DIGITS = {
    ".": r"(?:\d{1,3}(?:[,' ]\d{3})+(?:\.\d+)?|\d+(?:\.\d*)?|\.\d+)",
    ",": r"(?:\d{1,3}(?:[.' ]\d{3})+(?:,\d+)?|\d+(?:,\d*)?|,\d+)",
}
_NUMBER = {
    decimal: re.compile(
        rf"(?P<open>\()?\s*(?P<sign>[+-])?\s*{_MONEY}?\s*(?P<sign2>[+-])?"
        rf"(?P<digits>{digits}(?:[eE][+-]?\d+)?)\s*(?:{_MONEY}|(?P<percent>%))?\s*(?P<close>\))?"
    )
    for decimal, digits in _DIGITS.items()
}
_WIDE_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2212": "-"})


def distinct(series: pd.Series) -> tuple[IntArray, list[Any]]:
    """Return the codes of a column's cells and its distinct values; missing cells have -1.

    Cells that cannot be hashed (lists, dicts) are compared by their text.
    """
    try:
        codes, values = pd.factorize(series)
    except TypeError:
        texts = [None if _is_missing(cell) else str(cell) for cell in series]
        codes, values = pd.factorize(pd.Series(texts, dtype=object))
    return codes, list(values)


def _is_missing(cell: Any) -> bool:
    return cell is None or cell is pd.NA or (isinstance(cell, float) and math.isnan(cell))


def label_of(value: Any) -> str:
    """Return the text of a category; whole numbers read the same as int, float or text.

    Examples
    --------
    >>> [label_of(3), label_of(3.0), label_of(" 3 "), label_of(True)]
    ['3', '3', '3', 'True']
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace").strip()
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def natural_order(labels: Sequence[str]) -> list[str]:
    """Return labels sorted as numbers when all are numbers, else as texts.

    Examples
    --------
    >>> natural_order(["10", "9"]), natural_order(["b", "10"])
    (['9', '10'], ['10', 'b'])
    """
    numbers = as_numbers(labels)
    if numbers is None:
        return sorted(labels)
    return [label for _, label in sorted(zip(numbers, labels, strict=True))]


def as_numbers(labels: Sequence[str]) -> list[float] | None:
    """Return the labels as finite numbers, or None when one of them is not a number."""
    numbers = []
    for label in labels:
        try:
            number = float(label)
        except ValueError:
            return None
        if not math.isfinite(number):
            return None
        numbers.append(number)
    return numbers


def is_null_word(text: str) -> bool:
    """Whether a text stands for a missing value."""
    return text.strip().lower() in NULL_WORDS


def parse_number(text: str, decimal: str = ".") -> float:
    """Return the number that a text means, NaN when it means none.

    Thousands separators, currency signs, a percent sign (divided by 100) and brackets for
    negative amounts are understood.

    Parameters
    ----------
    text : str
        Such as ``"$1,200.50"``, ``"12%"`` or ``"(300)"``.
    decimal : {".", ","}, default "."
        The decimal sign.

    Examples
    --------
    >>> parse_number("$1,200.50"), parse_number("1.200,5 €", ","), parse_number("12%")
    (1200.5, 1200.5, 0.12)
    >>> parse_number("(300)"), parse_number("abc")
    (-300.0, nan)
    """
    match = _NUMBER[decimal].fullmatch(text.translate(_WIDE_SPACES).strip())
    if match is None or bool(match["open"]) != bool(match["close"]):
        return math.nan
    digits = match["digits"]
    separators = ",' " if decimal == "." else ".' "
    for separator in separators:
        digits = digits.replace(separator, "")
    number = float(digits.replace(",", "."))
    if match["percent"]:
        number /= 100.0
    is_negative = bool(match["open"]) != ("-" in (match["sign"], match["sign2"]))
    return -number if is_negative else number


def parse_numbers(texts: Sequence[str], decimal: str = ".") -> FloatArray:
    """Return the numbers that texts mean, NaN where they mean none."""
    if decimal != ".":
        return np.array([parse_number(text, decimal) for text in texts], dtype=np.float64)
    plain = pd.to_numeric(pd.Series(list(texts), dtype=object), errors="coerce")
    numbers = np.array(plain, dtype=np.float64)
    for position in np.flatnonzero(np.isnan(numbers)).tolist():
        numbers[position] = parse_number(texts[position], decimal)
    return numbers


def parse_truth(text: str) -> float:
    """Return 1.0 for a word that means true, 0.0 for false, NaN for another."""
    word = text.strip().lower()
    if word in _TRUE:
        return 1.0
    return 0.0 if word in _FALSE else math.nan


def parse_dates(texts: Sequence[str], date_format: str) -> npt.NDArray[np.datetime64]:
    """Return the times that texts mean, in UTC where they name a zone; NaT where none.

    Parameters
    ----------
    texts : sequence of str
        Cells.
    date_format : str
        A ``strptime`` format, ``"ISO8601"`` or ``"mixed"`` (each text by itself).
    """
    series = pd.Series([text.strip() for text in texts], dtype=object)
    times = pd.to_datetime(series, format=date_format, errors="coerce", utc=True)
    return times.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")


def clean_numbers(numbers: FloatArray) -> FloatArray:
    """Return numbers with NaN in place of infinities and of values too large for float32."""
    with np.errstate(invalid="ignore"):
        is_bad = np.abs(numbers) > FLOAT32_MAX
    return np.where(is_bad, np.nan, numbers) if is_bad.any() else numbers


def numbers_of_type(series: pd.Series) -> FloatArray | None:
    """Return a column of a numeric, truth or duration type as floats, else None.

    Infinities are kept here, so that they can be counted.

    Raises
    ------
    ValueError
        For complex numbers.
    """
    dtype = series.dtype
    if pd.api.types.is_complex_dtype(dtype):
        raise ValueError(
            f"Column {series.name!r} holds complex numbers, which no model takes. "
            "Split them into real and imaginary columns."
        )
    if pd.api.types.is_timedelta64_dtype(dtype):
        return np.asarray(series.dt.total_seconds(), dtype=np.float64)
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        return series.to_numpy(dtype=np.float64)
    is_number = pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_numeric_dtype(dtype)
    if is_number and not isinstance(dtype, pd.CategoricalDtype):
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    return None


def times_of_type(series: pd.Series) -> npt.NDArray[np.datetime64] | None:
    """Return a column of a date or period type as times in UTC, else None."""
    dtype = series.dtype
    if isinstance(dtype, pd.PeriodDtype):
        series = series.dt.to_timestamp()
    elif isinstance(dtype, pd.ArrowDtype) and dtype.kind == "M":
        series = pd.to_datetime(series.astype(object), utc=True)
    elif not pd.api.types.is_datetime64_any_dtype(dtype):
        return None
    if series.dt.tz is not None:
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    return series.to_numpy(dtype="datetime64[us]")


def number_of_cell(value: Any, decimal: str) -> float:
    """Return a cell of an untyped column as a number; NaN when it is none."""
    if isinstance(value, str):
        return parse_number(value, decimal)
    if isinstance(value, (dt.timedelta, np.timedelta64)):
        return float(pd.Timedelta(value).total_seconds())
    if isinstance(value, complex) and not isinstance(value, (int, float)):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def text_of_time(value: Any) -> str:
    """Return a cell of a date column as a text that `parse_dates` reads."""
    if isinstance(value, pd.Period):
        return value.to_timestamp().isoformat()
    if isinstance(value, (dt.date, np.datetime64)):
        return pd.Timestamp(value).isoformat()
    return label_of(value)


def is_time(value: Any) -> bool:
    """Whether a cell is a date, a time stamp or a period."""
    return isinstance(value, (dt.date, np.datetime64, pd.Period))
