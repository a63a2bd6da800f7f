"""Searches that lose workers, disk space or files: what is done is kept, and said."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbautoml.domain.events import LogWritten, TrialFinished
from nbautoml.domain.ports import TaskMessage, TaskReport
from nbautoml.domain.status import TrialOutcome
from nbautoml.domain.tasks import Task
from nbautoml.engine import trial as trial_module
from nbautoml.engine.context import Ports, RunContext
from nbautoml.engine.finder import Found, find_model
from nbautoml.engine.models.catalog import get_family
from nbautoml.engine.plan import Limits, SearchPlan
from nbautoml.engine.prepare import prepare
from nbautoml.engine.search import disk_space
from nbautoml.engine.search.candidate import Candidate
from nbautoml.engine.search.loop import StopReason
from nbautoml.engine.trial import FoldResult, FoldsJob, run_folds
from nbautoml.engine.validation import ValidationOptions
from nbautoml.errors import ComputeError, StoreError
from nbautoml.testing.executor import (
    FolderArtifacts,
    InProcessExecutor,
    MemoryEvents,
    ScriptedControl,
)
from nbautoml.testing.fast_family import FAST_FAMILY

FAST = get_family(FAST_FAMILY)
CANDIDATE = Candidate(
    family=FAST_FAMILY,
    model_name=FAST.name,
    params=FAST.portfolio(Task.CLASSIFICATION)[0],
    scaler="MaxAbsScaler",
)


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    made = pd.DataFrame(rng.normal(size=(200, 3)), columns=list("abc"))
    return made.assign(label=np.where(made["a"] > 0, "yes", "no"))


def plan(n_iterations: int = 6) -> SearchPlan:
    return SearchPlan(
        task=Task.CLASSIFICATION,
        primary_metric="accuracy",
        models=(FAST_FAMILY, "LogisticRegression"),
        limits=Limits(max_iterations=n_iterations, max_concurrent=2, enable_early_stopping=False),
        validation=ValidationOptions(n_cross_validations=3),
    )


class Searched:
    """One search and what came of it."""

    def __init__(self, folder: Path, executor: InProcessExecutor | None = None) -> None:
        self.events = MemoryEvents()
        self.artifacts: FolderArtifacts = FolderArtifacts(folder / "artifacts")
        self._folder = folder
        self._executor = executor or InProcessExecutor()

    def __call__(self, finished: Sequence[TrialFinished] = ()) -> Found:
        return find_model(
            frame(),
            "label",
            plan(),
            executor=self._executor,
            events=self.events,
            artifacts=self.artifacts,
            control=ScriptedControl(),
            scratch=self._folder / "scratch",
            clock=time.time,
            finished=finished,
        )

    @property
    def finished(self) -> list[TrialFinished]:
        found = [e for e in self.events.events if isinstance(e, TrialFinished)]
        return sorted(found, key=lambda e: e.number)

    @property
    def said(self) -> str:
        return "\n".join(e.message for e in self.events.events if isinstance(e, LogWritten))


class Lost(InProcessExecutor):
    """Its workers are gone for good after some reports."""

    def __init__(self, n_reports: int) -> None:
        super().__init__()
        self._n_left = n_reports

    def poll(self, timeout_seconds: float) -> Sequence[TaskMessage | TaskReport]:
        if self._n_left <= 0:
            raise ComputeError("There has been no worker for 300 s, and tasks wait.")
        found = super().poll(timeout_seconds)
        self._n_left -= sum(isinstance(item, TaskReport) for item in found)
        return found


def test_a_search_without_workers_ends_with_what_it_has(tmp_path: Path) -> None:
    searched = Searched(tmp_path, Lost(n_reports=4))
    found = searched()

    assert found.reason is StopReason.NO_WORKERS
    assert found.best is not None
    assert searched.artifacts.local_path(found.best, "outputs/model.pkl").exists()
    assert "no worker for 300 s" in searched.said


def test_a_search_that_never_had_a_worker_says_so(tmp_path: Path) -> None:
    with pytest.raises(ComputeError, match="no worker for 300 s"):
        Searched(tmp_path, Lost(n_reports=0))()


def test_a_search_ends_before_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = Searched(tmp_path)

    def usage(_folder: Path) -> SimpleNamespace:
        done = [e for e in searched.finished if e.outcome is TrialOutcome.COMPLETED]
        return SimpleNamespace(free=1 << 20 if done else 1 << 40)

    monkeypatch.setattr(disk_space.shutil, "disk_usage", usage)
    monkeypatch.setattr(disk_space, "_LOOK_SECONDS", 0.0)
    found = searched()

    assert found.reason is StopReason.DISK_FULL
    assert found.best is not None
    assert len(searched.finished) < 6


def test_a_damaged_trial_is_named_and_done_again(tmp_path: Path) -> None:
    first = Searched(tmp_path / "first")
    first()
    second = Searched(tmp_path / "second")
    second.artifacts = Damaged(first.artifacts.root, 0)
    found = second(first.finished[:3])

    again = [e for e in second.finished if e.key == first.finished[0].key]
    assert [(e.number > 2, e.outcome) for e in again] == [(True, TrialOutcome.COMPLETED)]
    assert "Trial 0 is not used any more. blobs/ab/abc is damaged" in second.said
    assert found.best is not None


class Damaged(FolderArtifacts):
    """One trial's files are not what was stored."""

    def __init__(self, root: Path, number: int) -> None:
        super().__init__(root)
        self._number = number

    def local_path(self, number: int | None, name: str) -> Path:
        if number == self._number:
            raise StoreError("blobs/ab/abc is damaged: its SHA-256 is 12...")
        return super().local_path(number, name)


@pytest.fixture
def context(tmp_path: Path) -> RunContext:
    ports = Ports(
        executor=InProcessExecutor(),
        events=MemoryEvents(),
        artifacts=FolderArtifacts(tmp_path / "artifacts"),
        control=ScriptedControl(),
        clock=time.time,
    )
    return prepare(frame(), "label", plan(), ports, tmp_path / "scratch")[0]


def test_a_task_that_runs_again_does_its_unfinished_folds_only(
    context: RunContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def job(folds: tuple[int, ...], key: str = "key") -> FoldsJob:
        return FoldsJob(
            data=context.data.folder,
            out=tmp_path / "out",
            candidate=CANDIDATE,
            key=key,
            seed=0,
            folds=folds,
            threads=1,
        )

    done: list[int] = []
    do_fold = trial_module._do_fold

    def count(job: FoldsJob, fold: int, deadline: Any) -> FoldResult:
        done.append(fold)
        return do_fold(job, fold, deadline)

    monkeypatch.setattr(trial_module, "_do_fold", count)
    heard: list[FoldResult] = []
    first = run_folds(job((0, 1)), lambda result: None)
    again = run_folds(job((0, 1, 2)), heard.append)
    of_another_trial = run_folds(job((0,), key="another"), lambda result: None)

    assert done == [0, 1, 2, 0]
    assert again[:2] == first
    assert tuple(heard) == again
    assert len(of_another_trial) == 1
