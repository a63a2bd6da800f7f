"""What has to be so after every fault: nothing is lost, nothing is left over, nothing is untrue."""

from __future__ import annotations

import pickle
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sklearn.datasets import load_breast_cancer

from nbautoml.domain.events import TrialFinished
from nbautoml.domain.records import RunRecord
from nbautoml.domain.snapshot import RunSnapshot
from nbautoml.domain.status import RunStatus, TrialOutcome
from nbautoml.errors import StoreError
from nbautoml.runs.details import run_snapshot
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.run import Run
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.widgets.run_details import RunDetails
from tests.faults.kernel import EXPERIMENT
from tests.faults.scene import Scene

MODEL = "outputs/model.pkl"
_BUG = re.compile(r"Traceback|^\w*(Error|Exception)\b(?!.*\.)")
"""A reason like this was not written for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a fault is allowed to cost.

    Parameters
    ----------
    statuses : frozenset of RunStatus
        How the run may end.
    outcomes : mapping of int to TrialOutcome
        Trials that do not complete, and how they end.
    damaged : tuple of int
        Trials whose stored files were damaged on purpose: reading them must fail by name.
    may_lack_trials : bool
        Whether the run may end before all of its trials.
    """

    statuses: frozenset[RunStatus] = frozenset({RunStatus.COMPLETED})
    outcomes: tuple[tuple[int, TrialOutcome], ...] = ()
    damaged: tuple[int, ...] = ()
    may_lack_trials: bool = False


def problems_of(scene: Scene, expected: Expected) -> list[str]:
    """Return what is wrong with a run that has ended; empty when nothing is."""
    found = Found(scene, expected)
    checks = (
        found.check_end,
        found.check_log,
        found.check_trials,
        found.check_children,
        found.check_files,
        found.check_best_model,
        found.check_view,
        found.check_store,
    )
    return [problem for check in checks for problem in check()]


class Found:
    """Everything that a run left, and the checks of it.

    Parameters
    ----------
    scene : Scene
        The run has ended.
    expected : Expected
        What the fault may cost.
    """

    def __init__(self, scene: Scene, expected: Expected) -> None:
        self._scene = scene
        self._expected = expected
        session = scene.session
        with session.read() as tx:
            self._run: RunRecord = tx.runs.get(scene.run_id)
            self._records = tx.events.read(scene.run_id)
            self._children = tx.runs.list(parent_id=scene.run_id)
        self._snapshot: RunSnapshot = run_snapshot(session, scene.run_id)
        self._ended = [r.event for r in self._records if isinstance(r.event, TrialFinished)]

    def check_end(self) -> Iterator[str]:
        """The run ended in a way that is allowed, with a reason that a person understands."""
        if self._run.status not in self._expected.statuses:
            yield f"the run ended as {self._run.status.value}: {self._run.reason}"
        if self._run.status is RunStatus.FAILED and (
            not self._run.reason or _BUG.search(self._run.reason)
        ):
            yield f"nobody understands the reason {self._run.reason!r}"
        if self._snapshot.status is not self._run.status:
            yield f"the log says {self._snapshot.status.value}, the row {self._run.status.value}"

    def check_log(self) -> Iterator[str]:
        """The events are numbered without gaps, and the run ends once."""
        numbers = [record.seq for record in self._records]
        if numbers != list(range(1, len(numbers) + 1)):
            yield "the events have gaps"

    def check_trials(self) -> Iterator[str]:
        """Every trial ended exactly once, and as it should."""
        for key, count in Counter(e.key for e in self._ended if not e.is_ensemble).items():
            if count > 1 and not self._expected.damaged:
                yield f"trial {key} is in the log {count} times"
        for number, count in Counter(e.number for e in self._ended).items():
            if count > 1:
                yield f"trial number {number} ended {count} times"
        outcomes = dict(self._expected.outcomes)
        for event in self._ended:
            wanted = outcomes.get(event.number, TrialOutcome.COMPLETED)
            if event.outcome is not wanted and not self._expected.may_lack_trials:
                yield f"trial {event.number} ended as {event.outcome.value}: {event.error}"
        wanted_number = self._scene.settings.get("trials", self._scene.settings.get("iterations"))
        n_ended = len(self._ended)
        lacks = n_ended < int(wanted_number or 0)
        if lacks and not self._expected.may_lack_trials:
            yield f"{n_ended} of {wanted_number} trials are there"

    def check_children(self) -> Iterator[str]:
        """A child run a trial, in the state that the trial's event says."""
        outcomes = {e.number: e.outcome for e in self._ended}
        numbers = [child.number for child in self._children]
        if len(set(numbers)) != len(numbers):
            yield f"children share numbers: {numbers}"
        for child in self._children:
            outcome = outcomes.get(child.number or 0)
            is_completed = outcome is TrialOutcome.COMPLETED
            if is_completed != (child.status is RunStatus.COMPLETED):
                yield f"child {child.number} is {child.status.value}, its trial ended as {outcome}"
        missing = set(outcomes) - set(numbers)
        if missing:
            yield f"trials without a child run: {sorted(missing)}"

    def check_files(self) -> Iterator[str]:
        """Every file that the store names has the content that it names."""
        session = self._scene.session
        for child in self._children:
            with session.read() as tx:
                names = [record.name for record in tx.artifacts.list(child.id)]
            if child.status is RunStatus.COMPLETED and MODEL not in names:
                yield f"child {child.number} has no model"
            for name in names:
                yield from self._check_file(child, name)

    def _check_file(self, child: RunRecord, name: str) -> Iterator[str]:
        is_damaged = child.number in self._expected.damaged and name == MODEL
        try:
            path = self._scene.session.load_artifact(child.id, name)
        except StoreError as error:
            if not is_damaged:
                yield f"{name} of child {child.number}: {error}"
            elif "SHA-256" not in str(error) or "blobs" not in str(error):
                yield f"the damage is not named: {error}"
        else:
            if is_damaged and Path(path).exists():
                yield f"{name} of child {child.number} is damaged, and nobody noticed"

    def check_best_model(self) -> Iterator[str]:
        """The best model loads and predicts, where there is one."""
        best = self._snapshot.best_trial
        completed = [e for e in self._ended if e.outcome is TrialOutcome.COMPLETED]
        if best is None:
            if completed or self._run.status is RunStatus.COMPLETED:
                yield "there is no best trial"
            return
        if best.number in self._expected.damaged:
            return
        try:
            path = self._scene.session.load_artifact(best.run_id, MODEL)
            predicted = list(pickle.loads(path.read_bytes()).predict(self._rows()))
        except Exception as error:  # noqa: BLE001 - whatever a model may raise is what is looked for
            yield f"the best model cannot be used: {type(error).__name__}: {error}"
        else:
            if len(predicted) != len(self._rows()):
                yield f"the best model predicted {len(predicted)} rows"

    def _rows(self) -> Any:
        if self._scene.work == "scripted":
            return [1, 2, 3]
        return load_breast_cancer(as_frame=True).frame.iloc[:20, -9:-1]

    def check_view(self) -> Iterator[str]:
        """What a widget shows is what the store holds."""
        handle = WorkspaceHandle(self._scene.session)
        run = Run(Experiment(handle, EXPERIMENT), self._scene.run_id)
        shown = RunDetails(run).get_widget_data()
        if shown["status"] != self._run.status.value:
            yield f"the view says {shown['status']}"
        numbers = {e.number for e in self._ended}
        n_shown = len(shown["child_runs"])
        if n_shown < len(numbers):
            yield f"the view has {n_shown} of {len(numbers)} trials"
        best = self._snapshot.best_trial
        if shown["best_child_run_id"] != (best.run_id if best else None):
            yield f"the view says that {shown['best_child_run_id']} is best"

    def check_store(self) -> Iterator[str]:
        """The database is whole."""
        engine = self._scene.session.engine
        if engine.database_file is not None:
            with engine.read() as connection:
                answer = connection.exec_driver_sql("PRAGMA integrity_check").scalar_one()
            if answer != "ok":
                yield f"the database is damaged: {answer}"
