"""Permutation importance: what a column is worth to the score, on rows new to the models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsRegressor

from nbautoml.engine.explain.held_out import HeldOutRows, draw_held_out
from nbautoml.engine.explain.mixing import EngineeredGround, RawGround
from nbautoml.engine.explain.parts import held_out_model, split_model
from nbautoml.engine.explain.permutation import Permuted, ScoredRows, permute_columns
from nbautoml.engine.explain.study import score_of
from nbautoml.engine.search.budget import Deadline
from nbautoml.runtime.bag import FoldBag
from nbautoml.runtime.pipeline import ModelPipeline
from nbautoml.runtime.stacking import FittedMeta, StackEnsembleRegressor
from tests.unit.engine.explain_models import N_FOLDS, Made


class Line:
    """Says ``3 a`` of every row."""

    def predict(self, X: Any) -> np.ndarray:
        return np.asarray(3.0 * X["a"])


def rows(n: int = 100) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n)})
    return frame, np.asarray(3.0 * frame["a"])


def score(y: Any, answers: np.ndarray, weight: np.ndarray | None) -> float:
    return -float(np.average((answers[:, 0] - y) ** 2, weights=weight))


def permuted(**more: Any) -> Permuted:
    frame, y = rows()
    ground = RawGround(Line(), frame, list(frame.columns), 0)
    part = ScoredRows(ground=ground, y=y)
    return permute_columns([part], score, **({"seed": 0, "deadline": Deadline()} | more))


def test_a_column_that_is_not_used_is_worth_nothing() -> None:
    found = permuted()
    assert found.names == ("a", "b")
    assert found.score == 0.0
    assert found.means[1] == 0.0
    # The mean squared difference of two independent draws is twice the variance.
    assert found.means[0] == pytest.approx(18.0, rel=0.3)
    assert found.repeats.tolist() == [5, 5]
    assert found.n_rows == 100


def test_it_is_the_same_each_time() -> None:
    np.testing.assert_array_equal(permuted().means, permuted().means)
    assert permuted(seed=1).means[0] != permuted().means[0]


def test_when_time_ends_the_columns_so_far_are_told() -> None:
    now = [0.0]

    def report(done: int, of: int) -> None:
        now[0] = float(done)

    found = permuted(deadline=Deadline(1.0, clock=lambda: now[0]), report=report)
    assert found.repeats.tolist() == [1, 0]
    assert np.isnan(found.means[1])
    assert not found.is_whole


def test_later_rounds_begin_with_what_matters() -> None:
    calls: list[str] = []
    frame, y = rows()
    frame = frame[["b", "a"]]

    class Counted(RawGround):
        def answers(self, asked: Any, changes: Any) -> np.ndarray:
            calls.extend(self.names[j] for j in changes)
            return super().answers(asked, changes)

    part = ScoredRows(ground=Counted(Line(), frame, ["b", "a"], 0), y=y)
    permute_columns([part], score, seed=0, deadline=Deadline(), repeats=2)
    assert calls == ["b", "a", "a", "b"]


def test_rows_count_by_their_weight() -> None:
    frame, y = rows()
    weight = np.where(np.arange(100) < 50, 1.0, 1e-9)
    ground = RawGround(Line(), frame, ["a", "b"], 0)
    parts = [ScoredRows(ground=ground, y=y + 1.0, weight=weight)]
    assert permute_columns(parts, score, seed=0, deadline=Deadline()).score == pytest.approx(-1.0)


def memory() -> Any:
    return KNeighborsRegressor(n_neighbors=1)


def test_held_out_models_do_not_know_their_rows_by_heart() -> None:
    """One neighbour is a row itself, where it was fitted on it: then noise looks important."""
    made = Made(memory, representations=("linear",))
    spec_score = score_of(made.spec())
    losses = {}
    for name in ("by heart", "held out"):
        parts = []
        for fold in range(N_FOLDS):
            model = held_out_model(made.model, fold, N_FOLDS)
            assert model is not None
            if name == "by heart":  # another fold's model was fitted on these rows
                model = held_out_model(made.model, (fold + 1) % N_FOLDS, N_FOLDS)
            places = np.flatnonzero(made.folds == fold)
            names = ["strong", "noise", "kind"]
            ground = RawGround(model, made.frame.iloc[places], names, 0)
            parts.append(ScoredRows(ground=ground, y=made.y[places]))
        found = permute_columns(parts, spec_score, seed=0, deadline=Deadline())
        losses[name] = dict(zip(found.names, found.means, strict=True)) | {"score": found.score}
    assert losses["by heart"]["score"] == pytest.approx(1.0)
    assert losses["held out"]["score"] < 0.95
    assert losses["by heart"]["noise"] > 2 * losses["held out"]["noise"]


def test_the_model_of_a_fold_answers_as_it_did_when_it_was_scored() -> None:
    made = Made(lambda: LogisticRegression(), n_classes=3, representations=("linear",))
    bag = made.model.steps[-1][1]
    for fold in range(N_FOLDS):
        model = held_out_model(made.model, fold, N_FOLDS)
        assert model is not None
        alone = bag.estimators[fold].predict_proba(made.columns)
        np.testing.assert_allclose(model.predict_proba(made.frame), alone)


def test_the_fit_on_all_rows_is_no_held_out_model() -> None:
    made = Made(lambda: LGBMRegressor(n_estimators=3, verbosity=-1))
    name, bag = made.model.steps[-1]
    everything = FoldBag([*bag.estimators, bag.estimators[0]], [1 / 6, 1 / 6, 1 / 6, 0.5])
    model = ModelPipeline([*made.model.steps[:-1], (name, everything)])
    view = held_out_model(model, 1, N_FOLDS)
    assert view is not None
    assert view.steps[-1][1].estimators == [bag.estimators[1]]
    assert held_out_model(model, 0, 4) is None
    assert held_out_model(model, 0, 1) is None
    assert held_out_model(object(), 0, N_FOLDS) is None


def stacked(made: Made) -> ModelPipeline:
    class Mean:
        def predict(self, X: np.ndarray) -> np.ndarray:
            return np.asarray(X[:, 0]) / 3.0

    bag = ModelPipeline(made.model.steps[1:], classes=None)
    stack = StackEnsembleRegressor([("0", bag), ("1", bag)], [0.5, 0.5], FittedMeta(model=Mean()))
    return ModelPipeline([made.model.steps[0], ("stack", stack)])


def test_a_stack_has_held_out_members_and_is_no_mean() -> None:
    made = Made(lambda: LGBMRegressor(n_estimators=3, verbosity=-1))
    model = stacked(made)
    view = held_out_model(model, 2, N_FOLDS)
    assert view is not None
    alone = made.model.steps[-1][1].estimators[2].predict(made.columns)
    np.testing.assert_allclose(view.predict(made.frame), alone)
    assert split_model(model) is None
    assert split_model(object()) is None


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_the_parts_of_a_model_average_to_it(n_classes: int) -> None:
    forest = lambda: RandomForestClassifier(4, random_state=0)  # noqa: E731 - one of two makers
    tree: Callable[[], Any] = forest if n_classes else memory
    made = Made(
        tree,
        tree,
        n_classes=n_classes,
        representations=("linear", "linear") if not n_classes else ("tree", "linear"),
        weights=(0.75, 0.25),
    )
    mixture = split_model(made.model)
    assert mixture is not None
    assert sum(part.weight for part in mixture.parts) == pytest.approx(1.0)
    ground = EngineeredGround(mixture, made.frame, n_classes)
    everything = np.arange(len(made.frame))
    whole = RawGround(made.model, made.frame, [], n_classes).answers(everything, {})
    np.testing.assert_allclose(ground.answers(everything, {}), whole)


def test_engineered_features_are_permuted_in_all_parts() -> None:
    made = Made(memory, memory, representations=("linear", "tree"), weights=(0.5, 0.5))
    mixture = split_model(made.model)
    assert mixture is not None
    assert EngineeredGround.fits(mixture, most_features=50)
    assert not EngineeredGround.fits(mixture, most_features=2)
    ground = EngineeredGround(mixture, made.frame, 0)
    changes = {ground.names.index("noise"): np.zeros(240, dtype=np.int64)}
    moved = ground.answers(np.arange(240), changes)
    same = ground.answers(np.arange(240), {})
    assert (moved != same).mean() > 0.3


def test_cells_of_every_type_are_moved() -> None:
    class Joined:
        def predict(self, X: pd.DataFrame) -> np.ndarray:
            assert list(X.dtypes) == list(frame.dtypes)
            return np.array([len(str(row)) for row in X["text"]], dtype=float)

    frame = pd.DataFrame(
        {
            "text": ["a", "bbb", None],
            "day": pd.to_datetime(["2020-01-01", None, "2020-03-01"]),
            "kind": pd.Categorical(["x", "y", "x"]),
            "whole": pd.array([1, None, 3], dtype="Int64"),
        }
    )
    ground = RawGround(Joined(), frame, list(frame.columns), 0)
    moved = ground.answers(np.array([0, 1]), {j: np.array([1, 1]) for j in range(4)})
    assert moved[:, 0].tolist() == [3.0, 3.0]


def test_a_sample_of_held_out_rows_survives_its_file() -> None:
    valid = [np.arange(0, 50), np.arange(50, 100)]
    folds = [(valid[1], valid[0]), (valid[0], valid[1])]
    drawn = draw_held_out(folds, seed=3, most=40)
    assert len(drawn.rows) == len(set(drawn.rows.tolist())) == 40
    assert all(row in valid[fold] for row, fold in zip(drawn.rows, drawn.folds, strict=True))
    again = HeldOutRows.from_bytes(drawn.to_bytes())
    for name in ("rows", "places", "folds"):
        np.testing.assert_array_equal(getattr(again, name), getattr(drawn, name))
    assert again.n_folds == 2


def test_rows_of_several_splits_are_drawn_once_with_a_split_that_held_them_out() -> None:
    folds = [(np.array([0]), np.array([4, 6])), (np.array([4]), np.array([0, 6]))]
    drawn = draw_held_out(folds, seed=0)
    assert sorted(drawn.rows.tolist()) == [0, 4, 6]
    assert drawn.places.tolist() == [{0: 0, 4: 1, 6: 2}[row] for row in drawn.rows.tolist()]
    for row, fold in zip(drawn.rows, drawn.folds, strict=True):
        assert row in folds[fold][1]
