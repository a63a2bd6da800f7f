"""How a search with a time limit shares the time with what follows it, and with its trials."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbautoml.domain.clock import Moment
from nbautoml.domain.events import TrialFinished
from nbautoml.domain.ports import TaskReport, TrialTask
from nbautoml.domain.status import TrialOutcome
from nbautoml.domain.tasks import Task
from nbautoml.engine.context import Ports, RunContext
from nbautoml.engine.models.catalog import get_family
from nbautoml.engine.plan import EnsembleOptions, Limits, SearchPlan
from nbautoml.engine.prepare import prepare
from nbautoml.engine.search.active import TrialEnd
from nbautoml.engine.search.book import TrialRecord
from nbautoml.engine.search.budget import Deadline
from nbautoml.engine.search.candidate import Candidate
from nbautoml.engine.search.loop import SearchLoop
from nbautoml.engine.search.requests import Requests
from nbautoml.engine.trial import FoldsJob, part_file, run_folds
from nbautoml.engine.validation import ValidationOptions
from nbautoml.testing.executor import (
    FolderArtifacts,
    InProcessExecutor,
    MemoryEvents,
    ScriptedControl,
)

BUDGET = 60.0
N_SLOTS = 2
CANDIDATE = Candidate(
    family="LightGBM",
    model_name="LightGBM",
    params=get_family("LightGBM").portfolio(Task.CLASSIFICATION)[0],
    scaler="MaxAbsScaler",
)


class Silent(InProcessExecutor):
    """Takes tasks and never runs them."""

    def submit(self, task: TrialTask) -> None:
        self.submitted.append(task)


@pytest.fixture
def context(tmp_path: Path) -> RunContext:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=list("abc"))
    plan = SearchPlan(
        task=Task.CLASSIFICATION,
        primary_metric="accuracy",
        models=("LightGBM",),
        limits=Limits(timeout_seconds=BUDGET),
        validation=ValidationOptions(n_cross_validations=2),
        ensemble=EnsembleOptions(enable_voting=False, enable_stack=False),
    )
    ports = Ports(
        executor=Silent(n_slots=N_SLOTS),
        events=MemoryEvents(),
        artifacts=FolderArtifacts(tmp_path / "artifacts"),
        control=ScriptedControl(),
        clock=time.time,
    )
    label = np.where(frame["a"] > 0, "yes", "no")
    return prepare(frame.assign(label=label), "label", plan, ports, tmp_path / "scratch")[0]


def record(fold_seconds: float, number: int = 0) -> TrialRecord:
    return TrialRecord(
        number=number,
        key=str(number),
        candidate=CANDIDATE,
        outcome=TrialOutcome.COMPLETED,
        score=0.5,
        fold_seconds=fold_seconds,
    )


def loop_with(context: RunContext, *fold_seconds: float) -> SearchLoop:
    """Return a search whose finished trials took so many seconds a fold."""
    records = [record(seconds, number) for number, seconds in enumerate(fold_seconds)]
    book: Any = SimpleNamespace(
        choices=lambda: records, completed=records, members=[], start_anew=lambda: None
    )
    proposer: Any = SimpleNamespace()
    deadline = Deadline.after(BUDGET, time.time)
    requests = Requests(ScriptedControl(), context.ports.events, deadline)
    return SearchLoop(context, proposer, book, requests)


def test_refits_that_take_too_long_leave_their_time_to_the_search(context: RunContext) -> None:
    affordable = loop_with(context, 4.0).reserve()
    assert affordable == pytest.approx(1.25 * 4.0 / N_SLOTS, abs=0.3)
    assert loop_with(context, 20.0).reserve() < 0.5
    assert loop_with(context, 20.0, 4.0).reserve() == affordable


def test_the_reserve_has_a_most(context: RunContext) -> None:
    assert loop_with(context, *[6.0] * 5).reserve() == pytest.approx(0.15 * BUDGET, abs=0.2)


def test_a_fit_ends_before_the_reserve_that_it_adds_to(
    context: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = loop_with(context, 4.0)
    loop.runner._has_model = True
    monkeypatch.setattr(loop.runner, "predict", lambda _candidate: 6.0)
    loop.runner.start(1, CANDIDATE)
    job = context.ports.executor.submitted[0].payload  # type: ignore[attr-defined]
    usable = BUDGET - loop.reserve() - 1.25 * 6.0 / N_SLOTS
    assert job.ends_at.seconds_left() == pytest.approx(0.9 * usable, abs=0.3)


@pytest.mark.parametrize("late", [True, False])
def test_a_fit_that_waited_for_its_slot_ends_in_time_with_a_model(
    context: RunContext, tmp_path: Path, late: bool
) -> None:
    job = FoldsJob(
        data=context.data.folder,
        out=tmp_path / "out",
        candidate=CANDIDATE,
        key="key",
        seed=0,
        folds=(0,),
        threads=1,
        seconds=30.0,
        ends_at=Moment.after(-1.0 if late else 30.0),
    )
    (result,) = run_folds(job, lambda _message: None)
    assert (result.rounds == 1) == late
    assert (job.out / part_file(0)).stat().st_size > 0


def test_trials_that_end_together_are_logged_together(
    context: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[list[int]] = []
    monkeypatch.setattr(
        context.ports.events,
        "emit_all",
        lambda events: logged.append([event.number for event in events]),
    )
    loop = loop_with(context)
    for number in (1, 2):
        loop.runner.start(number, CANDIDATE)
    loop.runner.cancel_all(TrialEnd(outcome=TrialOutcome.CANCELED, error="stop"))

    assert logged == [[1, 2]]


def test_a_trial_that_ended_before_an_error_is_logged(
    context: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = loop_with(context)
    for number in (1, 2):
        loop.runner.start(number, CANDIDATE)
    tasks = context.ports.executor.submitted  # type: ignore[attr-defined]
    reports = [
        TaskReport(key=task.key, outcome=TrialOutcome.FAILED, seconds=1.0, error="no")
        for task in tasks
    ]
    monkeypatch.setattr(context.ports.executor, "poll", lambda _seconds: [reports[0], None])
    with pytest.raises(AttributeError):
        loop.runner.poll(0.0)

    ends = [e for e in context.ports.events.events if isinstance(e, TrialFinished)]  # type: ignore[attr-defined]
    assert [end.number for end in ends] == [1]


def test_the_seconds_of_a_job_are_the_fewer_of_both_limits(context: RunContext) -> None:
    def left(seconds: float | None, until_end: float | None) -> float | None:
        job = FoldsJob(
            data=context.data.folder,
            out=context.scratch,
            candidate=CANDIDATE,
            key="key",
            seed=0,
            folds=(0,),
            threads=1,
            seconds=seconds,
            ends_at=None if until_end is None else Moment.after(until_end),
        )
        return job.seconds_left()

    assert left(None, None) is None
    assert left(3.0, None) == 3.0
    assert left(3.0, 1.0) == pytest.approx(1.0, abs=0.1)
    assert left(3.0, 9.0) == 3.0


def test_where_nothing_fits_the_trial_that_gets_furthest_is_begun(
    context: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = loop_with(context, 0.1)
    seconds = {"KNN": 1.0, "LightGBM": 12.0, "RandomForest": 9.0, "GradientBoosting": 30.0}
    monkeypatch.setattr(loop, "_time_left", lambda: 10.0)
    monkeypatch.setattr(loop, "_needed", lambda c: seconds[c.family] + 10.0)
    waiting = [replace(CANDIDATE, family=name) for name in seconds]
    found = loop._to_be_cut(waiting)
    assert found is not None
    assert found.family == "RandomForest"
    assert loop._to_be_cut([waiting[0], waiting[3]]) is None


@pytest.mark.parametrize(
    ("family", "n_models", "is_kept"),
    [("LightGBM", 0, True), ("KNN", 0, False), ("LightGBM", 4, True), ("LightGBM", 5, False)],
)
def test_only_a_fit_that_ends_itself_outlasts_the_time_of_refits_while_models_are_few(
    context: RunContext,
    monkeypatch: pytest.MonkeyPatch,
    family: str,
    n_models: int,
    is_kept: bool,
) -> None:
    loop = loop_with(context, *[7.0] * n_models)
    monkeypatch.setattr(loop.runner, "predict", lambda _candidate: 6.0)
    params = get_family(family).portfolio(Task.CLASSIFICATION)[0]
    loop.runner.start(1, replace(CANDIDATE, family=family, params=params))
    loop._book.choices = lambda: [record(7.0)] * 5  # type: ignore[method-assign]
    deadline = Deadline.after(8.0, time.time)
    loop._requests.deadline = deadline
    assert loop._time_left() < 0
    assert (loop._reason_to_cut() is None) == is_kept
    loop._requests.deadline = deadline.moved(-7.9)
    assert loop._reason_to_cut() is not None
