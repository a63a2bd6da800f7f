"""Runs with real processes: the same table again, and trials that reach a limit."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

from nbautoml.compute.local import start_executor
from nbautoml.compute.spec import ExecutorSpec
from nbautoml.domain.events import TrialFinished
from nbautoml.domain.status import TrialOutcome
from nbautoml.domain.tasks import Task
from nbautoml.engine.finder import Found, find_model
from nbautoml.engine.plan import Limits, SearchPlan
from nbautoml.engine.validation import ValidationOptions
from nbautoml.testing.executor import FolderArtifacts, MemoryEvents, ScriptedControl
from nbautoml.testing.fast_family import HANGING_FAMILY
from nbautoml.testing.limit_families import (
    CRASHING_FAMILY,
    GREEDY_FAMILY,
    HUNGRY_FAMILY,
    HUNGRY_MEGABYTES,
    WORKER_KILLING_FAMILY,
)

pytestmark = pytest.mark.integration

MEGABYTE = 1_000_000
SLOT_BYTES = 2_000 * MEGABYTE


def cancer() -> pd.DataFrame:
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    frame = X.iloc[:, :8].assign(label=np.where(y == 1, "benign", "malignant"))
    return frame.sample(200, random_state=0).reset_index(drop=True)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)


def run(
    folder: Path, models: tuple[str, ...], limits: Limits, *, n_workers: int = 1
) -> tuple[Found, list[TrialFinished]]:
    """Run the engine on worker processes; return what it found and its trials by number."""
    spec = ExecutorSpec(n_workers=n_workers, threads_per_worker=1, memory_limit_bytes=SLOT_BYTES)
    plan = SearchPlan(
        task=Task.CLASSIFICATION,
        primary_metric="AUC_weighted",
        models=models,
        limits=limits,
        validation=ValidationOptions(n_cross_validations=3),
    )
    events = MemoryEvents()
    executor = start_executor(spec)
    try:
        found = find_model(
            cancer(),
            "label",
            plan,
            executor=executor,
            events=events,
            artifacts=FolderArtifacts(folder / "artifacts"),
            control=ScriptedControl(),
            scratch=folder / "scratch",
            clock=time.time,
        )
    finally:
        executor.close()
    trials = [e for e in events.events if isinstance(e, TrialFinished)]
    return found, sorted(trials, key=lambda e: e.number)


def table(trials: list[TrialFinished]) -> list[tuple[object, ...]]:
    """Return all of the trials but their times."""
    return [
        (e.number, e.key, e.outcome, e.pipeline, dict(e.params), e.score, e.score_std, e.metrics)
        for e in trials
    ]


FAMILIES = ("LightGBM", "LogisticRegression", "XGBoostClassifier", "ExtremeRandomTrees", "KNN")


def test_counted_runs_give_the_same_table_on_any_number_of_workers(folder: Path) -> None:
    limits = Limits(max_iterations=18, max_concurrent=4, enable_early_stopping=True)
    one = run(folder / "one", FAMILIES, limits, n_workers=1)
    two = run(folder / "two", FAMILIES, limits, n_workers=2)
    again = run(folder / "again", FAMILIES, limits, n_workers=2)
    assert [e.number for e in one[1]] == list(range(18))
    assert one[1][-1].is_ensemble
    assert table(one[1]) == table(two[1]) == table(again[1])
    assert one[0] == two[0] == again[0]


def test_a_fit_past_its_memory_is_killed_alone_and_tried_once_at_half_size(folder: Path) -> None:
    limit = round(0.75 * HUNGRY_MEGABYTES) * MEGABYTE
    limits = Limits(max_iterations=8, memory_limit_bytes=limit)
    found, trials = run(folder, (HUNGRY_FAMILY, "LogisticRegression"), limits)
    hungry = [e for e in trials if e.family == "TestHungry"]
    assert [e.outcome for e in hungry] == [TrialOutcome.MEMORY_LIMIT, TrialOutcome.COMPLETED]
    assert [e.params["megabytes"] for e in hungry] == [HUNGRY_MEGABYTES, HUNGRY_MEGABYTES // 2]
    assert "more than its limit of 450 MB" in hungry[0].error
    assert found.score is not None


def test_a_fit_that_says_it_needs_too_much_is_not_begun(folder: Path) -> None:
    found, trials = run(folder, (GREEDY_FAMILY, "LogisticRegression"), Limits(max_iterations=6))
    greedy = next(e for e in trials if e.family == "TestGreedy")
    assert (greedy.outcome, greedy.folds_done) == (TrialOutcome.MEMORY_LIMIT, 0)
    assert greedy.error.startswith(
        "Not started: it needs about 1,000,000,000 MB, more than 40% of "
    )
    assert found.best is not None


def test_without_memory_for_any_model_the_answer_is_a_constant(folder: Path) -> None:
    found, trials = run(folder, (GREEDY_FAMILY,), Limits(max_iterations=2))
    assert trials[-1].family == "Baseline"
    assert found.best == trials[-1].number


@pytest.mark.parametrize(
    ("family", "outcome", "reason"),
    [
        (HANGING_FAMILY, TrialOutcome.TIME_LIMIT, "when its time was used up"),
        (CRASHING_FAMILY, TrialOutcome.CRASHED, "SIGSEGV"),
        (WORKER_KILLING_FAMILY, TrialOutcome.WORKER_LOST, "Its worker was lost 3 times."),
    ],
)
def test_a_trial_that_ends_badly_is_listed_with_its_reason(
    folder: Path, family: str, outcome: TrialOutcome, reason: str
) -> None:
    limits = Limits(max_iterations=7, iteration_timeout_seconds=20.0)
    if outcome is TrialOutcome.TIME_LIMIT:
        limits = Limits(max_iterations=7, iteration_timeout_seconds=4.0)
    found, trials = run(folder, ("LogisticRegression", family), limits, n_workers=2)
    bad = [e for e in trials if e.family.startswith("Test")]
    assert bad
    assert all(e.outcome is outcome and reason in e.error for e in bad), bad
    assert found.score is not None
