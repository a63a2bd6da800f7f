"""The ensemble's members and its honest score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from nbautoml.domain.status import TrialOutcome
from nbautoml.domain.tasks import Task
from nbautoml.engine.context import Ports, PreparedData, RunContext
from nbautoml.engine.ensemble.vote import choose_vote, deal_parts
from nbautoml.engine.models._base import DataShape
from nbautoml.engine.plan import SearchPlan
from nbautoml.engine.search.book import TrialRecord
from nbautoml.engine.search.candidate import Candidate
from nbautoml.engine.trial_data import DataSpec
from nbautoml.testing.executor import (
    FolderArtifacts,
    InProcessExecutor,
    MemoryEvents,
    ScriptedControl,
)


def make(
    folder: Path, y: npt.NDArray[np.int64], models: npt.NDArray[np.float64]
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


def test_weights_are_positive_and_sum_to_1(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 300)
    models = np.clip(0.5 + 0.2 * (2 * y - 1) + 0.3 * rng.normal(size=(5, 300)), 0.01, 0.99)
    vote = choose_vote(*make(tmp_path, y, models))
    assert sum(vote.weights) == pytest.approx(1.0)
    assert list(vote.weights) == sorted(vote.weights, reverse=True)
    assert min(vote.weights) > 0
    assert len(vote.members) == len(vote.weights) > 1


def test_luck_among_useless_models_does_not_show_in_the_score(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 300)
    models = rng.uniform(0.01, 0.99, size=(25, 300))
    context, records = make(tmp_path, y, models)
    vote = choose_vote(context, records)
    lucky = np.average([models[m.number] for m in vote.members], axis=0, weights=vote.weights)
    assert np.mean((lucky > 0.5) == y) > 0.58
    honest = np.mean(vote.predictions.argmax(axis=1) == y)
    assert abs(honest - 0.5) < 0.06


def test_predictions_of_good_models_stay_good(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    y = rng.integers(0, 2, 400)
    models = np.clip(0.5 + 0.15 * (2 * y - 1) + 0.3 * rng.normal(size=(6, 400)), 0.01, 0.99)
    context, records = make(tmp_path, y, models)
    honest = np.mean(choose_vote(context, records).predictions.argmax(axis=1) == y)
    assert honest > max(float(r.score or 0.0) for r in records) + 0.03


def test_every_part_sees_every_class() -> None:
    y = np.array([0] * 40 + [1] * 10)
    parts = deal_parts(y)
    assert all(set(y[parts == part]) == {0, 1} for part in range(5))


def test_few_rows_have_fewer_parts() -> None:
    assert set(deal_parts(np.array([0, 1, 1]))) == {0, 1, 2}
