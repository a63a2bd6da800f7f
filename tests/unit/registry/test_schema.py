from __future__ import annotations

import datetime
import json

import numpy as np
import pandas as pd
import pytest

from nbautoml.registry.schema import MAX_CATEGORIES, ColumnSchema, describe_frame, to_json, to_rows


def _only(values: list[object], dtype: object = None) -> ColumnSchema:
    frame = pd.DataFrame({"c": pd.Series(values, dtype=dtype)})
    return describe_frame(frame, task="regression", label="y").columns[0]


def test_a_number_has_a_range_and_no_categories() -> None:
    column = _only([3.5, None, -1.0])

    assert (column.minimum, column.maximum, column.is_nullable) == (-1.0, 3.5, True)
    assert column.categories is None


def test_words_are_listed_sorted_without_the_missing_one() -> None:
    column = _only(["b", None, "a", "b"])

    assert (column.categories, column.is_nullable) == (("a", "b"), True)
    assert column.minimum is None


def test_dates_have_a_range_as_iso_text() -> None:
    column = _only([pd.Timestamp("2026-01-02"), pd.Timestamp("2025-12-31")])

    assert (column.minimum, column.maximum) == ("2025-12-31T00:00:00", "2026-01-02T00:00:00")


def test_truth_values_are_categories() -> None:
    assert _only([True, False, True]).categories == (False, True)


def test_too_many_words_are_not_listed() -> None:
    assert _only([f"w{i}" for i in range(MAX_CATEGORIES + 1)]).categories is None
    assert len(_only([f"w{i}" for i in range(MAX_CATEGORIES)]).categories or ()) == MAX_CATEGORIES


def test_mixed_and_unhashable_cells_do_not_stop_it() -> None:
    assert _only([1, "a", 2.5], dtype=object).categories == (2.5, 1, "a")
    assert _only([["a"], ["b"]], dtype=object).categories is None


def test_an_empty_number_column_has_no_range() -> None:
    assert _only([None, None], dtype="float64").minimum is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (float("inf"), None),
        (pd.NA, None),
        (pd.NaT, None),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (pd.Timedelta(days=1), "1 days 00:00:00"),
    ],
)
def test_cells_become_json_values(value: object, expected: object) -> None:
    result = to_json(value)

    assert result == expected
    assert type(result) is type(expected)


def test_rows_and_schema_are_json() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": pd.Categorical(["u", "v"])})
    schema = describe_frame(frame, task="classification", label="y", classes=np.array([0, 1]))

    assert to_rows(frame) == [{"a": 1, "b": "x", "c": "u"}, {"a": 2, "b": None, "c": "v"}]
    assert json.loads(json.dumps(schema.to_dict()))["classes"] == [0, 1]
