"""Profiles, and how datasets look in a notebook."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbautoml.data import Dataset
from nbautoml.data.html import render_dataset
from nbautoml.data.profile import describe_column, profile_columns

Write = Callable[[str, str | bytes], str]
VOID = {"br", "hr", "img", "input", "meta", "link"}


class Checker(HTMLParser):
    """Collects the tags and attributes, and sees whether every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def of(frame: pd.DataFrame) -> str:
    return Dataset.Tabular.from_pandas_dataframe(frame)._repr_html_()


def test_numbers_are_described() -> None:
    found = describe_column(pd.Series([1.0, 2.0, 3.0, 4.0, None], name="x"))

    assert (found.kind, found.count, found.missing_count, found.unique_count) == ("number", 4, 1, 4)
    assert (found.min, found.max, found.mean, found.median) == (1.0, 4.0, 2.5, 2.5)
    assert (found.lower_quartile, found.upper_quartile) == (1.75, 3.25)
    assert found.std == pytest.approx(1.2909944)
    assert sum(b.count for b in found.histogram) == 4
    assert (found.histogram[0].low, found.histogram[-1].high) == (1.0, 4.0)


def test_words_and_truth_values_show_the_most_frequent() -> None:
    words = describe_column(pd.Series(["b", "a", "b", None], name="w"))
    truth = describe_column(pd.Series([True, None, True], dtype=object, name="t"))

    assert (words.kind, words.top) == ("text", (("b", 2), ("a", 1)))
    assert (truth.kind, truth.top) == ("boolean", (("True", 2),))


def test_dates_have_a_first_and_a_last() -> None:
    found = describe_column(pd.Series(pd.date_range("2024-01-01", periods=3, tz="UTC")))

    assert (found.kind, found.min) == ("date", "2024-01-01T00:00:00+00:00")
    assert found.histogram[0].low == pd.Timestamp("2024-01-01").timestamp()


ODD: dict[str, Any] = {
    "empty": [None, None],
    "infinite": [np.inf, -np.inf],
    "huge": [1e308, -1e308],
    "close": [1.0, 1.0 + 2.3e-16],
    "constant": [7, 7],
    "lists": [[1], [2]],
    "complex": [1j, 2j],
    "period": pd.period_range("2024", periods=2, freq="M"),
    "nullable": pd.array([1, None], dtype="Int64"),
    "category": pd.Categorical(["a", None], categories=["a", "never"]),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", ODD)
def test_odd_columns_are_described_and_drawn(kind: str) -> None:
    profile = profile_columns(pd.DataFrame({"odd": ODD[kind]}))

    assert profile.columns["odd"].count + profile.columns["odd"].missing_count == 2
    json.dumps(profile.to_dict(), allow_nan=False)
    assert Checker(profile._repr_html_()).open == []


def test_a_profile_counts_all_rows(write: Write) -> None:
    path = write("a.csv", "n\n" + "\n".join(map(str, range(20_001))))

    profile = Dataset.Tabular.from_delimited_files(path).get_profile()

    assert (profile.n_rows, profile.columns["n"].max) == (20_001, 20_000.0)
    assert profile.to_pandas_dataframe().loc["n", "count"] == 20_001
    assert repr(profile) == "DatasetProfile(20,001 rows, 1 columns)"


def test_the_view_shows_names_types_missing_values_and_rows(write: Write) -> None:
    shown = Checker(of(pd.DataFrame({"price": [1.5, None, 2.0], "word": ["x", "y", "x"]})))

    for text in ("price", "float64", "33.3 %", "word", "First 3 rows", "3 rows", "not registered"):
        assert text in shown.text
    assert {"svg", "rect", "table"} <= shown.tags
    assert shown.open == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [(3.0, "3"), (21870.4, "21,870"), (0.12345, "0.1235"), (2.5e-7, "2.5e-07"), (4e12, "4e+12")],
)
def test_numbers_are_short(value: float, expected: str) -> None:
    assert f"{expected} … {expected} … {expected}" in of(pd.DataFrame({"n": [value]}))


def test_the_view_says_when_it_saw_only_the_first_rows(workspace: Any) -> None:
    dataset = Dataset.Tabular.from_pandas_dataframe(pd.DataFrame({"n": range(10_001)}))

    assert "first 10,000 rows" in dataset._repr_html_()
    registered = dataset.register(workspace, "big")
    assert "version 1 · 10,001 rows, statistics of the first 10,000" in registered._repr_html_()


def test_nothing_in_the_data_becomes_markup() -> None:
    evil = "<script>alert('x')</script>\"'&"
    html = of(pd.DataFrame({evil: [evil, "a"], "b" + evil: [1.0, 2.0]}))
    html += render_dataset(evil, evil, pd.DataFrame(), profile_columns(pd.DataFrame()))

    shown = Checker(html)

    assert not shown.tags & {"script", "style", "img", "iframe", "link"}
    assert not [name for name in shown.attributes if name.startswith("on")]
    assert "<script>" in shown.text


def test_colours_follow_the_theme() -> None:
    colours = re.findall(r"(?<!background:)(?:color|fill)\s*[:=]\s*['\"]?([^;'\"]+)", of(FRAME))

    assert len(colours) >= 3
    assert all(c.startswith(("var(--jp-", "currentColor", "inherit")) for c in colours), colours


FRAME = pd.DataFrame({"n": [1, 2], "w": ["a", "b"]})


def test_many_columns_and_long_texts_are_cut() -> None:
    html = of(pd.DataFrame([["x" * 5000] * 300], columns=[f"c{i}" for i in range(300)]))

    assert "and 260 more columns" in html
    assert len(html) < 100_000


def test_a_dataset_that_cannot_be_read_shows_why(write: Write) -> None:
    path = write("<b>.csv", "")
    dataset = Dataset.Tabular.from_delimited_files(path, validate=False)

    shown = Checker(dataset._repr_html_())

    assert f"{path} is empty" in shown.text
    assert "b" in shown.tags
    assert shown.open == []
