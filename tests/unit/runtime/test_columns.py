"""Rows without a frame: the same features and answers as with one."""

from __future__ import annotations

from collections.abc import Callable

import lightgbm
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from nbautoml.runtime.categorical import HashedColumns, OneHotColumns, OrdinalColumns
from nbautoml.runtime.columns import ReadRows, columns_of, matrix_of, n_rows_of
from nbautoml.runtime.crosses import PairArithmetic, TargetColumns
from nbautoml.runtime.dates import DateParts
from nbautoml.runtime.featurizer import Featurizer
from nbautoml.runtime.input_adapter import ColumnFormat, InputAdapter
from nbautoml.runtime.numeric import NumericColumns
from nbautoml.runtime.pipeline import ModelPipeline
from nbautoml.runtime.text import TextColumns
from nbautoml.runtime.threads import FEW_ROWS

KINDS = {"a": "number", "b": "number", "w": "category", "v": "category", "d": "date", "t": "text"}
ADAPTER = InputAdapter([ColumnFormat(name=name, kind=kind) for name, kind in KINDS.items()])
STEPS = [
    ("numbers", NumericColumns(), ["a", "b"]),
    ("arithmetic", PairArithmetic(), ["b", "a"]),
    ("target", TargetColumns(crossed=3), ["w", "v", "a"]),
    ("ordinal", OrdinalColumns(), ["v", "w"]),
    ("one hot", OneHotColumns(is_sparse=False), ["w"]),
    ("hashed", HashedColumns(number_of_bits=3, is_sparse=False), ["v"]),
    ("dates", DateParts(), ["d"]),
    ("texts", TextColumns(n_components=2), ["t"]),
]


def raw_rows(n: int = 60, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "a": rng.normal(size=n),
            "b": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
            "w": rng.choice(["x", "y", "z", None], size=n),
            "v": rng.choice(["1", "2", "10"], size=n),
            "d": pd.date_range("2024-01-01", periods=n).astype(str),
            "t": rng.choice(["red apple", "green apple", "old pear", ""], size=n),
        }
    )
    return frame[["t", "d", "v", "w", "b", "a"]]


@pytest.fixture(scope="module")
def featurizer() -> Featurizer:
    y = np.random.default_rng(1).integers(0, 2, size=60)
    return Featurizer(STEPS).fit(ADAPTER.transform(raw_rows()), y)


@pytest.mark.parametrize("n", [0, 1, 2, 50])
def test_features_are_those_of_frames(featurizer: Featurizer, n: int) -> None:
    rows = raw_rows(50, seed=2).assign(w="unseen").head(n)
    frame = ADAPTER.transform(rows)
    cut = [step.transform(frame[names]) for _, step, names in featurizer.steps_]

    found = featurizer.transform(ADAPTER.read(rows))

    assert_array_equal(found, np.concatenate(cut, axis=1))
    assert_array_equal(found, featurizer.transform(frame))
    assert found.dtype == np.float32


def test_a_step_without_columns_knows_its_rows() -> None:
    rows = ReadRows({"a": np.arange(3.0)}, 3)

    assert n_rows_of(rows.take([])) == 3
    assert list(columns_of(rows.take([]))) == []
    assert rows.shape == (3, 1)


def test_a_list_of_numbers_is_no_table() -> None:
    with pytest.raises(ValueError, match=r"must be a table; got shape \(3,\)"):
        matrix_of(np.arange(3.0))


def boosted(is_classifier: bool) -> BaseEstimator:
    kind = lightgbm.LGBMClassifier if is_classifier else lightgbm.LGBMRegressor
    return kind(n_estimators=5, n_jobs=1, verbosity=-1)


def forest(is_classifier: bool) -> BaseEstimator:
    kind = RandomForestClassifier if is_classifier else RandomForestRegressor
    return kind(n_estimators=7, random_state=0)


def extra_trees(is_classifier: bool) -> BaseEstimator:
    kind = ExtraTreesClassifier if is_classifier else ExtraTreesRegressor
    return kind(n_estimators=7, random_state=0)


@pytest.mark.parametrize("make", [boosted, forest, extra_trees])
@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("n", [1, FEW_ROWS, FEW_ROWS + 1])
def test_models_say_the_same_to_few_rows_and_to_many(
    make: Callable[[bool], BaseEstimator], n_classes: int, n: int
) -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(200, 4)).astype(np.float32)
    y = rng.integers(0, n_classes, size=200) if n_classes else rng.normal(size=200)
    model = make(n_classes > 0).fit(X, y)
    classes = np.arange(n_classes) if n_classes else None
    pipeline = ModelPipeline([("m", model)], classes=classes)
    rows = np.resize(X, (n, 4))

    if n_classes:
        assert_array_equal(pipeline.predict_proba(rows), model.predict_proba(rows))
        assert_array_equal(
            pipeline.predict_proba(rows.astype(np.float64)), model.predict_proba(rows)
        )
    assert_array_equal(pipeline.predict(rows), model.predict(rows))


def test_a_forest_refuses_what_it_refuses_in_larger_numbers() -> None:
    X, y = np.arange(8.0).reshape(4, 2), np.array([0, 1, 0, 1])
    model = RandomForestClassifier(3, random_state=0).fit(X, y)
    pipeline = ModelPipeline([("m", model)], classes=np.array([0, 1]))

    with pytest.raises(ValueError, match="contains infinity"):
        pipeline.predict(np.array([[np.inf, 1.0]]))
    rows = np.array([[np.nan, 1.0], [3.0, np.nan]])
    assert_array_equal(pipeline.predict_proba(rows), model.predict_proba(rows))
