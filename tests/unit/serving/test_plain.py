"""Rows that are read by the column: the same columns, warnings and faults as cell by cell."""

from __future__ import annotations

import copy
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbautoml.registry.schema import ColumnSchema, ModelSchema
from nbautoml.serving.forms import RequestFaultError
from nbautoml.serving.schema import CheckedRows, RequestRows


def column(name: str, dtype: str, **changes: object) -> ColumnSchema:
    return ColumnSchema(**{"name": name, "dtype": dtype, "is_nullable": False, **changes})


COLUMNS = (
    column("number", "float64"),
    column("hole", "float64", is_nullable=True),
    column("flag", "int64", minimum=0, maximum=1),
    column("truth", "bool"),
    column("maybe", "bool", is_nullable=True),
    column("word", "str", categories=("x", "Köln")),
    column("zip", "str", categories=("1", "x")),
    column("date", "datetime64[us]", is_nullable=True),
    column("id", "str"),
)
CHECKED = RequestRows(ModelSchema(task="t", label="y", columns=COLUMNS), unused=frozenset({"id"}))
CLOSELY = copy.copy(CHECKED)
CLOSELY._plain = None

WORDS = st.sampled_from(["x", "Köln", "new", "", "1", "true", "2025-01-02", "nan", "\U0001f600"])
NUMBERS = st.one_of(
    st.floats(), st.integers(-5, 5), st.sampled_from([10**30, 10**400, 2**63, 2**53 + 1, 1e308])
)
ODD = st.one_of(st.none(), WORDS, NUMBERS, st.booleans(), st.just([1]), st.just({}))
DATES = st.one_of(st.none(), st.datetimes().map(str), st.sampled_from(["2 Jan 2025", "?"]))
FITTING = {
    "number": st.floats(-1e9, 1e9),
    "hole": st.one_of(st.none(), st.integers(-(2**60), 2**60), NUMBERS),
    "flag": st.one_of(st.booleans(), st.integers(0, 1), st.floats(0, 1)),
    "truth": st.booleans(),
    "maybe": st.one_of(st.none(), st.booleans()),
    "word": st.one_of(st.none(), WORDS),
    "zip": st.one_of(WORDS, st.integers(0, 3)),
    "date": DATES,
    "id": ODD,
}
ROWS = st.fixed_dictionaries(
    {name: cells for name, cells in FITTING.items() if name != "id"},
    optional={"id": ODD, "other": ODD},
)
LISTS = st.tuples(*FITTING.values()).map(list)


def outcome(rows: RequestRows, body: list[Any]) -> Any:
    try:
        checked = rows.check(body)
    except RequestFaultError as error:
        return error.faults, error.n_more
    except (ValueError, OverflowError) as error:
        return type(error)
    return checked


def assert_same(body: list[Any]) -> None:
    found, expected = outcome(CHECKED, body), outcome(CLOSELY, body)
    if not isinstance(expected, CheckedRows):
        assert found == expected
        return
    assert found.warnings == expected.warnings
    assert list(found.columns) == list(expected.columns)
    for name, cells in expected.columns.items():
        assert type(found.columns[name]) is type(cells)
        assert list(map(type, found.columns[name])) == list(map(type, cells))
    pd.testing.assert_frame_equal(found.frame, expected.frame, check_exact=True)


@given(st.lists(ROWS, min_size=1, max_size=4))
def test_rows_are_read_as_cell_by_cell(body: list[Any]) -> None:
    assert_same(body)


@given(st.lists(LISTS, min_size=1, max_size=3))
def test_lists_are_read_as_cell_by_cell(body: list[Any]) -> None:
    assert_same(body)


@given(st.lists(ROWS, min_size=1, max_size=2), st.data())
def test_odd_rows_are_read_as_cell_by_cell(body: list[Any], data: st.DataObject) -> None:
    row = data.draw(st.sampled_from(body))
    name = data.draw(st.sampled_from(sorted(row)))
    if data.draw(st.booleans()):
        row[name] = data.draw(ODD)
    else:
        del row[name]
    assert_same(body)
    assert_same([*body, data.draw(ODD)])


ROW = {
    "number": 1.5,
    "hole": None,
    "flag": True,
    "truth": False,
    "maybe": True,
    "word": "x",
    "zip": "1",
    "date": "2025-01-02",
}


def test_what_is_as_it_should_be_is_read_by_the_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CHECKED, "_rows", None)

    checked = CHECKED.check([ROW, {**ROW, "hole": 3, "word": None, "id": 7}])

    assert checked.columns["hole"].tolist()[1] == 3.0
    assert checked.warnings == ("row 1, column 'word': null was not seen in training",)


def test_a_request_of_one_column_is_read_by_the_column(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = RequestRows(ModelSchema(task="t", label="y", columns=COLUMNS[:1]))
    monkeypatch.setattr(rows, "_rows", None)

    assert rows.check([{"number": 1}, {"number": 2.5}]).columns["number"].tolist() == [1.0, 2.5]
    assert rows.check([[1], [2.5]]).columns["number"].tolist() == [1.0, 2.5]
