"""Raw columns as inputs of a graph, read as the input adapter reads them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal  # Any: JSON values

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.errors import ModelError
from nbautoml.registry.onnx.dates import check_date_texts, seconds_of_texts
from nbautoml.registry.onnx.graph import Graph, refuse
from nbautoml.runtime import parsing
from nbautoml.runtime.input_adapter import ColumnFormat

SPACE = r"[\t-\r\x1c-\x20\x{85}\p{Z}]*"
"""What Python strips off texts, for RE2."""
PLAIN_NUMBER = r"[+-]?(\d{1,300}(\.\d{0,300})?|\.\d{1,300})([eE][+-]?\d{1,2})?"
_PLAIN = re.compile(rf"\s*{PLAIN_NUMBER}\s*", re.ASCII)
_DIGIT = r"(?s).*\p{Nd}.*"
UNREADABLE = "?"
"""No number: what turns it into one ends the request with an error, as it should."""

_TRUE = ("yes", "y", "true", "t", "on", "1", r"1\.0")
_FALSE = ("no", "n", "false", "f", "off", "0", r"0\.0")
_EXACT_WHOLE = 2**53

Unit = Literal["", "seconds", "seconds since 1970-01-01 UTC"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputColumn:
    """One input of a graph.

    Parameters
    ----------
    name : str
        Name of the raw column.
    input : str
        Name of the input: that of the column, unless an output has it.
    kind : str
        What the model reads it as, see `ColumnFormat`.
    tensor : {"double", "string"}
        Type of the input, of shape (n_rows, 1); missing cells are NaN or the empty text.
    unit : str
        What a number of a date or a duration counts.
    is_single : bool
        Whether its numbers came as float32: categories are then named by fewer digits.
    """

    name: str
    input: str
    kind: str
    tensor: Literal["double", "string"]
    unit: Unit = ""
    is_single: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> InputColumn:
        """Rebuild a column from `to_dict`."""
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadColumn:
    """A column as it was read; ``value`` is of shape (n_rows, 1).

    Numbers, truth values and dates (seconds since 1970) are float64 with NaN where missing;
    categories and texts are as they came.
    """

    source: InputColumn
    value: str
    is_missing: str


Columns = Mapping[str, ReadColumn]


def describe_inputs(
    formats: Sequence[ColumnFormat], rows: pd.DataFrame, outputs: Sequence[str]
) -> tuple[InputColumn, ...]:
    """Return the inputs that the graph of a model has: the columns that it uses.

    Parameters
    ----------
    formats : sequence of ColumnFormat
        How the model reads its columns.
    rows : DataFrame
        Training rows.
    outputs : sequence of str
        Names that no input may have.

    Raises
    ------
    ModelError
        When a column cannot be read by a graph; the message names it and says why.
    """
    found = []
    for form in formats:
        if form.kind == "drop":
            continue
        column = rows[form.name]
        name = f"column.{form.name}" if form.name in outputs else form.name
        tensor, unit = _type_of(column, form)
        is_single = str(column.dtype).lower() == "float32"
        found.append(
            InputColumn(
                name=form.name,
                input=name,
                kind=form.kind,
                tensor=tensor,
                unit=unit,
                is_single=is_single,
            )
        )
    return tuple(found)


def _type_of(column: pd.Series, form: ColumnFormat) -> tuple[Literal["double", "string"], Unit]:
    """Return type and unit of an input, after a look at whether its cells can be read."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        dtype = dtype.categories.dtype
    is_number = pd.api.types.is_numeric_dtype(dtype)
    if form.kind in ("category", "text"):
        return ("double", "") if is_number and _are_codes(column, form) else ("string", "")
    if pd.api.types.is_timedelta64_dtype(dtype):
        return "double", "seconds"
    if pd.api.types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
        return "double", "seconds since 1970-01-01 UTC"
    if is_number:
        return "double", ""
    return _type_of_cells(column.dropna(), form)


def _are_codes(column: pd.Series, form: ColumnFormat) -> bool:
    """Whether the numbers of a category column are whole, and known by their value as float64."""
    numbers = pd.to_numeric(column.dropna()).astype(np.float64)
    is_code = (numbers.abs() < _EXACT_WHOLE) & (numbers == numbers.round())
    return form.kind == "category" and bool(is_code.all())


def _type_of_cells(
    cells: pd.Series, form: ColumnFormat
) -> tuple[Literal["double", "string"], Unit]:
    """Return the type of a column whose cells are objects."""
    is_text = cells.map(lambda cell: isinstance(cell, str)).astype(bool)
    if form.kind == "date":
        if cells.map(parsing.is_time).astype(bool).all():
            return "double", "seconds since 1970-01-01 UTC"
        if is_text.all():
            check_date_texts(form, cells)
            return "string", ""
    elif not is_text.any():
        return "double", ""
    elif is_text.all():
        if form.kind == "number":
            _check_number_texts(form, cells)
        return "string", ""
    raise refuse(f"column {form.name!r}", "holds cells of several types.")


def _check_number_texts(form: ColumnFormat, cells: pd.Series) -> None:
    """Refuse texts of numbers that a graph cannot take apart, such as ``"$1,200"``."""
    odd = [
        text
        for text in cells.unique()
        if any(map(str.isdigit, text)) and _PLAIN.fullmatch(text) is None
    ]
    if odd or form.decimal != ".":
        example = f", such as {odd[0]!r}" if odd else ""
        raise refuse(
            f"column {form.name!r}",
            f"holds numbers as texts with signs of their own{example}. Turn it into numbers, for "
            "example with pandas.to_numeric, and train again.",
        )


def read_columns(
    graph: Graph, inputs: Sequence[InputColumn], formats: Sequence[ColumnFormat]
) -> dict[str, ReadColumn]:
    """Add the inputs and what reads them; return the columns by name."""
    forms = {form.name: form for form in formats}
    read = {}
    for column in inputs:
        value = graph.input(column.input, column.tensor)
        form = forms[column.name]
        made = _READERS[column.kind, column.tensor](graph, value, form)
        missing = graph.is_nan(made) if column.tensor == "double" else ""
        if not missing:
            is_text = column.kind in ("category", "text")
            missing = graph.matches(made, SPACE) if is_text else graph.is_nan(made)
        read[column.name] = ReadColumn(source=column, value=made, is_missing=missing)
    return read


def _clean(graph: Graph, value: str, _form: ColumnFormat) -> str:
    """Take infinities, and numbers too large for float32, as missing."""
    is_large = graph.compare("Greater", graph.node("Abs", value), [[parsing.FLOAT32_MAX]])
    return graph.where(is_large, [[math.nan]], value)


def _number_of_text(graph: Graph, value: str, form: ColumnFormat) -> str:
    number = _guarded(graph, value, graph.matches(value, SPACE + PLAIN_NUMBER + SPACE))
    return _clean(graph, number, form)


def _guarded(graph: Graph, value: str, is_plain: str) -> str:
    """Return numbers of texts: NaN for words; other texts with digits end in an error."""
    has_digit = graph.matches(value, _DIGIT)
    other = graph.where(has_digit, [[UNREADABLE]], [["nan"]])
    return graph.cast(graph.where(is_plain, value, other), "double")


def _truth(graph: Graph, value: str, _form: ColumnFormat) -> str:
    is_true = graph.compare("Equal", value, [[1.0]])
    is_false = graph.compare("Equal", value, [[0.0]])
    return graph.where(is_true, [[1.0]], graph.where(is_false, [[0.0]], [[math.nan]]))


def _truth_of_text(graph: Graph, value: str, _form: ColumnFormat) -> str:
    is_true, is_false = (
        graph.matches(value, f"{SPACE}(?i:{'|'.join(words)}){SPACE}") for words in (_TRUE, _FALSE)
    )
    return graph.where(is_true, [[1.0]], graph.where(is_false, [[0.0]], [[math.nan]]))


def _as_it_is(_graph: Graph, value: str, _form: ColumnFormat) -> str:
    return value


_READERS: dict[tuple[str, str], Callable[[Graph, str, ColumnFormat], str]] = {
    ("number", "double"): _clean,
    ("number", "string"): _number_of_text,
    ("boolean", "double"): _truth,
    ("boolean", "string"): _truth_of_text,
    ("date", "double"): _as_it_is,
    ("date", "string"): seconds_of_texts,
    ("category", "double"): _as_it_is,
    ("category", "string"): _as_it_is,
    ("text", "string"): _as_it_is,
}


def look_up(
    graph: Graph,
    column: ReadColumn,
    values: Mapping[str, float] | Mapping[str, int],
    *,
    missing: float,
    other: float,
) -> str:
    """Return a number for each cell of a category column.

    Texts are known as they are, and with a space before or behind.

    Parameters
    ----------
    graph : Graph
        Takes the nodes.
    column : ReadColumn
        The column.
    values : mapping of str to int or float
        Label to number.
    missing, other : int or float
        The numbers of missing cells and of other labels; whole when all values are.
    """
    if column.source.tensor == "string":
        padded = {
            f"{before}{label}{behind}": value
            for before in ("", " ")
            for behind in ("", " ")
            for label, value in values.items()
        }
        keys: Any = np.array(list(padded), dtype=object)
        found = graph.lookup(column.value, keys, list(padded.values()), other)
    else:
        pairs = _numbers_of_labels(values, is_single=column.source.is_single)
        keys = np.array(list(pairs), dtype=np.float64)
        found = graph.lookup(column.value, keys, list(pairs.values()), other)
    return graph.where(column.is_missing, [[missing]], found)


def _numbers_of_labels(values: Mapping[str, Any], *, is_single: bool) -> dict[float, Any]:
    """Return the values by number; labels that no number is called are left out."""
    found: dict[float, Any] = {}
    for label, value in values.items():
        number = {"True": 1.0, "False": 0.0}.get(label)
        if number is None:
            numbers = parsing.as_numbers([label])
            if numbers is None:
                continue
            number = float(np.float32(numbers[0])) if is_single else numbers[0]
        found[number] = value
    return found


def text_of_cells(graph: Graph, column: ReadColumn) -> str:
    """Return the labels of a category column as texts; those of numbers must be whole."""
    if column.source.tensor == "string":
        return column.value
    whole = graph.cast(graph.where(column.is_missing, [[0.0]], column.value), "int64")
    return graph.cast(whole, "string")


def number_of_label(graph: Graph, column: ReadColumn) -> str:
    """Return the number that a label is, NaN for other labels."""
    if column.source.tensor == "double":
        return column.value
    is_plain = graph.matches(column.value, SPACE + PLAIN_NUMBER + SPACE)
    return graph.cast(graph.where(is_plain, column.value, [["nan"]]), "double")


def to_tensor(column: pd.Series, source: InputColumn) -> npt.NDArray[Any]:
    """Return the cells of a raw column as an input of the graph, shape (n_rows, 1).

    Raises
    ------
    ModelError
        When cells of a number column are no numbers.
    """
    if source.tensor == "string":
        cells = [_text_of(cell) for cell in column.tolist()]
        return np.array(cells, dtype=object).reshape(-1, 1)
    return _numbers_of(column, source).reshape(-1, 1)


def _text_of(cell: Any) -> str:
    return "" if cell is None or cell is pd.NA or cell != cell else parsing.label_of(cell)


def _numbers_of(column: pd.Series, source: InputColumn) -> npt.NDArray[np.float64]:
    if source.unit == "seconds since 1970-01-01 UTC":
        times = parsing.times_of_type(column)
        if times is None:
            texts = [None if pd.isna(c) else parsing.text_of_time(c) for c in column.tolist()]
            read = pd.to_datetime(pd.Series(texts, dtype=object), format="ISO8601", utc=True)
            times = read.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
        seconds = times.astype("datetime64[us]").astype(np.int64) / 1e6
        return np.asarray(np.where(np.isnat(times), np.nan, seconds), dtype=np.float64)
    try:
        numbers = parsing.numbers_of_type(column)
        if numbers is None:
            numbers = pd.to_numeric(column).to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"Column {source.name!r} must hold numbers for the ONNX model; {error}."
        ) from error
    return np.asarray(numbers, dtype=np.float64)
