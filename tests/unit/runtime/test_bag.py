"""Means of fold models, and model files made of parts."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler

from nbautoml.runtime.bag import (
    FittedPart,
    FoldBag,
    PackedModel,
    PackedPart,
    PackedSaved,
    featurizer_of,
    open_model,
)
from nbautoml.runtime.featurizer import DataTransformer, Featurizer
from nbautoml.runtime.input_adapter import ColumnFormat, InputAdapter
from nbautoml.runtime.numeric import NumericColumns
from nbautoml.runtime.pipeline import MemberInput, ModelPipeline

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({"a": RNG.normal(size=80), "b": RNG.normal(size=80)})
ADAPTER = InputAdapter([ColumnFormat(name=name, kind="number") for name in ("a", "b")])
CODES = (FRAME["a"] + 0.5 * FRAME["b"] > 0).astype(int).to_numpy()
LABELS = np.array(["no", "yes"])


def part(rows: slice, *, is_class: bool = True) -> PackedPart:
    read = ADAPTER.transform(FRAME.iloc[rows])
    featurizer = Featurizer([("numbers", NumericColumns(strategy="none"), ["a", "b"])]).fit(read)
    scaler = StandardScaler().fit(featurizer.transform(read))
    Z = scaler.transform(featurizer.transform(read))
    if is_class:
        model: Any = LogisticRegression().fit(Z, CODES[rows])
    else:
        model = LinearRegression().fit(Z, FRAME["a"].iloc[rows])
    fitted = FittedPart(
        scaler=("StandardScalerWrapper", scaler),
        model=("Linear", model),
        codes=np.array([0, 1]) if is_class else None,
        classes=LABELS if is_class else None,
    )
    return PackedPart(featurizer=pickle.dumps(featurizer), fitted=pickle.dumps(fitted))


def saved(*parts: PackedPart) -> bytes:
    return pickle.dumps(PackedModel(open_model, pickle.dumps(ADAPTER), parts))


FOLDS = (part(slice(0, 50)), part(slice(30, 80)))


def test_a_file_of_parts_opens_as_the_model_itself() -> None:
    model = pickle.loads(saved(*FOLDS))
    assert isinstance(model, ModelPipeline)
    assert [name for name, _ in model.steps] == ["datatransformer", "Linear"]
    assert isinstance(model.steps[-1][1], FoldBag)
    assert set(model.predict(FRAME)) == {"no", "yes"}


def test_a_bag_answers_with_the_mean_of_its_folds() -> None:
    read = ADAPTER.transform(FRAME)
    expected = np.mean([fold.open().predict_proba(read) for fold in FOLDS], axis=0)
    model = pickle.loads(saved(*FOLDS))
    np.testing.assert_allclose(model.predict_proba(FRAME), expected)
    np.testing.assert_array_equal(model.predict(FRAME), LABELS[expected.argmax(axis=1)])
    np.testing.assert_array_equal(model.steps[-1][1].predict(read), expected.argmax(axis=1))


def test_a_bag_of_numbers_answers_with_their_mean() -> None:
    folds = (part(slice(0, 50), is_class=False), part(slice(30, 80), is_class=False))
    model = pickle.loads(saved(*folds))
    np.testing.assert_allclose(model.predict(FRAME), FRAME["a"], atol=1e-6)


def test_a_single_part_is_a_plain_pipeline() -> None:
    model = pickle.loads(saved(FOLDS[0]))
    names = [name for name, _ in model.steps]
    assert names == ["datatransformer", "StandardScalerWrapper", "Linear"]
    assert type(model.steps[0][1]) is DataTransformer


def test_an_opened_model_pickles_again() -> None:
    model = pickle.loads(saved(*FOLDS))
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(FRAME), model.predict_proba(FRAME))


@pytest.mark.parametrize("n_parts", [1, 2])
def test_a_saved_model_opens_as_a_member(n_parts: int) -> None:
    data = saved(*FOLDS[:n_parts])
    member = PackedSaved(model=data).open()
    read = ADAPTER.transform(FRAME)
    expected = pickle.loads(data).predict_proba(FRAME)
    np.testing.assert_allclose(member.predict_proba(read), expected)


def test_the_featurizer_of_a_bag_is_that_of_its_first_fold() -> None:
    member = PackedSaved(model=saved(*FOLDS)).open()
    assert featurizer_of(member) is member.steps[-1][1].estimators[0].steps[0][1]
    single = PackedSaved(model=saved(FOLDS[0])).open()
    assert featurizer_of(single) is single.steps[0][1]


def test_a_bag_reads_rows_once_and_names_features() -> None:
    reader = pickle.loads(saved(*FOLDS)).steps[0][1]
    assert type(reader) is MemberInput
    assert len(reader.get_engineered_feature_names()) == 2
