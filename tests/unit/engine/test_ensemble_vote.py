"""The ensemble's members, and predictions for rows on which they were not chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pytest

from nbautoml.domain.status import TrialOutcome
from nbautoml.domain.tasks import Task
from nbautoml.engine.context import Ports, PreparedData, RunContext
from nbautoml.engine.ensemble.nested import parts_of
from nbautoml.engine.ensemble.verdict import choose_single
from nbautoml.engine.ensemble.vote import (
    MOST_BYTES,
    Pool,
    choose_shares,
    choose_vote,
    round_shares,
    within_size,
)
from nbautoml.engine.models._base import DataShape
from nbautoml.engine.plan import SearchPlan
from nbautoml.engine.search.book import TrialRecord
from nbautoml.engine.search.budget import Deadline
from nbautoml.engine.search.candidate import Candidate
from nbautoml.engine.trial_data import DataSpec
from nbautoml.runtime.voting import geometric_mean
from nbautoml.testing.executor import (
    FolderArtifacts,
    InProcessExecutor,
    MemoryEvents,
    ScriptedControl,
)

FloatArray: TypeAlias = npt.NDArray[np.float64]


def make(
    folder: Path, y: npt.NDArray[np.int64], models: FloatArray
) -> tuple[RunContext, list[TrialRecord]]:
    """Return a run whose trials predicted `models` for the validation rows."""
    ports = Ports(
        executor=InProcessExecutor(),
        events=MemoryEvents(),
        artifacts=FolderArtifacts(folder),
        control=ScriptedControl(),
        clock=lambda: 0.0,
    )
    spec = DataSpec(
        task=Task.CLASSIFICATION,
        primary_metric="accuracy",
        n_classes=2,
        y_min=np.nan,
        y_max=np.nan,
        n_folds=1,
    )
    data = PreparedData(
        folder=folder,
        spec=spec,
        shape=DataShape(n_rows=len(y), n_columns=1, n_classes=2),
        fingerprint="",
        y=y,
        folds=((np.arange(0), np.arange(len(y))),),
        class_labels=("0", "1"),
        adapter=b"",
    )
    plan = SearchPlan(task=Task.CLASSIFICATION, primary_metric="accuracy", models=())
    records = []
    for number, one in enumerate(models):
        path = folder / f"{number}.npy"
        np.save(path, np.stack([1 - one, one], axis=1).astype(np.float32))
        candidate = Candidate(family="KNN", model_name="KNN", params={"n": number}, scaler="")
        records.append(
            TrialRecord(
                number=number,
                key=str(number),
                candidate=candidate,
                outcome=TrialOutcome.COMPLETED,
                score=float(np.mean((one > 0.5) == y)),
                oof=path,
            )
        )
    return RunContext(plan=plan, ports=ports, data=data, scratch=folder), records


def good_models(n: int, n_rows: int, seed: int) -> tuple[npt.NDArray[np.int64], FloatArray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n_rows)
    noise = rng.normal(size=(n, n_rows))
    return y, np.clip(0.5 + 0.15 * (2 * y - 1) + 0.3 * noise, 0.01, 0.99)


def accuracy(predictions: npt.NDArray[np.float32], y: npt.NDArray[np.int64]) -> float:
    is_known = np.isfinite(predictions).all(axis=1)
    return float(np.mean(predictions[is_known].argmax(axis=1) == y[is_known]))


def test_weights_are_twenty_fifths_and_sum_to_1(tmp_path: Path) -> None:
    y, models = good_models(5, 300, seed=0)
    vote = choose_vote(*make(tmp_path, y, models))
    assert sum(vote.weights) == pytest.approx(1.0)
    assert list(vote.weights) == sorted(vote.weights, reverse=True)
    assert all(25 * w == pytest.approx(round(25 * w)) and w > 0 for w in vote.weights)
    assert len(vote.members) == len(vote.weights) > 1


def test_each_row_is_mixed_by_weights_that_were_chosen_without_it(tmp_path: Path) -> None:
    y, models = good_models(5, 300, seed=1)
    context, records = make(tmp_path, y, models)
    before = choose_vote(context, records)
    np.testing.assert_array_equal(np.sort(np.concatenate(before.parts)), np.arange(300))
    for part, shares in zip(before.parts, before.nested_shares, strict=True):
        expected = np.average(models[:, part], axis=0, weights=shares)
        np.testing.assert_allclose(before.predictions[part, 1], expected, atol=1e-6)
    # Labels of a part say nothing to the weights that predict it. Parts are dealt by label, so
    # labels change places within the part.
    changed = y.copy()
    changed[before.parts[0]] = np.sort(y[before.parts[0]])
    pool = [np.stack([1 - one, one], axis=1).astype(np.float32) for one in models]
    seen = np.setdiff1d(np.arange(300), before.parts[0])
    shares = [
        choose_shares(
            Pool(predictions=np.stack(pool), y=labels, weight=None, spec=context.data.spec),
            seen,
            max_members=15,
            seed=0,
        ).tolist()
        for labels in (y, changed)
    ]
    assert shares[0] == shares[1]


def test_mixing_good_models_gains_on_rows_left_out(tmp_path: Path) -> None:
    y, models = good_models(6, 400, seed=2)
    context, records = make(tmp_path, y, models)
    vote = choose_vote(context, records)
    best = max(float(r.score or 0.0) for r in records)
    assert accuracy(vote.predictions, y) > best + 0.03


def three_classes(
    context: RunContext, records: list[TrialRecord], y: npt.NDArray[np.int64], logits: FloatArray
) -> RunContext:
    """Give the trials predictions of three classes, and have log loss made small."""
    shares = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    for record, one in zip(records, shares, strict=True):
        assert record.oof is not None
        np.save(record.oof, one.astype(np.float32))
    spec = replace(context.data.spec, primary_metric="log_loss", n_classes=3)
    data = replace(context.data, spec=spec, y=y, class_labels=("0", "1", "2"))
    return replace(context, data=data)


@pytest.mark.parametrize("is_careful", [True, False])
def test_the_kind_of_mean_is_what_out_of_fold_predictions_say(
    tmp_path: Path, is_careful: bool
) -> None:
    rng = np.random.default_rng(3)
    y = rng.integers(0, 3, 600)
    truth = np.eye(3)[y]
    if is_careful:
        # Each model knows a little of its own: what they agree on is more certain than they are.
        logits = 0.8 * truth + rng.normal(size=(5, 600, 3))
    else:
        # Each model guesses three of ten rows, as certain of them as of the others.
        guesses = np.eye(3)[rng.integers(0, 3, (5, 600))]
        logits = 4.0 * np.where(rng.uniform(size=(5, 600, 1)) < 0.7, truth, guesses)
    context, records = make(tmp_path, (y > 0).astype(np.int64), rng.uniform(size=(5, 600)))
    context = three_classes(context, records, y, logits)
    vote = choose_vote(context, records)
    assert vote.is_geometric is is_careful
    np.testing.assert_allclose(vote.predictions.sum(axis=1), 1.0, atol=1e-5)
    shares = [np.load(record.oof) for record in records if record.oof is not None]
    part, weights = vote.parts[0], vote.nested_weights[0]
    expected = np.average([one[part] for one in shares], axis=0, weights=weights)
    if is_careful:
        expected = geometric_mean([one[part] for one in shares], weights)
    np.testing.assert_allclose(vote.predictions[part], expected, atol=1e-5)


def test_members_are_made_as_certain_as_they_should_be(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    y = rng.integers(0, 3, 900)
    # Of one certainty, these would be right for twice their logits.
    logits = 2.0 * np.eye(3)[y] + rng.normal(size=(3, 900, 3))
    logits *= np.array([0.4, 1.0, 2.5])[:, np.newaxis, np.newaxis]
    context, records = make(tmp_path, (y > 0).astype(np.int64), rng.uniform(size=(3, 900)))
    context = three_classes(context, records, y, logits)
    vote = choose_vote(context, records)
    assert vote.powers is not None
    assert sum(vote.weights) > 1.2  # together they know more than each of them says
    answers = [np.load(m.oof) for m in vote.members if m.oof is not None]
    plain = np.average(answers, axis=0)
    picked = np.arange(900), y
    loss, plain_loss = (-np.log(p[picked]).mean() for p in (vote.predictions, plain))
    assert loss < 0.97 * plain_loss


def test_other_metrics_keep_the_plain_mean(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    y = rng.integers(0, 3, 300)
    logits = 0.8 * np.eye(3)[y] + rng.normal(size=(4, 300, 3))
    context, records = make(tmp_path, (y > 0).astype(np.int64), rng.uniform(size=(4, 300)))
    context = three_classes(context, records, y, logits)
    spec = replace(context.data.spec, primary_metric="accuracy")
    context = replace(context, data=replace(context.data, spec=spec))
    assert not choose_vote(context, records).is_geometric


def test_luck_among_useless_models_does_not_show(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 300)
    models = rng.uniform(0.01, 0.99, size=(25, 300))
    context, records = make(tmp_path, y, models)
    vote = choose_vote(context, records)
    shipped = np.average(models, axis=0, weights=vote.shares)
    assert np.mean((shipped > 0.5) == y) > 0.56
    assert abs(accuracy(vote.predictions, y) - 0.5) < 0.06
    ranked = sorted(records, key=lambda r: -(r.score or 0.0))
    lucky = float(ranked[0].score or 0.0)
    assert lucky > 0.56
    assert abs(choose_single(context, ranked, vote.parts).mean - 0.5) < 0.06


def test_parts_are_whole_folds_where_there_are_some(tmp_path: Path) -> None:
    y, models = good_models(2, 70, seed=5)
    context, _ = make(tmp_path, y, models)
    order = np.random.default_rng(0).permutation(70)
    folds = tuple((np.arange(0), np.sort(order[i::7])) for i in range(7))
    parts = parts_of(replace(context.data, folds=folds), seed=0)
    assert len(parts) == 5
    np.testing.assert_array_equal(parts[0], np.sort(np.concatenate([folds[0][1], folds[5][1]])))


def test_parts_of_a_hold_out_have_the_same_mix_of_classes(tmp_path: Path) -> None:
    y, models = good_models(2, 203, seed=5)
    context, _ = make(tmp_path, y, models)
    counts = [int(y[part].sum()) for part in parts_of(context.data, seed=0)]
    assert max(counts) - min(counts) <= 1


def test_choosing_ends_with_the_time(tmp_path: Path) -> None:
    y, models = good_models(30, 2_000, seed=6)
    context, records = make(tmp_path, y, models)
    late = choose_vote(context, records, Deadline(0.0, clock=lambda: 1.0))
    assert len(late.members) == 1
    assert all(np.count_nonzero(shares) == 1 for shares in late.nested_shares)
    assert np.isfinite(late.predictions).all()


def test_the_same_seed_chooses_the_same(tmp_path: Path) -> None:
    y, models = good_models(5, 200, seed=3)
    context, records = make(tmp_path, y, models)
    first, second = (choose_vote(context, records) for _ in range(2))
    assert first.weights == second.weights


def test_only_the_heaviest_shares_are_kept() -> None:
    shares = round_shares(np.array([0.1, 0.5, 0.0, 0.4]), 2)
    assert shares.tolist() == [0, 14, 0, 11]


def test_shares_always_sum_to_25() -> None:
    rng = np.random.default_rng(0)
    for n in range(1, 12):
        assert round_shares(rng.random(n), 15).sum() == 25


def test_members_are_chosen_on_weighted_rows(tmp_path: Path) -> None:
    """Each model is right on one half of the rows; the half that counts decides."""
    y = np.tile([0, 1], 100)
    right, wrong = np.where(y == 1, 0.9, 0.1), np.where(y == 1, 0.1, 0.9)
    is_first = np.arange(200) < 100
    models = np.stack([np.where(is_first, right, wrong), np.where(is_first, wrong, right)])
    context, records = make(tmp_path, y, models)
    for favoured in (0, 1):
        weight = np.where(is_first == (favoured == 0), 10.0, 0.1)
        weighted = replace(context, data=replace(context.data, weight=weight))
        vote = choose_vote(weighted, records)
        assert (vote.members[0].number, vote.weights[0] > 0.5) == (favoured, True)


def test_models_that_would_make_an_ensemble_too_large_are_left_out() -> None:
    weights = np.array([5.0, 4.0, 3.0, 0.0])
    assert within_size(weights, [60, 50, 40, 1], most=100).tolist() == [5.0, 0.0, 3.0, 0.0]
    assert within_size(weights, [500, 50, 40, 1], most=100).tolist() == [5.0, 0.0, 0.0, 0.0]
    assert within_size(weights, [0, 0, 0, 0], most=100).tolist() == weights.tolist()


def test_the_size_of_models_counts_in_each_choice(tmp_path: Path) -> None:
    y, models = good_models(6, 400, seed=2)
    context, records = make(tmp_path, y, models)
    large = [replace(record, model_bytes=int(0.4 * MOST_BYTES)) for record in records]
    vote = choose_vote(context, large)
    for shares in (vote.shares, *vote.nested_shares):
        assert np.count_nonzero(shares) <= 2
    assert len(choose_vote(context, records).members) > 2
