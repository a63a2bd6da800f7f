"""Rows whose cells all have the type that they should have: most requests, read by the column.

What is odd in any way is not judged here: `nbautoml.serving.schema` looks at it cell by cell, and
says what it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from operator import itemgetter
from types import NoneType
from typing import Any, TypeAlias  # Any: cells of a request

import numpy as np
import numpy.typing as npt

Cells: TypeAlias = Sequence[Any] | npt.NDArray[Any]
"""A column: texts as a list, numbers and truth values as an array."""


class Plain(Enum):
    """What may be read by the column: types of cells, and of the array that holds them."""

    NUMBERS = (frozenset({float, int}), np.float64)
    FLAGS = (frozenset({float, int, bool}), np.float64)
    TRUTHS = (frozenset({bool}), np.bool_)
    TEXTS = (frozenset({str}), None)

    def __init__(self, types: frozenset[type], dtype: Any) -> None:
        self.types = types
        self.dtype = dtype


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainColumn:
    """How a column is read."""

    name: str
    plain: Plain
    may_be_null: bool


class PlainRows:
    """Reads rows that are as they should be.

    Parameters
    ----------
    names : iterable of str
        All training columns, in their order.
    columns : sequence of PlainColumn
        Those that are read, in their order.
    """

    def __init__(self, names: Iterable[str], columns: Sequence[PlainColumn]) -> None:
        self._names = tuple(names)
        self._known = frozenset(self._names)
        self._columns = tuple(columns)
        wanted = [column.name for column in self._columns]
        # One name more, so that there is a tuple of one column, too.
        self._by_name = itemgetter(*wanted, *wanted[:1])
        places = [self._names.index(name) for name in wanted]
        self._by_place = itemgetter(*places, *places[:1])

    def read(self, rows: Sequence[Any]) -> dict[str, Cells] | None:
        """Return the columns by name; None where a row or a cell is odd.

        Parameters
        ----------
        rows : sequence
            Objects of column names and values, or lists in the order of the training columns.
        """
        picked = self._pick(rows)
        if picked is None:
            return None
        found = {}
        for column, cells in zip(self._columns, zip(*picked, strict=True), strict=False):
            read = _read(cells, column)
            if read is None:
                return None
            found[column.name] = read
        return found

    def _pick(self, rows: Sequence[Any]) -> list[tuple[Any, ...]] | None:
        """Return the cells of each row that are read."""
        kinds = set(map(type, rows))
        if kinds == {list}:
            is_whole = set(map(len, rows)) == {len(self._names)}
            return list(map(self._by_place, rows)) if is_whole else None
        if kinds != {dict}:
            return None
        try:
            picked = list(map(self._by_name, rows))
        except KeyError:
            return None
        has_no_others = sum(map(len, rows)) == len(self._columns) * len(rows)
        if has_no_others or all(row.keys() <= self._known for row in rows):
            return picked
        return None


def _read(cells: tuple[Any, ...], column: PlainColumn) -> Cells | None:
    types = set(map(type, cells))
    has_null = NoneType in types
    types.discard(NoneType)
    if not types <= column.plain.types or (has_null and not column.may_be_null):
        return None
    if column.plain.dtype is None:
        return list(cells)
    if column.plain.dtype is np.bool_:
        return None if has_null else np.array(cells, dtype=np.bool_)
    try:
        numbers = np.array(cells, dtype=np.float64)
    except OverflowError:
        return None
    n_finite = len(cells) - (cells.count(None) if has_null else 0)
    return numbers if np.count_nonzero(np.isfinite(numbers)) == n_finite else None
