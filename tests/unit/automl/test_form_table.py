"""A table as the form shows it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbautoml.automl.form import table
from nbautoml.automl.form.table import describe_table
from nbautoml.data.named import NamedData

N = 60


def describe(frame: pd.DataFrame, **facts: Any) -> dict[str, Any]:
    return describe_table(NamedData(value=frame, name="d", code="df", **facts))


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    frame = pd.DataFrame(
        {
            "id": range(N),
            "age": np.linspace(20, 80, N),
            "zip": ["01234", "99999", None] * (N // 3),
            "when": pd.date_range("2024-01-01", periods=N),
            "same": ["a"] * N,
            "none": [None] * N,
            "cells": [[1, 2]] * N,
            "died": ["yes", "no"] * (N // 2),
            "note": [f"long words {i} " * 9 for i in range(N)],
        }
    )
    return describe(frame)


def column(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(c for c in found["columns"] if c["name"] == name)


def test_it_is_json_with_the_size_of_the_table(found: dict[str, Any]) -> None:
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["rows"], found["seen_rows"], found["n_columns"]) == (N, N, 9)


def test_columns_say_what_a_run_would_use_them_as(found: dict[str, Any]) -> None:
    assert column(found, "id")["purpose"] == "Ignore"
    assert "numbers the rows" in column(found, "id")["reason"]
    assert column(found, "zip")["purpose"] == "Categorical"
    assert column(found, "when")["purpose"] == "DateTime"


def test_columns_say_what_is_in_them(found: dict[str, Any]) -> None:
    age = column(found, "age")
    assert (age["min"], age["max"], sum(age["histogram"])) == (20.0, 80.0, N)
    zips = column(found, "zip")
    assert (zips["missing"], zips["unique"], zips["top"][0][1]) == (20, 2, 20)


def test_columns_say_what_they_are_as_the_label(found: dict[str, Any]) -> None:
    assert column(found, "died")["task"] == "classification"
    assert column(found, "age")["task"] == "regression"
    assert column(found, "zip")["label_note"] == "20 rows have no label and are left out."
    for name, words in {
        "same": "All values are the same",
        "none": "No value is there",
        "cells": "lists",
        "note": "Each value is different",
    }.items():
        assert not column(found, name)["can_predict"]
        assert words in column(found, name)["label_note"]


def test_the_label_is_one_that_can_be_predicted(found: dict[str, Any]) -> None:
    assert found["label"]["name"] == "died"  # the last one, but for the notes


def test_the_first_rows_are_short_texts(found: dict[str, Any]) -> None:
    assert len(found["head"]) == 8
    first = dict(zip([c["name"] for c in found["columns"]], found["head"][0], strict=True))
    assert first["zip"] == "01234"
    assert first["none"] == ""
    assert first["note"].endswith("…")


def test_of_a_long_table_the_first_rows_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MOST_ROWS", 50)
    monkeypatch.setattr(table, "LEAST_ROWS", 10)
    found = describe(pd.DataFrame({"a": range(N)}))
    assert (found["rows"], found["seen_rows"]) == (None, 50)
    assert describe(pd.DataFrame({"a": range(N)}), n_rows=N)["rows"] == N


def test_of_a_wide_table_the_first_columns_and_the_last_are_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(table, "MOST_COLUMNS", 3)
    found = describe(pd.DataFrame({name: [1, 2] for name in "abcde"}))
    assert [c["name"] for c in found["columns"]] == ["a", "b", "e"]
    assert found["n_columns"] == 5
    assert [len(row) for row in found["head"]] == [3, 3]


def test_a_table_without_anything_to_predict_has_no_suggestion() -> None:
    found = describe(pd.DataFrame({"a": ["x"] * 5}))
    assert found["label"]["name"] == ""
    assert found["label"]["reason"]
