"""Columns of cells without a frame around them: read as a frame's columns are, bit by bit."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.testing import assert_array_equal
from sklearn.dummy import DummyClassifier

from nbautoml.runtime.categorical import codes_of
from nbautoml.runtime.columns import Labels
from nbautoml.runtime.featurizer import DataTransformer, Featurizer
from nbautoml.runtime.input_adapter import ColumnFormat, InputAdapter
from nbautoml.runtime.numeric import NumericColumns
from nbautoml.runtime.pipeline import ModelPipeline

NUMBERS = arrays.arrays(np.float64, st.integers(1, 8), elements=st.floats(width=64))
WORDS = st.one_of(st.none(), st.text(max_size=3), st.sampled_from(["x", " x ", "", "Köln", "1"]))
ANYTHING = st.one_of(WORDS, st.booleans(), st.integers(-3, 3), st.floats(-3, 3))
DATES = st.one_of(st.none(), st.dates().map(str), st.sampled_from(["2025-01-02T03:04:05", "?"]))


def read_both(cells: Any, kind: str) -> tuple[Any, Any]:
    """Read a column as it is and as a column of a frame; both may be refused."""
    adapter = InputAdapter([ColumnFormat(name="c", kind=kind), ColumnFormat(name="d", kind="drop")])
    dtype = object if isinstance(cells, list) else None
    frame = pd.DataFrame({"c": pd.Series(cells, dtype=dtype)})
    return outcome(adapter, {"c": cells}), outcome(adapter, frame)


def outcome(adapter: InputAdapter, rows: object) -> Any:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            column = adapter.read(rows).columns["c"]
        except ValueError as error:
            return str(error)
    said = [str(one.message) for one in told]
    if isinstance(column, Labels):
        return column.codes.tolist(), column.labels, said
    return np.asarray(column), said


def assert_same(one: Any, other: Any) -> None:
    if isinstance(one, tuple) and isinstance(one[0], np.ndarray):
        assert one[0].dtype == other[0].dtype
        assert_array_equal(one[0], other[0])
        assert one[1:] == other[1:]
    else:
        assert one == other


@given(NUMBERS, st.sampled_from(["number", "boolean", "category", "text"]))
def test_numbers_are_read_as_those_of_a_frame(cells: np.ndarray, kind: str) -> None:
    assert_same(*read_both(cells, kind))


@given(st.lists(WORDS, min_size=1), st.sampled_from(["number", "boolean", "category", "text"]))
def test_words_are_read_as_those_of_a_frame(cells: list[Any], kind: str) -> None:
    assert_same(*read_both(cells, kind))


@given(st.lists(ANYTHING, min_size=1), st.sampled_from(["number", "boolean", "category", "text"]))
def test_mixed_cells_are_read_as_those_of_a_frame(cells: list[Any], kind: str) -> None:
    assert_same(*read_both(cells, kind))


@given(st.lists(DATES, min_size=1))
def test_dates_are_read_as_those_of_a_frame(cells: list[Any]) -> None:
    assert_same(*read_both(cells, "date"))


@given(st.lists(st.booleans(), min_size=1), st.sampled_from(["number", "boolean", "category"]))
def test_truth_values_are_read_as_those_of_a_frame(cells: list[bool], kind: str) -> None:
    assert_same(*read_both(np.array(cells), kind))


@given(st.lists(WORDS, min_size=1))
def test_labels_say_what_a_categorical_says(cells: list[Any]) -> None:
    adapter = InputAdapter([ColumnFormat(name="c", kind="category")])
    labels, frame = adapter.read({"c": cells}).columns["c"], adapter.transform({"c": cells})

    codes, names = codes_of(frame["c"])
    assert (codes.tolist(), names) == (labels.codes.tolist(), labels.labels)
    assert len(labels) == len(cells)


ADAPTER = InputAdapter([ColumnFormat(name=name, kind="number") for name in ("a", "b")])


def test_a_column_that_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match="Column 'b' of the training data"):
        ADAPTER.read({"a": [1.0]})


def test_a_column_that_is_not_known_is_ignored_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="ignored: 'c'"):
        read = ADAPTER.read({"a": [1], "b": ["2"], "c": [3]})

    assert {name: cells.tolist() for name, cells in read.columns.items()} == {"a": [1], "b": [2]}


def test_a_pipeline_says_whether_it_takes_columns() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, np.nan]})
    featurizer = Featurizer([("n", NumericColumns(), ["b", "a"])]).fit(ADAPTER.transform(frame))
    model = DummyClassifier().fit(frame, [0, 1])
    reader = DataTransformer.from_fitted(ADAPTER, featurizer)
    whole = ModelPipeline([("datatransformer", reader), ("m", model)], classes=np.array(["x", "y"]))
    columns = {"b": frame["b"].to_numpy(), "a": [1, 2]}

    assert whole.takes_columns
    assert_array_equal(reader.transform(columns), reader.transform(frame))
    assert_array_equal(whole.predict_proba(columns), whole.predict_proba(frame))
    assert not ModelPipeline([("m", model)], classes=np.array(["x", "y"])).takes_columns
