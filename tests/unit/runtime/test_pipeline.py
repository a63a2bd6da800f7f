"""The pipeline that users hold."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from nbautoml.runtime.featurizer import Featurizer
from nbautoml.runtime.input_adapter import ColumnFormat, InputAdapter
from nbautoml.runtime.numeric import NumericColumns
from nbautoml.runtime.pipeline import MemberInput, ModelPipeline, spread_proba

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
CODES = (X[:, 0] > 0).astype(int)
LABELS = np.array(["no", "yes"])


def classifier(**options: object) -> ModelPipeline:
    scaler = StandardScaler().fit(X)
    model = LogisticRegression().fit(scaler.transform(X), CODES)
    return ModelPipeline([("scale", scaler), ("model", model)], **options)  # type: ignore[arg-type]


def test_answers_are_labels() -> None:
    model = classifier(classes=LABELS)
    assert set(model.predict(X)) == {"no", "yes"}
    np.testing.assert_array_equal(model.predict(X) == "yes", model.predict_proba(X)[:, 1] > 0.5)


def test_probabilities_follow_classes_() -> None:
    model = classifier(classes=LABELS)
    assert model.classes_.tolist() == ["no", "yes"]
    assert model.predict_proba(X)[X[:, 0].argmax(), 1] > 0.9


def test_it_is_a_pipeline_of_scikit_learn() -> None:
    model = classifier(classes=LABELS)
    assert isinstance(model, Pipeline)
    assert list(model.named_steps) == ["scale", "model"]
    assert isinstance(model["scale"], StandardScaler)
    assert model.get_params()["classes"] is LABELS


def test_score_compares_labels() -> None:
    model = classifier(classes=LABELS)
    assert model.score(X, LABELS[CODES]) > 0.9


def test_a_class_that_the_model_never_saw_has_probability_0() -> None:
    model = classifier(classes=np.array(["a", "b", "c"]), codes=np.array([0, 2]))
    assert model.predict_proba(X).shape == (60, 3)
    assert (model.predict_proba(X)[:, 1] == 0.0).all()
    assert set(model.predict(X)) == {"a", "c"}


def test_numbers_have_neither_classes_nor_probabilities() -> None:
    model = ModelPipeline([("model", LinearRegression().fit(X, X[:, 0] * 2))])
    np.testing.assert_allclose(model.predict(X), X[:, 0] * 2)
    assert model.score(X, X[:, 0] * 2) == pytest.approx(1.0)
    assert not hasattr(model, "classes_")
    with pytest.raises(AttributeError, match="no predict_proba"):
        model.predict_proba(X)


def test_it_pickles() -> None:
    model = classifier(classes=LABELS)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_steps_before_the_last_transform() -> None:
    double = FunctionTransformer(lambda Z: Z * 2)
    model = ModelPipeline([("double", double), ("model", LinearRegression().fit(X * 2, X[:, 0]))])
    np.testing.assert_allclose(model.predict(X), X[:, 0])


def test_probabilities_spread_over_all_classes() -> None:
    spread = spread_proba(np.array([[1.0]]), np.array([1]), 3)
    np.testing.assert_array_equal(spread, [[0.0, 1.0, 0.0]])


def test_a_member_input_reads_rows_and_names_features() -> None:
    adapter = InputAdapter([ColumnFormat(name="a", kind="number")])
    frame = pd.DataFrame({"a": ["1", "2"], "b": [0, 0]})
    read = adapter.transform(frame)
    steps = [("numbers", NumericColumns(strategy="none"), ["a"])]
    reader = MemberInput.from_fitted(adapter, Featurizer(steps).fit(read))
    assert reader.transform(frame).columns.tolist() == ["a"]
    assert len(reader.get_engineered_feature_names()) == 1
