"""From the schema of the training data to what a request may hold.

Each column's kind of values follows from its type in training. Pydantic checks rows against
that (in compiled code: thousands of rows in milliseconds) and says which cells do not fit; the
sentences about them are made here. The same types make the OpenAPI document.

| column in training | takes | also takes |
|---|---|---|
| numbers | numbers that are finite | texts of numbers, ``"60"`` |
| numbers between 0 and 1 | as above | ``true``, ``false``, as texts too |
| truth values | ``true``, ``false`` | 0, 1, ``"false"``, ``"yes"`` … |
| dates | texts of dates | |
| words | texts | numbers that were seen as words |

A value may be null where it was null in training; in a column of words it may always be, with a
warning. Values that were not seen and columns that are not known give warnings, no errors.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cached_property
from itertools import chain
from types import GenericAlias
from typing import Annotated, Any  # Any: cells of a request

import numpy as np
import pandas as pd
from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    TypeAdapter,
)
from pydantic import ValidationError as PydanticError
from typing_extensions import TypedDict  # pydantic asks for this one below Python 3.12

from nbautoml.registry.schema import ColumnSchema, ModelSchema
from nbautoml.serving.forms import Fault, RequestFaultError, describe, fault
from nbautoml.serving.plain import Plain, PlainColumn, PlainRows

MAX_ROWS = 10_000
"""Rows of one request; more of them are several requests."""
SHOWN_FAULTS = 20
SHOWN_WARNINGS = 20
FLAG_WORDS = {
    "true": 1.0,
    "yes": 1.0,
    "t": 1.0,
    "y": 1.0,
    "false": 0.0,
    "no": 0.0,
    "f": 0.0,
    "n": 0.0,
}
NULL_TEXTS = frozenset({"", "nan", "null", "none", "na"})


class Kind(Enum):
    """What the cells of a column are."""

    NUMBER = "a number"
    FLAG = "a number, or true or false"
    TRUTH = "true or false"
    DATE = 'a date as text, such as "2026-01-31"'
    WORD = "a text"
    ANY = "a text, a number, or true or false"


def kind_of(column: ColumnSchema) -> Kind:
    """Return what a column takes.

    Examples
    --------
    >>> flag = ColumnSchema(name="anaemia", dtype="int64", is_nullable=False, minimum=0, maximum=1)
    >>> kind_of(flag)
    <Kind.FLAG: 'a number, or true or false'>
    """
    dtype = column.dtype.lower()
    if dtype.startswith(("int", "uint", "float")):
        low, high = column.minimum, column.maximum
        is_flag = (low, high) in ((0, 1), (0, 0), (1, 1)) and _is_whole(dtype)
        return Kind.FLAG if is_flag else Kind.NUMBER
    if dtype.startswith("bool"):
        return Kind.TRUTH
    if dtype.startswith("datetime"):
        return Kind.DATE
    known = column.categories
    if known and all(isinstance(value, bool) for value in known):
        return Kind.TRUTH
    is_mixed = known is not None and any(not isinstance(v, str) or _is_number(v) for v in known)
    is_unknown = known is None and dtype not in ("str", "string", "category")
    return Kind.ANY if is_mixed or is_unknown else Kind.WORD


def _is_whole(dtype: str) -> bool:
    return dtype.startswith(("int", "uint"))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_number(text: str) -> float | None:
    if text.strip().lower() in NULL_TEXTS:
        return None
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _read_flag(text: str) -> float | None:
    found = FLAG_WORDS.get(text.strip().lower())
    return _read_number(text) if found is None else found


def _read_truth(text: str) -> bool | None:
    found = _read_flag(text)
    if found not in (0.0, 1.0, None):
        raise ValueError(text)
    return None if found is None else bool(found)


def _read_truth_number(number: float) -> bool:
    if number not in (0.0, 1.0):
        raise ValueError(number)
    return bool(number)


def _label(value: Any) -> str:
    """Return the text of a word; whole numbers read the same in all their types."""
    is_whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if is_whole else str(value)


def _check_date(text: str) -> str:
    try:
        datetime.fromisoformat(text)  # hundreds of times as fast as what reads all forms
    except ValueError:
        if pd.isna(pd.to_datetime(text, errors="coerce")):
            raise
    return text


def _dates(values: Any) -> pd.Series:
    """Return times in UTC without a zone."""
    try:
        times = pd.to_datetime(values, format="ISO8601", utc=True)
    except ValueError:
        times = pd.to_datetime(values, format="mixed", utc=True)
    return pd.Series(times.tz_localize(None))


_NUMBER = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_TYPES: Mapping[Kind, Any] = {  # Any: types that are put together at run time
    Kind.NUMBER: _NUMBER | Annotated[StrictStr, AfterValidator(_read_number)],
    Kind.FLAG: _NUMBER | StrictBool | Annotated[StrictStr, AfterValidator(_read_flag)],
    Kind.TRUTH: StrictBool
    | Annotated[_NUMBER, AfterValidator(_read_truth_number)]
    | Annotated[StrictStr, AfterValidator(_read_truth)],
    Kind.DATE: Annotated[StrictStr, AfterValidator(_check_date)],
    Kind.WORD: StrictStr,
    Kind.ANY: StrictStr | StrictBool | StrictInt | _NUMBER,
}
_PLAIN = {
    Kind.NUMBER: Plain.NUMBERS,
    Kind.FLAG: Plain.FLAGS,
    Kind.TRUTH: Plain.TRUTHS,
    Kind.DATE: Plain.TEXTS,
    Kind.WORD: Plain.TEXTS,
    Kind.ANY: Plain.TEXTS,
}
_NUMBER_TEXT = r"[-+]?([0-9]{1,60}([.][0-9]{0,60})?|[.][0-9]{1,60})([eE][-+]?[0-9]{1,2})?"
_NUMBERS = {"type": "number"}
_SPACED = "^ *({}) *$"
"""How a text of a pattern may stand: with spaces around it."""


def _in_any_case(words: Iterable[str]) -> str:
    """Return a pattern for words; JSON Schema has no flag for upper and lower case."""
    cased = ["".join(f"[{c.lower()}{c.upper()}]" for c in word) for word in words]
    return "|".join(cased)


_DOCUMENTED: Mapping[Kind, tuple[Mapping[str, Any], ...]] = {
    Kind.NUMBER: (_NUMBERS, {"type": "string", "pattern": _SPACED.format(_NUMBER_TEXT)}),
    Kind.FLAG: (
        _NUMBERS,
        {"type": "boolean"},
        {
            "type": "string",
            "pattern": _SPACED.format(f"{_NUMBER_TEXT}|{_in_any_case(FLAG_WORDS)}"),
        },
    ),
    Kind.TRUTH: (
        {"enum": [True, False, 0, 1]},
        {"type": "string", "pattern": _SPACED.format(f"[01]|{_in_any_case(FLAG_WORDS)}")},
    ),
    Kind.DATE: ({"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}),
    Kind.WORD: ({"type": "string"},),
    Kind.ANY: ({"type": "string"}, {"type": "boolean"}, _NUMBERS),
}
_NOTHING: tuple[Mapping[str, Any], ...] = (
    {"type": "null"},
    {"type": "string", "pattern": _SPACED.format(_in_any_case(sorted(NULL_TEXTS)))},
)


def _documented(kind: Kind, *, may_be_null: bool) -> dict[str, Any]:
    """Return JSON Schema of a cell."""
    has_null_texts = kind in (Kind.NUMBER, Kind.FLAG, Kind.TRUTH)
    nothing = _NOTHING if has_null_texts else _NOTHING[:1]
    return {"anyOf": [*_DOCUMENTED[kind], *(nothing if may_be_null else ())]}


@dataclass(frozen=True, kw_only=True)  # without slots, which a cached property cannot have
class CheckedRows:
    """Rows that a model can predict, and what its owner should know of them.

    Parameters
    ----------
    columns : mapping of str to array, list or Series
        Numbers and truth values are arrays, dates series, words lists.
    warnings : tuple of str
        What a model can handle, but was not in the training data.
    """

    columns: Mapping[str, Any]
    warnings: tuple[str, ...] = ()

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The rows as a frame."""
        return frame_of(self.columns)

    @property
    def n_rows(self) -> int:
        """How many rows these are."""
        return len(next(iter(self.columns.values()), ()))

    def part(self, start: int, end: int) -> CheckedRows:
        """Return the rows from `start` to before `end`; the warnings stay with the whole."""
        return CheckedRows(columns={n: cells[start:end] for n, cells in self.columns.items()})


def joined(parts: Sequence[CheckedRows]) -> CheckedRows:
    """Return the rows of several requests as one; their columns have the same types."""
    if len(parts) == 1:
        return parts[0]
    names = parts[0].columns
    return CheckedRows(columns={n: _joined([part.columns[n] for part in parts]) for n in names})


def _joined(cells: Sequence[Any]) -> Any:
    if isinstance(cells[0], list):
        return list(chain.from_iterable(cells))
    if isinstance(cells[0], np.ndarray):
        return np.concatenate(cells)
    return pd.concat(cells, ignore_index=True)


def frame_of(columns: Mapping[str, Any]) -> pd.DataFrame:
    """Return checked columns as a frame; the cells of a list keep their types."""
    series = {
        name: pd.Series(cells, dtype=object) if isinstance(cells, list) else cells
        for name, cells in columns.items()
    }
    return pd.DataFrame(series)


class RequestRows:
    """Checks the rows of requests against the columns of the training data.

    Parameters
    ----------
    schema : ModelSchema
        The training data.
    unused : frozenset of str
        Columns that the model does not look at; requests may leave them out.
    max_rows : int, default 10000
        Rows of one request.
    """

    def __init__(
        self,
        schema: ModelSchema,
        *,
        unused: frozenset[str] = frozenset(),
        max_rows: int = MAX_ROWS,
    ) -> None:
        self._columns = {column.name: column for column in schema.columns}
        self._kinds = {column.name: kind_of(column) for column in schema.columns}
        self._needed = {column.name for column in schema.columns} - unused
        self._max_rows = max_rows
        self._types = {name: self._type_of(column) for name, column in self._columns.items()}
        self._rows = _adapter({n: t for n, t in self._types.items() if n in self._needed})
        self._plain = self._plain_rows()
        self._seen = {
            column.name: frozenset(map(_label, column.categories))
            for column in schema.columns
            if column.categories is not None and self._kinds[column.name] in (Kind.WORD, Kind.ANY)
        }

    @property
    def names(self) -> frozenset[str]:
        """Names of all training columns."""
        return frozenset(self._columns)

    def check(self, rows: Sequence[Any]) -> CheckedRows:
        """Return rows by the training columns that a model looks at.

        Parameters
        ----------
        rows : sequence
            Objects of column names and values, or lists in the order of the training columns.

        Raises
        ------
        RequestFaultError
            When a row cannot be used; it names rows and columns.
        """
        if len(rows) > self._max_rows:
            raise fault(f"A request holds {self._max_rows:,} rows at most; got {len(rows):,}.")
        plain = self._read_plain(rows)
        if plain is not None:
            return plain
        objects = [self._as_object(row, at) for at, row in enumerate(rows)]
        try:
            found: list[dict[str, Any]] = self._rows.validate_python(objects)
        except PydanticError as error:
            raise self._faults(error, objects) from None
        columns = {n: [row[n] for row in found] for n in self._columns if n in self._needed}
        self._refuse_nulls(columns)
        return CheckedRows(
            columns={name: self._typed(name, cells) for name, cells in columns.items()},
            warnings=_shown([*self._unknown_columns(objects), *self._unseen(columns)]),
        )

    def _plain_rows(self) -> PlainRows | None:
        columns = [
            PlainColumn(name=name, plain=_PLAIN[kind], may_be_null=self._may_be_null(name))
            for name, kind in self._kinds.items()
            if name in self._needed
        ]
        return PlainRows(self._columns, columns) if columns else None

    def _read_plain(self, rows: Sequence[Any]) -> CheckedRows | None:
        """Return rows that are as they should be; None for others, which are looked at closely."""
        columns = None if self._plain is None else self._plain.read(rows)
        if columns is None:
            return None
        texts = {name: cells for name, cells in columns.items() if isinstance(cells, list)}
        dates = {n: cells for n, cells in texts.items() if self._kinds[n] is Kind.DATE}
        try:
            for text in (text for cells in dates.values() for text in cells if text is not None):
                datetime.fromisoformat(text)
            typed = {name: _dates(cells) for name, cells in dates.items()}
        except ValueError:
            return None
        warnings = _shown(self._unseen(texts))
        return CheckedRows(columns={**columns, **typed}, warnings=warnings)

    def describe_row(self) -> dict[str, Any]:
        """Return JSON Schema of one row."""
        properties = {
            name: {**self._cell(name, kind), **self._description(name)}
            for name, kind in self._kinds.items()
        }
        required = [name for name in self._columns if name in self._needed]
        return {"type": "object", "properties": properties, "required": required}

    def _cell(self, name: str, kind: Kind) -> dict[str, Any]:
        if name not in self._needed:
            return {}
        return _documented(kind, may_be_null=self._may_be_null(name))

    def _description(self, name: str) -> dict[str, Any]:
        column = self._columns[name]
        parts = []
        if column.minimum is not None:
            parts.append(f"In training: {column.minimum} to {column.maximum}.")
        if column.categories:
            parts.append(f"In training: {', '.join(map(str, column.categories[:10]))}.")
        if name not in self._needed:
            parts.append("The model does not use it.")
        return {"description": " ".join(parts)} if parts else {}

    def _type_of(self, column: ColumnSchema) -> Any:
        # Null is let in here and refused below, where the sentence can say why.
        return _TYPES[self._kinds[column.name]] | None

    def _as_object(self, row: Any, at: int) -> Mapping[str, Any]:
        if isinstance(row, Mapping):
            return row
        if not isinstance(row, list):
            what = f"A row must be an object or a list; got {describe(row)}."
            raise RequestFaultError([Fault(row=at, message=what)])
        if len(row) != len(self._columns):
            what = f"A row that is a list must have {len(self._columns)} values; got {len(row)}."
            names = ", ".join(self._columns)
            raise RequestFaultError([Fault(row=at, message=f"{what} They are: {names}.")])
        return dict(zip(self._columns, row, strict=True))

    def _faults(self, error: PydanticError, rows: Sequence[Mapping[str, Any]]) -> RequestFaultError:
        """Return one fault a cell; a type of several forms gives one error for each of them."""
        found: dict[tuple[int, str], Fault] = {}
        for one in error.errors(include_url=False, include_context=False, include_input=False):
            row, column = int(one["loc"][0]), str(one["loc"][1])
            if (row, column) not in found:
                message = self._sentence(rows[row], column, is_missing=one["type"] == "missing")
                found[row, column] = Fault(row=row, column=column, message=message)
        faults = list(found.values())
        n_more = max(len(faults) - SHOWN_FAULTS, 0)
        return RequestFaultError(faults[:SHOWN_FAULTS], n_more=n_more)

    def _sentence(self, row: Mapping[str, Any], column: str, *, is_missing: bool) -> str:
        if is_missing:
            return "This column of the training data is missing; null stands for no value."
        value = row[column]
        if isinstance(value, float) and not math.isfinite(value):
            return f"It must be finite; got {value}."
        return f"It must be {self._kinds[column].value}; got {describe(value)}."

    def _refuse_nulls(self, columns: Mapping[str, list[Any]]) -> None:
        faults = [
            Fault(row=at, column=name, message="It must not be null: in training it never was.")
            for name, values in columns.items()
            if None in values and not self._may_be_null(name)
            for at, value in enumerate(values)
            if value is None
        ]
        if faults:
            n_more = max(len(faults) - SHOWN_FAULTS, 0)
            raise RequestFaultError(faults[:SHOWN_FAULTS], n_more=n_more)

    def _may_be_null(self, name: str) -> bool:
        return self._columns[name].is_nullable or self._kinds[name] in (Kind.WORD, Kind.ANY)

    def _typed(self, name: str, values: list[Any]) -> Any:
        kind = self._kinds[name]
        if kind in (Kind.NUMBER, Kind.FLAG):
            return np.array([math.nan if v is None else float(v) for v in values], dtype=float)
        if kind is Kind.DATE:
            return _dates(values)
        is_whole = kind is Kind.TRUTH and None not in values
        return np.array(values, dtype=bool) if is_whole else values

    def _unknown_columns(self, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        if all(row.keys() <= self._columns.keys() for row in rows):
            return []
        names = dict.fromkeys(str(name) for row in rows for name in row)
        return [
            f"column {name!r} was not in the training data and is ignored"
            for name in names
            if name not in self._columns
        ]

    def _unseen(self, columns: Mapping[str, Sequence[Any]]) -> list[str]:
        found = []
        for name, values in columns.items():
            seen = self._seen.get(name)
            if None in values and not self._columns[name].is_nullable:
                at = values.index(None)
                found.append(f"row {at}, column {name!r}: null was not seen in training")
            if seen is not None and not seen.issuperset(values):
                new = dict.fromkeys(v for v in values if v is not None and _label(v) not in seen)
                found += [
                    f"row {values.index(v)}, column {name!r}: {describe(v)} was not seen in "
                    "training"
                    for v in new
                ]
        return found


def _shown(warnings: Sequence[str]) -> tuple[str, ...]:
    more = len(warnings) - SHOWN_WARNINGS
    return (*warnings[:SHOWN_WARNINGS], *([f"{more} more warnings"] if more > 0 else []))


def _adapter(types: Mapping[str, Any]) -> TypeAdapter[list[dict[str, Any]]]:
    """Return what checks a list of rows; names of columns may be any text."""
    make: Any = TypedDict  # its fields are known only at run time
    row = make("Row", dict(types))
    row.__pydantic_config__ = ConfigDict(extra="ignore")
    rows: Any = GenericAlias(list, (row,))
    return TypeAdapter(rows)
