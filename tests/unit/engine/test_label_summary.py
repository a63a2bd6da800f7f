from __future__ import annotations

import json

import numpy as np
import pytest

from nbautoml.engine.label_summary import MOST_BINS, MOST_CLASSES, summarize_label
from nbautoml.engine.target import UNKNOWN_CODE, TargetEncoding


def test_classes_are_counted_the_most_frequent_first() -> None:
    encoding = TargetEncoding.fit(["a", "b", "c"] * 2, "classification")
    codes = np.array([2, 0, 2, 2, 0, 1, 1, UNKNOWN_CODE, 1])
    found = summarize_label("kind", codes, encoding, 6)
    assert found["rows"] == [6, 2]
    assert found["bars"] == [["c", [3, 0]], ["a", [2, 0]], ["b", [1, 2]]]
    assert json.loads(json.dumps(found)) == found


def test_rare_classes_are_counted_together() -> None:
    names = [f"class {i:02d}" for i in range(30)]
    encoding = TargetEncoding.fit(names * 2, "classification")
    codes = np.repeat(np.arange(30), np.arange(30, 0, -1))
    found = summarize_label("kind", codes, encoding, len(codes))
    assert len(found["bars"]) == MOST_CLASSES
    assert found["bars"][-1][0] == "11 other classes"
    assert found["others"] == 11
    assert sum(count for _, (count,) in found["bars"]) == len(codes)


def test_numbers_are_counted_in_bars_and_outliers_in_the_outer_ones() -> None:
    rng = np.random.default_rng(0)
    y = np.concatenate([rng.normal(size=999), [1e6], rng.normal(5.0, 1.0, size=100)])
    found = summarize_label("price", y, TargetEncoding.fit(y, "regression"), 1000)
    assert found["rows"] == [1000, 100]
    assert len(found["bars"]) == MOST_BINS
    assert [sum(part) for part in zip(*(c for _, c in found["bars"]), strict=True)] == [1000, 100]
    assert found["edges"][-1] < 5.0
    assert found["bars"][-1][1][1] > 90  # the validation rows lie elsewhere
    assert found["median"] == pytest.approx(float(np.median(y[:1000])))


@pytest.mark.parametrize("values", [[1.0, 2.0], [0.0] * 500 + [7.0]])
def test_few_different_numbers_have_few_bars(values: list[float]) -> None:
    y = np.array(values)
    found = summarize_label("n", y, TargetEncoding.fit(y, "regression"), len(y))
    assert len(found["bars"]) == 2
    assert sum(count for _, (count,) in found["bars"]) == len(values)
