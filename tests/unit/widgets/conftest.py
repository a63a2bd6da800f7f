"""Runs made of events: `new_run` and `run_with` make them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nbautoml.domain import events as ev
from nbautoml.domain.snapshot import RunSnapshot, SnapshotFold
from nbautoml.domain.status import RunStatus, TrialOutcome

RUN = "AutoML_5f0c9d6e-6a34-4c5b-9d6d-0a1b2c3d4e5f"
FAMILIES = ("LightGBM", "LogisticRegression", "RandomForest", "KNN")


class RunStandIn:
    """A run whose events are appended by the test."""

    def __init__(self, **configured: Any) -> None:
        self.id = RUN
        self.time = 1000.0
        self._fold = SnapshotFold(RUN)
        values: dict[str, Any] = {
            "task": "classification",
            "primary_metric": "AUC_weighted",
            "label": "DEATH_EVENT",
            "dataset": "heart-failure:1",
            "experiment": "heart-failure",
            "compute": "local",
            "n_workers": 2,
            "max_iterations": 60,
            "timeout_seconds": 300.0,
            "deadline": 1300.0,
        }
        self.add(ev.RunConfigured(**(values | configured)))
        self.add(ev.StatusChanged(status=RunStatus.RUNNING))

    def add(self, *events: ev.Event) -> None:
        for event in events:
            record = ev.EventRecord(run_id=RUN, seq=self._fold.seq + 1, time=self.time, event=event)
            self._fold.apply(record)
            self.time += 0.5

    def finish(
        self, number: int, score: float | None, *, error: str = "", pipeline: str | None = None
    ) -> None:
        family = FAMILIES[number % len(FAMILIES)]
        name = pipeline or f"StandardScalerWrapper, {family}"
        shared: dict[str, Any] = {
            "number": number,
            "pipeline": name,
            "family": family,
            "params": {},
            "n_folds": 5,
        }
        self.add(ev.TrialStarted(**shared))
        self.add(
            ev.TrialFinished(
                **shared,
                key=f"k{number}",
                outcome=TrialOutcome.FAILED if error else TrialOutcome.COMPLETED,
                folds_done=5,
                seconds=2.0,
                score=score,
                score_std=0.012,
                error=error,
            )
        )

    def end(self, status: RunStatus = RunStatus.COMPLETED, reason: str = "") -> None:
        self.add(ev.StatusChanged(status=status, reason=reason))

    def get_status(self) -> str:
        return self.snapshot().status.value

    def snapshot(self) -> RunSnapshot:
        return self._fold.build()


@pytest.fixture
def new_run() -> type[RunStandIn]:
    """Makes a run that is configured and running."""
    return RunStandIn


@pytest.fixture
def run_with() -> Callable[..., RunStandIn]:
    """Makes a run with some trials: scores rise and fall, every tenth trial failed."""
    return _run_with


def _run_with(n_trials: int, **configured: Any) -> RunStandIn:
    run = RunStandIn(**configured)
    run.add(ev.DataDescribed(n_rows=299, n_columns=13, n_folds=5, validation="5 folds, stratified"))
    for number in range(n_trials):
        failed = number % 10 == 7
        run.finish(
            number,
            None if failed else 0.80 + 0.1 * ((number * 7919) % 101) / 101,
            error="ValueError: no rows\n  at line 3" if failed else "",
        )
    return run
