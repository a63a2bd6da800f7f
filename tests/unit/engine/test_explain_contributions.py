"""Contributions of columns: they sum to what the model says, whatever the model is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from lightgbm import Booster, LGBMClassifier, LGBMRegressor
from scipy.special import expit, softmax
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from xgboost import XGBClassifier, XGBRegressor

from nbautoml.engine.explain.contributions import exact_contributions, sources_of
from nbautoml.engine.explain.links import Link, answer_of, carry
from nbautoml.engine.explain.mixing import RawGround
from nbautoml.engine.explain.native import margins_of
from nbautoml.engine.explain.parts import split_model
from nbautoml.engine.explain.shapley import sampled_contributions
from nbautoml.engine.featurize.build import build_featurizer
from nbautoml.engine.search.budget import Deadline
from nbautoml.runtime.scalers import PCA, StandardScalerWrapper
from tests.unit.engine.explain_models import Made

N = 20


def light(kind: Any, **more: Any) -> Callable[[], Any]:
    return lambda: kind(n_estimators=12, num_leaves=6, n_jobs=1, verbosity=-1, **more)


def boost(kind: Any) -> Callable[[], Any]:
    return lambda: kind(n_estimators=12, max_depth=3, n_jobs=1, verbosity=0)


def on_log(made: Callable[[], Any]) -> Callable[[], Any]:
    def make() -> Any:
        return TransformedTargetRegressor(
            regressor=made(), func=np.log1p, inverse_func=np.expm1, check_inverse=False
        )

    return make


def explained(made: Made, n_rows: int = N) -> Any:
    mixture = split_model(made.model)
    assert mixture is not None
    return exact_contributions(
        mixture, made.frame, n_classes=made.n_classes, n_rows=n_rows, deadline=Deadline()
    )


MODELS: dict[str, Callable[[], Made]] = {
    "boosted numbers": lambda: Made(light(LGBMRegressor)),
    "boosted classes": lambda: Made(light(LGBMClassifier), n_classes=2),
    "boosted, three classes": lambda: Made(light(LGBMClassifier), n_classes=3),
    "xgboost, numbers": lambda: Made(boost(XGBRegressor)),
    "xgboost, classes": lambda: Made(boost(XGBClassifier), n_classes=2),
    "xgboost, three classes": lambda: Made(boost(XGBClassifier), n_classes=3),
    "linear numbers": lambda: Made(
        lambda: ElasticNet(alpha=0.01), representations=("linear",), scaler=StandardScalerWrapper
    ),
    "linear classes": lambda: Made(
        LogisticRegression, n_classes=2, representations=("linear",), scaler=StandardScalerWrapper
    ),
    "linear, three classes": lambda: Made(
        LogisticRegression, n_classes=3, representations=("linear",)
    ),
    "calibrated margin": lambda: Made(
        lambda: CalibratedClassifierCV(LinearSVC(), cv=3), n_classes=2, representations=("linear",)
    ),
    "scaled target": lambda: Made(
        lambda: TransformedTargetRegressor(Ridge(), transformer=StandardScaler()),
        representations=("linear",),
    ),
    "vote over features of all kinds": lambda: Made(
        light(LGBMClassifier),
        boost(XGBClassifier),
        LogisticRegression,
        n_classes=2,
        representations=("tree", "crossed", "linear"),
        weights=(0.5, 0.3, 0.2),
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_contributions_and_base_sum_to_what_the_model_says(name: str) -> None:
    made = MODELS[name]()
    found = explained(made)
    said = made.answers(made.frame.iloc[:N])
    for one in (found.raw, found.engineered):
        total = one.values.sum(axis=2).T + one.base
        np.testing.assert_allclose(total, said, atol=2e-3 * max(1.0, np.abs(said).max()))


def test_the_planted_column_is_first_and_noise_is_last() -> None:
    found = explained(MODELS["boosted classes"](), n_rows=100)
    sizes = dict(zip(found.raw.names, found.raw.sizes(), strict=True))
    assert sizes["strong"] > 3 * sizes["kind"] > 0
    assert sizes["noise"] < 0.5 * sizes["strong"]


def test_raw_columns_have_the_sums_of_their_features() -> None:
    made = Made(LogisticRegression, n_classes=2, representations=("linear",))
    found = explained(made)
    features = dict(zip(found.engineered.names, found.engineered.values[0].T, strict=True))
    of_kind = [values for name, values in features.items() if name.startswith("kind")]
    place = found.raw.names.index("kind")
    assert len(of_kind) == 3
    np.testing.assert_allclose(found.raw.values[0, :, place], np.sum(of_kind, axis=0), atol=1e-9)


def test_a_feature_of_two_columns_gives_half_to_each() -> None:
    made = Made(light(LGBMRegressor), representations=("crossed",))
    part = split_model(made.model).parts[0]
    sources = dict(
        zip([e.name for e in part.featurizer.lineage_], sources_of(part.featurizer), strict=True)
    )
    assert sources["strong + noise"] == ("strong", "noise")
    found = explained(made)
    crossed = [j for j, name in enumerate(found.engineered.names) if name.startswith("strong")]
    assert len(crossed) > 1
    total = found.raw.values.sum(axis=2)
    np.testing.assert_allclose(total, found.engineered.values.sum(axis=2), atol=1e-6)


def test_a_log_target_is_carried_to_the_units_of_the_label() -> None:
    made = Made(light(LGBMRegressor))
    positive = np.exp(made.y - made.y.min())
    made.y = positive
    bag = made._bag(on_log(light(LGBMRegressor)), "tree")
    made.model = made._joined([bag], [])
    found = explained(made)
    said = made.answers(made.frame.iloc[:N])
    total = found.raw.values.sum(axis=2).T + found.raw.base
    np.testing.assert_allclose(total, said, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    "made",
    [
        lambda: Made(lambda: RandomForestClassifier(5), n_classes=2),
        lambda: Made(light(LGBMRegressor, linear_tree=True)),
        lambda: Made(light(LGBMRegressor), scaler=PCA, representations=("linear",)),
        lambda: Made(
            lambda: CalibratedClassifierCV(LinearSVC(), cv=3),
            n_classes=3,
            representations=("linear",),
        ),
        lambda: Made(
            light(LGBMClassifier),
            lambda: RandomForestClassifier(5),
            n_classes=2,
            weights=(0.5, 0.5),
        ),
    ],
    ids=["forest", "lines in leaves", "components", "three calibrated classes", "mixed vote"],
)
def test_what_is_no_sum_is_not_taken_for_one(made: Callable[[], Made]) -> None:
    assert explained(made()) is None


def test_contributions_that_do_not_add_up_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    made = MODELS["boosted numbers"]()
    ask = Booster.predict

    def other(self: Booster, X: np.ndarray, **how: bool) -> object:
        return ask(self, X, **how) if how.get("pred_contrib") else np.full(len(X), 7.0)

    monkeypatch.setattr(Booster, "predict", other)
    assert explained(made) is None


def test_time_ends_with_the_rows_that_are_done() -> None:
    now = [0.0]
    made = MODELS["boosted numbers"]()
    deadline = Deadline(1.0, clock=lambda: now[0])
    found = exact_contributions(
        split_model(made.model),
        made.frame,
        n_classes=0,
        n_rows=100,
        deadline=deadline,
        report=lambda done, of: now.__setitem__(0, 2.0),
    )
    assert 0 < found.raw.n_rows < 100


def test_a_fold_that_lacks_a_class_gives_it_nothing() -> None:
    made = Made(light(LGBMClassifier), n_classes=3)
    rare = np.where(made.y == 2)[0]
    made.y[rare] = 0
    made.y[rare[made.folds[rare] == 0][:5]] = 2  # only in fold 0: its own model never saw it
    bag = made._bag(light(LGBMClassifier), "tree")
    made.model = made._joined([bag], [])
    found = explained(made)
    total = found.raw.values.sum(axis=2).T + found.raw.base
    np.testing.assert_allclose(total, made.answers(made.frame.iloc[:N]), atol=2e-3)


def test_sparse_rows_give_the_same_as_dense_ones() -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (80, 6)).astype(np.float32)
    y = (X[:, 0] > 1).astype(int) + (X[:, 1] > 1)
    model = light(LGBMClassifier)().fit(sp.csr_matrix(X), y)
    center = np.zeros(6)
    dense = margins_of(model, X, center)[0]
    sparse = margins_of(model, sp.csr_matrix(X), center)[0]
    np.testing.assert_allclose(dense.values, sparse.values, atol=1e-9)
    np.testing.assert_allclose(dense.base, sparse.base, atol=1e-9)


@pytest.mark.parametrize("link", [Link.IDENTITY, Link.LOGISTIC, Link.EXPM1])
def test_what_is_carried_sums_to_the_answer(link: Link) -> None:
    rng = np.random.default_rng(0)
    values, base = rng.normal(scale=2.0, size=(30, 4, 1)), np.array([0.3])
    values[0] = 0.0  # a row that lies at the base
    values[1] = [[5.0], [-5.0], [1e-9], [0.0]]
    carried, start = carry(values, base, link)
    said = answer_of(values.sum(axis=1) + base, link)
    np.testing.assert_allclose(carried.sum(axis=1) + start, said, atol=1e-8)


def test_several_margins_share_the_answer() -> None:
    rng = np.random.default_rng(0)
    values, base = rng.normal(scale=4.0, size=(30, 5, 3)), np.array([0.0, 1.0, -1.0])
    carried, start = carry(values, base, Link.SOFTMAX)
    said = softmax(values.sum(axis=1) + base, axis=1)
    np.testing.assert_allclose(carried.sum(axis=1) + start, said, atol=1e-9)
    np.testing.assert_allclose(carried.sum(axis=2), 0.0, atol=1e-6)


def test_two_margins_are_one() -> None:
    """A softmax of two margins is the logistic function of their difference."""
    rng = np.random.default_rng(0)
    one = rng.normal(size=(10, 3, 1))
    two = np.concatenate([-one / 2, one / 2], axis=2)
    single, start = carry(one, np.array([0.4]), Link.LOGISTIC)
    double, start_too = carry(two, np.array([-0.2, 0.2]), Link.SOFTMAX)
    np.testing.assert_allclose(single, double, atol=1e-7)
    np.testing.assert_allclose(start, start_too)
    assert start[1] == pytest.approx(expit(0.4))


class Line:
    """Says ``2 a - b + 3`` of every row."""

    def predict(self, X: Any) -> np.ndarray:
        return np.asarray(2 * X["a"] - X["b"] + 3)


def test_sampling_finds_the_shapley_values_of_a_line() -> None:
    """There they are the coefficient times the distance from the mean of the backgrounds."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=50), "b": rng.normal(size=50), "c": "x"})
    ground = RawGround(Line(), frame, ["a", "b", "c"], 0)
    found = sampled_contributions(ground, n_rows=10, seed=0, deadline=Deadline())
    values = found.values[0]
    said = Line().predict(frame.iloc[:10])
    np.testing.assert_allclose(values.sum(axis=1) + found.base, said)
    np.testing.assert_allclose(values[:, 2], 0.0, atol=1e-12)
    away = 2 * (frame["a"][:10] - frame["a"][:10].mean())
    np.testing.assert_allclose(values[:, 0] - values[:, 0].mean(), away, atol=1e-9)


def test_sampling_is_the_same_each_time_and_stops_in_time() -> None:
    made = Made(lambda: RandomForestClassifier(5, random_state=0), n_classes=3)
    ground = RawGround(made.model, made.frame, ["strong", "noise", "kind"], 3)
    one = sampled_contributions(ground, n_rows=3, seed=0, deadline=Deadline(), n_orders=3)
    two = sampled_contributions(ground, n_rows=3, seed=0, deadline=Deadline(), n_orders=3)
    np.testing.assert_array_equal(one.values, two.values)
    np.testing.assert_allclose(
        one.values.sum(axis=2).T + one.base, made.answers(made.frame.iloc[:3]), atol=1e-9
    )
    over = sampled_contributions(ground, n_rows=9, seed=0, deadline=Deadline(0.0), n_orders=2)
    assert over.n_rows == 1


def test_one_column_is_the_whole_difference() -> None:
    class Twice:
        def predict(self, X: Any) -> np.ndarray:
            return np.asarray(2.0 * X["a"])

    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]})
    ground = RawGround(Twice(), frame, ["a"], 0)
    found = sampled_contributions(ground, n_rows=4, seed=0, deadline=Deadline(), n_orders=4)
    np.testing.assert_allclose(found.values[0, :, 0] + found.base, [0.0, 2.0, 4.0, 6.0])


def test_the_least_columns_of_wide_rows_share_a_turn() -> None:
    class Sum:
        def predict(self, X: pd.DataFrame) -> np.ndarray:
            return np.asarray(X.to_numpy() @ np.arange(X.shape[1]))

    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(30, 80)), columns=[f"c{i}" for i in range(80)])
    ground = RawGround(Sum(), frame, list(frame.columns), 0)
    found = sampled_contributions(
        ground,
        n_rows=3,
        seed=0,
        deadline=Deadline(),
        n_orders=2,
        importance=np.arange(80.0),
    )
    values = found.values[0]
    np.testing.assert_allclose(values.sum(axis=1) + found.base, Sum().predict(frame.iloc[:3]))
    assert (values[:, :21] == values[:, [0]]).all()
    assert len(np.unique(values[0, 21:])) == 59


def test_crosses_name_all_their_columns() -> None:
    made = Made(light(LGBMRegressor))
    for representation in ("tree", "linear", "target_encoded", "crossed"):
        featurizer = build_featurizer(made.profile, representation)
        featurizer.fit(made.columns, made.y)
        sources = sources_of(featurizer)
        assert len(sources) == len(featurizer.lineage_), representation
        firsts = [entry.raw for entry in featurizer.lineage_]
        assert [of[0] for of in sources] == firsts, representation
