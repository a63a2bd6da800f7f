"""Shares of training rows, and how far other rows are from them."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor

from nbautoml.registry.profile import (
    BACKGROUND_ROWS,
    MOST_WORDS,
    Shares,
    describe_profile,
    shares_of,
)
from nbautoml.serving.drift import FEWEST_ROWS, compare, stability_index


@pytest.fixture
def training() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "n": rng.normal(size=2_000),
            "w": rng.choice(["a", "b"], 2_000, p=[0.9, 0.1]),
            "t": pd.Timestamp("2025-01-01"),
            "empty": np.nan,
        }
    )


def profile(frame: pd.DataFrame) -> dict[str, object]:
    model = DummyClassifier().fit(frame, frame["w"])
    return describe_profile(model, frame)


def test_each_range_of_numbers_holds_as_many_rows(training: pd.DataFrame) -> None:
    shares = shares_of(training["n"])

    assert shares is not None
    np.testing.assert_allclose(shares.shares, np.full(10, 0.1), atol=1e-3)


def test_values_that_repeat_make_fewer_ranges() -> None:
    shares = shares_of(pd.Series([0, 0, 0, 0, 1]))

    assert shares is not None
    assert shares.edges == (0.0, 1.0)
    assert shares.shares == (0.0, 0.8, 0.2)


def test_rare_words_are_counted_together() -> None:
    cells = pd.Series([f"w{i}" for i in range(100)] + ["often"] * 100)
    shares = shares_of(cells.astype("category"))

    assert shares is not None
    assert (shares.words[0], len(shares.words)) == ("often", MOST_WORDS)
    assert shares.shares[0] == pytest.approx(0.5)
    assert shares.shares[-1] == pytest.approx(51 / 200)


def test_a_profile_survives_json_and_holds_rows_to_count_from(training: pd.DataFrame) -> None:
    import json

    told = json.loads(json.dumps(profile(training), allow_nan=False))

    assert set(told["columns"]) == {"n", "w", "empty"}
    assert Shares.from_dict(told["columns"]["n"]) == shares_of(training["n"])
    assert len(told["background"]) == BACKGROUND_ROWS
    assert told["columns"]["empty"]["missing"] == 1.0
    few = describe_profile(DummyRegressor().fit(training, training["n"]), training.head(5))
    assert len(few["background"]) == 5


def test_rows_of_the_same_kind_do_not_drift(training: pd.DataFrame) -> None:
    report = compare(profile(training), training.sample(1_000), [], model="m:1")

    assert {column.verdict for column in report.columns} <= {"stable", "too few rows"}
    assert report.prediction is None


def test_rows_that_moved_are_found(training: pd.DataFrame) -> None:
    moved = training.assign(n=training["n"] + 1, w="c")
    moved.loc[:499, "n"] = np.nan

    report = compare(profile(training), moved, ["b"] * len(moved), model="m:1", times=[1.0, 2.0])

    by_name = {column.name: column for column in report.columns}
    assert by_name["n"].verdict == by_name["w"].verdict == "strong"
    assert by_name["n"].missing_now == pytest.approx(0.25)
    assert by_name["w"].unseen == 1.0
    assert report.prediction is not None
    assert report.prediction.verdict == "strong"
    assert (report.since, report.until, report.n_requests) == (1.0, 2.0, 2)
    assert asdict(report) == report.to_dict()


def test_few_rows_are_not_judged(training: pd.DataFrame) -> None:
    few = training.head(FEWEST_ROWS - 1).assign(n=100.0)

    report = compare(profile(training), few, [], model="m:1")

    assert {column.verdict for column in report.columns} == {"too few rows"}


def test_the_index_is_the_one_of_the_books() -> None:
    """Two shares, worked out by hand: 0.25 ln 1.5 + 0.25 ln 2."""
    expected = (0.75 - 0.5) * np.log(0.75 / 0.5) + (0.25 - 0.5) * np.log(0.25 / 0.5)

    assert stability_index([0.5, 0.5], [0.75, 0.25]) == pytest.approx(expected)
    assert stability_index([1.0, 0.0], [0.0, 1.0]) > 10
