"""Stacks: what a meta learner sees, how it is set, and what it predicts for rows left out."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nbautoml.domain.metrics import Direction
from nbautoml.domain.tasks import Task
from nbautoml.engine.context import RunContext
from nbautoml.engine.ensemble.meta_learner import (
    build_meta_learner,
    check_meta_learner,
    fit_meta,
)
from nbautoml.engine.ensemble.names import META_LEARNERS
from nbautoml.engine.ensemble.stack import Stack, fit_stack
from nbautoml.engine.ensemble.verdict import Rival, as_rival
from nbautoml.engine.ensemble.vote import choose_vote
from nbautoml.engine.plan import EnsembleOptions
from nbautoml.engine.search.budget import Deadline
from nbautoml.errors import ConfigError
from nbautoml.runtime.stacking import FittedMeta, meta_features
from tests.unit.engine.test_ensemble_vote import accuracy, good_models, make

ALL = [(task, name) for task, names in META_LEARNERS.items() for name in names]


def label_and_members(task: Task, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return a label and what four models of different worth say about it."""
    y, models = good_models(4, 400, seed)
    if task is Task.CLASSIFICATION:
        return y, np.stack([1 - models, models], axis=2)
    numbers = np.random.default_rng(seed).normal(50.0, 20.0, 400)
    return numbers, numbers + np.random.default_rng(1).normal(size=(4, 400)) * 10


@pytest.mark.parametrize(("task", "name"), ALL)
def test_each_meta_learner_is_about_as_good_as_the_vote_or_better(task: Task, name: str) -> None:
    y, predictions = label_and_members(task)
    weights = np.full(4, 0.25)
    meta = fit_meta(build_meta_learner(name, {}), predictions[:, :300], y[:300], weights)
    answer = meta.predict(predictions[:, 300:], weights.tolist())
    vote = predictions[:, 300:].mean(axis=0)
    if task is Task.CLASSIFICATION:
        np.testing.assert_allclose(answer.sum(axis=1), 1.0)
        assert np.mean(answer.argmax(1) == y[300:]) > np.mean(vote.argmax(1) == y[300:]) - 0.05
    else:
        assert np.std(answer - y[300:]) < 1.6 * np.std(vote - y[300:])


def test_a_meta_learner_counts_weights_of_rows() -> None:
    y, predictions = label_and_members(Task.CLASSIFICATION)
    flipped = np.concatenate([y, 1 - y])
    twice = np.concatenate([predictions, predictions], axis=1)
    weight = np.concatenate([np.ones(400), np.zeros(400)])
    weights = np.full(4, 0.25)
    learner = build_meta_learner("LogisticRegression", {})
    weighted = fit_meta(learner, twice, flipped, weights, weight=weight)
    plain = fit_meta(build_meta_learner("LogisticRegression", {}), predictions, y, weights)
    np.testing.assert_allclose(weighted.model.coef_, plain.model.coef_, atol=1e-3)


def test_what_is_seen_of_many_classes_has_a_column_for_each() -> None:
    proba = np.random.default_rng(0).dirichlet(np.ones(3), size=(2, 5))
    assert meta_features(proba, [0.5, 0.5]).shape == (5, 3 * 3)
    np.testing.assert_allclose(meta_features(proba[:1], [1.0])[:, 3:], 0.0, atol=1e-12)


def test_settings_take_the_place_of_the_usual_ones() -> None:
    assert build_meta_learner("LogisticRegression", {}).C == 0.1
    assert build_meta_learner("LogisticRegression", {"C": 2.0}).C == 2.0
    assert build_meta_learner("LightGBMClassifier", {}, seed=7).random_state == 7


def test_a_wrong_setting_is_told() -> None:
    with pytest.raises(ConfigError, match=r"'penalti', which is no setting .*'penalty'"):
        build_meta_learner("LogisticRegression", {"penalti": "l2"})
    with pytest.raises(ConfigError, match="does not suit LogisticRegression: .*'C'"):
        check_meta_learner("LogisticRegression", {"C": -1.0})


@pytest.fixture
def stacked(tmp_path: Path) -> tuple[RunContext, Stack]:
    y, models = good_models(6, 600, seed=3)
    # One model is sure of itself, and mostly wrong: a mean cannot use it, a meta learner can.
    models[5] = np.where(np.random.default_rng(0).random(600) < 0.85, 1 - y, y) * 0.98 + 0.01
    context, records = make(tmp_path, y, models)
    folds = tuple((np.arange(0), np.arange(600)[i::5]) for i in range(5))
    context = replace(context, data=replace(context.data, folds=folds))
    order = context.data.valid_rows
    for record in records:
        np.save(record.oof, np.load(record.oof)[order])
    stack = fit_stack(context, choose_all(context, records), Deadline())
    assert stack is not None
    return context, stack


def choose_all(context: RunContext, records: list) -> object:
    """Return a vote in which each model has a share."""
    vote = choose_vote(context, records)
    shares = np.array([5, 4, 4, 4, 4, 4])
    return replace(vote, shares=shares, nested_shares=tuple(shares for _ in vote.parts))


def test_a_stack_finds_out_what_a_vote_cannot(stacked: tuple[RunContext, Stack]) -> None:
    context, stack = stacked
    y = context.data.y_valid
    mean = np.mean([np.load(m.oof) for m in stack.members], axis=0)
    assert accuracy(stack.predictions, y) > accuracy(mean, y) + 0.1


def test_no_label_of_a_part_is_seen_by_what_predicts_it(
    stacked: tuple[RunContext, Stack], tmp_path: Path
) -> None:
    context, stack = stacked
    y = context.data.y.copy()
    part = context.data.folds[0][1]
    y[part] = 1 - y[part]
    changed = replace(context, data=replace(context.data, y=y))
    members = sorted(stack.members, key=by_number)
    again = fit_stack(changed, choose_all(context, members), Deadline())
    assert again is not None
    places = context.data.fold_places()
    np.testing.assert_array_equal(again.predictions[places[0]], stack.predictions[places[0]])
    assert np.abs(again.predictions[places[1]] - stack.predictions[places[1]]).max() > 0.01


def by_number(record: object) -> int:
    return record.number  # type: ignore[attr-defined] # a TrialRecord


def test_a_stack_is_left_out_when_there_is_no_time(tmp_path: Path) -> None:
    y, models = good_models(6, 600, seed=3)
    context, records = make(tmp_path, y, models)
    folds = ((np.arange(1_000), np.arange(600)),)
    context = replace(context, data=replace(context.data, folds=folds))
    late = Deadline(0.0, clock=lambda: 1.0)
    assert fit_stack(context, choose_all(context, records), late) is None


def test_with_a_hold_out_the_meta_learner_sees_a_share_of_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def spy(model: object, predictions: np.ndarray, *args: object, **kwargs: object) -> FittedMeta:
        seen.append(predictions.shape[1])
        return fit_meta(model, predictions, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr("nbautoml.engine.ensemble.stack.fit_meta", spy)
    y, models = good_models(6, 600, seed=3)
    context, records = make(tmp_path, y, models)
    data = replace(context.data, folds=((np.arange(1_000), np.arange(600)),))
    options = EnsembleOptions(meta_learner_train_share=0.25)
    context = replace(context, data=data, plan=replace(context.plan, ensemble=options))
    assert fit_stack(context, choose_all(context, records), Deadline()) is not None
    assert seen == [250] * 6


def test_a_fitted_meta_learner_is_a_file(stacked: tuple[RunContext, Stack]) -> None:
    _, stack = stacked
    again: FittedMeta = pickle.loads(pickle.dumps(stack.meta))
    predictions = np.stack([np.load(m.oof) for m in stack.members])
    np.testing.assert_array_equal(
        again.predict(predictions, stack.weights), stack.meta.predict(predictions, stack.weights)
    )


def rival(*scores: float, is_single: bool = True) -> Rival:
    return Rival(scores=np.array(scores), is_single=is_single)


def test_a_single_trial_stays_when_its_lead_is_more_than_chance() -> None:
    steady, lucky = rival(0.92, 0.82, 0.72), rival(0.96, 0.79, 0.70)
    ensemble = rival(0.9, 0.8, 0.7)
    assert not steady.is_matched_by(ensemble, Direction.MAXIMIZE)
    assert lucky.is_matched_by(ensemble, Direction.MAXIMIZE)
    assert ensemble.is_matched_by(steady, Direction.MAXIMIZE)
    assert steady.is_matched_by(ensemble, Direction.MINIMIZE)


def test_among_ensembles_the_better_one_is_taken() -> None:
    vote = rival(0.95, 0.80, 0.70, is_single=False)
    assert not vote.is_matched_by(rival(0.9, 0.8, 0.7), Direction.MAXIMIZE)
    assert vote.is_matched_by(vote, Direction.MAXIMIZE)


def test_parts_in_which_a_metric_is_not_defined_say_nothing() -> None:
    assert rival(np.nan, 0.8).is_matched_by(rival(0.1, 0.8), Direction.MAXIMIZE)
    assert rival(np.nan).is_matched_by(rival(0.1), Direction.MAXIMIZE)


def test_a_hold_out_is_compared_on_its_parts(tmp_path: Path) -> None:
    y, models = good_models(2, 300, seed=1)
    context, _ = make(tmp_path, y, models)
    proba = np.stack([1 - models[0], models[0]], axis=1)
    parts = tuple(np.arange(300)[i::5] for i in range(5))
    assert as_rival(context, proba, parts).mean == pytest.approx(accuracy(proba, y))
    assert len(as_rival(context, proba, parts).scores) == 5
