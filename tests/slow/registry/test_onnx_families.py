"""Every family, step and ensemble as ONNX: the graph answers as the model does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbautoml.domain.tasks import Task
from nbautoml.engine.ensemble.meta_learner import build_meta_learner, fit_meta
from nbautoml.engine.ensemble.names import META_LEARNERS
from nbautoml.engine.featurize.build import build_featurizer
from nbautoml.engine.featurize.options import Representation
from nbautoml.engine.models._base import FitContext
from nbautoml.engine.models.catalog import FAMILIES, families_for, get_family
from nbautoml.engine.search.candidate import LOG, Candidate
from nbautoml.engine.trial import _unscaled
from nbautoml.errors import ModelError
from nbautoml.registry.onnx.convert import convert_model
from nbautoml.registry.onnx.families import CONVERTIBLE, NOT_CONVERTIBLE, NOT_ON_TEXTS
from nbautoml.registry.onnx.features import STEPS
from nbautoml.registry.onnx.inference import OnnxInferenceHelper
from nbautoml.registry.onnx.scalers import SCALERS
from nbautoml.runtime.bag import FoldBag, featurizer_of
from nbautoml.runtime.pipeline import MemberInput, ModelPipeline
from nbautoml.runtime.stacking import StackEnsembleClassifier, StackEnsembleRegressor
from nbautoml.runtime.voting import PreFittedSoftVotingClassifier, PreFittedSoftVotingRegressor
from tests.unit.registry.onnx_models import Data, small, table

pytest.importorskip("onnxruntime", reason="pip install 'nbautoml[onnx]'")
pytest.importorskip("onnx", reason="pip install 'nbautoml[onnx]'")

_NUMBERS = ("size", "epoch", "count", "is_new")
_WORDS = ("kind", "code", "town", "size")


_PLAIN = ("size", "epoch", "count", "is_new", "kind", "code", "seen")


@pytest.fixture(scope="module")
def data() -> dict[int, Data]:
    """Return rows of a few columns: two classes, three classes, numbers."""
    return {n_classes: Data(n_classes, columns=_PLAIN) for n_classes in (0, 2, 3)}


@pytest.fixture(scope="module")
def whole() -> dict[int, Data]:
    """Return rows with a column of every kind, texts and many categories too."""
    return {n_classes: Data(n_classes) for n_classes in (0, 2, 3)}


def assert_same(model: Any, rows: pd.DataFrame) -> OnnxInferenceHelper:
    """Convert a model, and compare it on rows that nothing else compared."""
    made = convert_model(model, rows)
    helper = OnnxInferenceHelper(made.content)
    labels, shares = helper.predict(rows)
    if model.classes is None:
        expected = model.predict(rows)
        np.testing.assert_allclose(labels, expected, rtol=1e-5, atol=1e-4 * expected.std())
        assert shares is None
    else:
        np.testing.assert_allclose(shares, model.predict_proba(rows), atol=1e-5)
        assert (labels == model.predict(rows)).mean() > 0.99
    return helper


CASES = [
    *((name, n) for name in families_for(Task.CLASSIFICATION) for n in (2, 3)),
    *((name, 0) for name in families_for(Task.REGRESSION)),
]


@pytest.mark.parametrize(("name", "n_classes"), CASES, ids=[f"{a}-{b}" for a, b in CASES])
def test_a_family_answers_the_same_as_a_graph(
    name: str, n_classes: int, data: dict[int, Data]
) -> None:
    if name in NOT_CONVERTIBLE:
        pytest.skip(f"{name}: {NOT_CONVERTIBLE[name]}")

    assert_same(data[n_classes].fit(name), data[n_classes].frame)


@pytest.mark.parametrize("name", ["ExtremeRandomTrees", "KNN", "MultinomialNaiveBayes"])
def test_a_family_answers_the_same_on_texts(name: str, whole: dict[int, Data]) -> None:
    assert_same(whole[2].fit(name), whole[2].frame)


@pytest.mark.parametrize("name", ["XGBoostClassifier", "GradientBoosting"])
def test_splits_at_values_of_texts_are_refused_by_their_name(
    name: str, whole: dict[int, Data]
) -> None:
    assert name in NOT_ON_TEXTS
    with pytest.raises(ModelError, match=r"(XGBoost|GradientBoosting) on column 'text' splits"):
        convert_model(whole[2].fit(name), whole[2].frame)


def test_every_family_is_convertible_or_says_why_not() -> None:
    assert set(FAMILIES.names()) - set(NOT_CONVERTIBLE) <= CONVERTIBLE
    assert not CONVERTIBLE & set(NOT_CONVERTIBLE)
    assert all(reason.endswith(".") for reason in NOT_CONVERTIBLE.values())


@pytest.mark.parametrize("representation", list(Representation))
@pytest.mark.parametrize("n_classes", [0, 3])
def test_a_representation_answers_the_same(
    representation: Representation, n_classes: int, whole: dict[int, Data]
) -> None:
    model = whole[n_classes].fit("LightGBM", representation=representation)

    assert_same(model, whole[n_classes].frame)


def test_every_step_of_features_has_a_writer(whole: dict[int, Data]) -> None:
    made = {
        type(step).__name__
        for representation in Representation
        for _, step, _ in build_featurizer(whole[2].profile, representation.matrix).steps
    }

    assert made == set(STEPS)


@pytest.mark.parametrize("scaler", SCALERS)
@pytest.mark.parametrize("columns", [_NUMBERS, (*_NUMBERS, "text")], ids=["dense", "sparse"])
def test_a_scaler_answers_the_same(scaler: str, columns: tuple[str, ...]) -> None:
    made = Data(2, columns=columns)

    assert_same(made.fit("LogisticRegression", scaler=scaler), made.frame)


def test_xgboost_takes_zeros_of_sparse_features_as_missing() -> None:
    frame = table().assign(town=[f"town {i % 300}" for i in range(220)])[["town", "size", "kind"]]
    made = Data(3, frame=frame)
    model = made.fit("XGBoostClassifier", representation="linear")

    assert model.steps[0][1].featurizer_.is_sparse_
    assert_same(model, made.frame)


def test_lines_in_leaves_of_light_gbm(data: dict[int, Data]) -> None:
    params = small("LightGBM", Task.REGRESSION) | {"linear_tree": True, "num_leaves": 8}

    assert_same(data[0].fit("LightGBM", params=params), data[0].frame)


@pytest.mark.parametrize("name", ["LightGBM", "XGBoostClassifier", "GradientBoosting"])
def test_rounds_after_the_best_one_are_left_out(name: str) -> None:
    made = Data(2, columns=_NUMBERS)
    featurizer = build_featurizer(made.profile, "tree")
    X = featurizer.fit_transform(made.adapter.transform(made.frame), made.y)
    family = get_family(name)
    fitted = family.fit(
        X[:150],
        made.y[:150],
        params=small(name, made.task),
        context=FitContext(task=made.task, n_classes=2),
        valid=(X[150:], made.y[150:]),
    )
    reader = MemberInput.from_fitted(made.adapter, featurizer)
    steps = [("datatransformer", reader), ("featurizer", featurizer), (name, fitted.model)]

    assert_same(ModelPipeline(steps, classes=made.classes), made.frame)


def test_a_logarithm_of_the_label_is_undone(data: dict[int, Data]) -> None:
    made = data[0].fit("RandomForest")
    name, model = made.steps[-1]
    model = type(model)(**model.get_params()).set_params(n_estimators=5)
    features = made._features(data[0].frame)
    model.fit(features, np.log1p(data[0].y))
    candidate = Candidate(family=name, model_name=name, params={}, scaler="", target=LOG)
    steps = [*made.steps[:-1], (name, _unscaled(candidate, model))]

    assert_same(ModelPipeline(steps), data[0].frame)


def test_whole_numbers_stay_whole(data: dict[int, Data]) -> None:
    model = data[0].fit("ElasticNet")
    model.predicts_whole = True
    helper = OnnxInferenceHelper(convert_model(model, data[0].frame).content)
    labels, _ = helper.predict(data[0].frame)

    assert labels.dtype == np.int64
    assert (labels == model.predict(data[0].frame)).all()


@pytest.fixture(scope="module")
def members(data: dict[int, Data]) -> dict[int, list[ModelPipeline]]:
    """Return models as ensembles hold them: a bag of folds, and a single fit."""
    return {n_classes: _members(made) for n_classes, made in data.items()}


def _members(made: Data) -> list[ModelPipeline]:
    rows = np.arange(len(made.frame))
    folds = [_inner(made.fit("LightGBM", rows=rows[rows % 2 != fold])) for fold in range(2)]
    bag = ModelPipeline([("LightGBM", FoldBag(folds, [0.7, 0.3]))], classes=made.classes)
    linear = "LogisticRegression" if made.n_classes else "ElasticNet"
    return [bag, _inner(made.fit(linear))]


def _inner(model: ModelPipeline) -> ModelPipeline:
    """Return a pipeline that begins with its featurizer."""
    featurizer = model.steps[0][1].featurizer_
    steps = [("featurizer", featurizer), *model.steps[1:]]
    return ModelPipeline(steps, classes=model.classes, codes=model.codes)


def _whole(made: Data, members: list[ModelPipeline], step: Any) -> ModelPipeline:
    reader = MemberInput.from_fitted(made.adapter, featurizer_of(members[0]))
    return ModelPipeline([("datatransformer", reader), ("ensemble", step)], classes=made.classes)


@pytest.mark.parametrize(("n_classes", "is_geometric"), [(0, False), (3, False), (3, True)])
def test_a_vote_answers_the_same(
    n_classes: int,
    is_geometric: bool,
    data: dict[int, Data],
    members: dict[int, list[ModelPipeline]],
) -> None:
    made = data[n_classes]
    named = [(str(i), member) for i, member in enumerate(members[n_classes])]
    vote: Any = PreFittedSoftVotingRegressor(named, [0.6, 0.4])
    if made.classes is not None:
        weights = [1.4, 0.3] if is_geometric else [0.6, 0.4]
        vote = PreFittedSoftVotingClassifier(named, weights, made.classes, is_geometric)

    assert_same(_whole(made, members[n_classes], vote), made.frame)


STACKS = [
    *((name, 2) for name in META_LEARNERS[Task.CLASSIFICATION]),
    (META_LEARNERS[Task.CLASSIFICATION][0], 3),
    *((name, 0) for name in META_LEARNERS[Task.REGRESSION]),
]


@pytest.mark.parametrize(("name", "n_classes"), STACKS, ids=[f"{a}-{b}" for a, b in STACKS])
def test_a_stack_answers_the_same(
    name: str,
    n_classes: int,
    data: dict[int, Data],
    members: dict[int, list[ModelPipeline]],
) -> None:
    made, below = data[n_classes], members[n_classes]
    method = "predict_proba" if n_classes else "predict"
    read = made.adapter.transform(made.frame)
    answers = np.stack([getattr(member, method)(read) for member in below])
    weights = np.array([0.6, 0.4])
    meta = fit_meta(build_meta_learner(name, {}), answers, made.y, weights)
    named = [(str(i), member) for i, member in enumerate(below)]
    stack: Any = StackEnsembleRegressor(named, weights.tolist(), meta)
    if made.classes is not None:
        stack = StackEnsembleClassifier(named, weights.tolist(), meta, made.classes)

    assert_same(_whole(made, below, stack), made.frame)


def test_classes_that_a_fold_lacks_get_probability_zero(data: dict[int, Data]) -> None:
    made = data[3]
    rows = np.flatnonzero(made.y != 1)
    part = Data(3, columns=_PLAIN)
    part.y = np.where(part.y == 2, 1, part.y)
    part.n_classes = 2
    member = _inner(part.fit("LogisticRegression", rows=rows))
    known = ModelPipeline(member.steps, classes=made.classes, codes=np.array([0, 2]))
    both = [known, _inner(made.fit("LogisticRegression"))]

    helper = assert_same(_whole(made, both, FoldBag(both)), made.frame)
    assert helper.classes == tuple(made.classes)


@pytest.mark.parametrize("labels", [[3, 7], [True, False], ["no", "yes"], [0.5, 1.5]], ids=str)
def test_labels_keep_their_type(labels: list[Any]) -> None:
    made = Data(2, columns=_WORDS)
    model = made.fit("LogisticRegression")
    model.classes = np.array(labels)
    found, _ = OnnxInferenceHelper(convert_model(model, made.frame).content).predict(made.frame)

    assert [str(label) for label in found] == [str(label) for label in model.predict(made.frame)]


def test_a_constant_model_answers_the_same(data: dict[int, Data]) -> None:
    from sklearn.dummy import DummyClassifier, DummyRegressor

    for n_classes, dummy in ((2, DummyClassifier(strategy="prior")), (0, DummyRegressor())):
        made = data[n_classes]
        steps = [
            ("datatransformer", made.adapter),
            ("Baseline", dummy.fit(np.zeros((len(made.y), 1)), made.y)),
        ]
        codes = np.arange(n_classes) if n_classes else None

        helper = OnnxInferenceHelper(
            convert_model(
                ModelPipeline(steps, classes=made.classes, codes=codes), made.frame
            ).content
        )
        labels, _ = helper.predict(made.frame.iloc[:5])
        assert len(labels) == 5


def test_rows_without_gaps_make_a_model_that_takes_gaps() -> None:
    made = Data(2, columns=_PLAIN)
    model = made.fit("ExtremeRandomTrees")

    assert_same(model, made.frame.dropna().reset_index(drop=True))
