"""Stands in for the processes of steps: plays the run of a step at once, in its own way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nbautoml.domain.events import StatusChanged
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RequestKind, RunStatus
from nbautoml.pipelines import frozen as frozen_module
from nbautoml.pipelines.coordinator import PipelineWork
from nbautoml.pipelines.frozen import FrozenOutput, FrozenPipeline, submit_frozen
from nbautoml.pipelines.outputs import keep_output, save_outputs
from nbautoml.pipelines.pipeline_run import PipelineRun
from nbautoml.runs.continuation import open_requests
from nbautoml.runs.ending import close_rows
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.work import Ending, StoredArtifacts, WorkContext
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.events import EventWriter
from nbautoml.store.session import Session

DEADLINE_SECONDS = 10.0


@dataclass
class Player:
    """Plays steps; what a step writes is the text that `texts` has for its name."""

    folder: Path
    texts: dict[str, str] = field(default_factory=dict)
    failing: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()
    """Steps that go on until they are canceled."""
    played: list[str] = field(default_factory=list)

    def __call__(self, session: Session, run_id: str) -> None:
        """Begin a step in a thread of its own, as `launch` begins a process."""
        with session.read() as tx:
            record = tx.runs.get(run_id)
        self.played.append(record.display_name)
        threading.Thread(target=self._play, args=(session, record), daemon=True).start()

    def _play(self, session: Session, record: RunRecord) -> None:
        name = record.display_name
        with session.write() as tx:
            tx.runs.set_status(record.id, RunStatus.RUNNING, time=time.time())
        if name in self.waiting:
            self._until_canceled(session, record.id)
            return
        if name in self.failing:
            _end(session, record.id, RunStatus.FAILED, "no rows")
            return
        kept = []
        for content in record.settings["step"]["outputs"]:
            output = FrozenOutput(**content)
            written = self.folder / f"{record.id}-{output.name}"
            written.write_text(self.texts.get(name, "the same"))
            kept.append(keep_output(session, record.id, output, written))
        save_outputs(session, record.id, kept)
        _end(session, record.id, RunStatus.COMPLETED, "")

    def _until_canceled(self, session: Session, run_id: str) -> None:
        end = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < end:
            with session.read() as tx:
                if any(r.kind is RequestKind.CANCEL for r in tx.requests.read(run_id)):
                    break
            threading.Event().wait(0.02)
        with session.read() as tx:
            is_over = tx.runs.get(run_id).status.is_terminal
        if not is_over:
            _end(session, run_id, RunStatus.CANCELED, "Canceled on request.")


def _end(session: Session, run_id: str, status: RunStatus, reason: str) -> None:
    with session.write() as tx:
        tx.events.append(run_id, [StatusChanged(status=status, reason=reason)], time.time())
        close_rows(tx, run_id, status, reason, time.time())


def submit(session: Session, frozen: FrozenPipeline, **settings: object) -> PipelineRun:
    """Record a run of a pipeline whose process nobody starts."""
    original = frozen_module.launch
    frozen_module.launch = lambda _session, _run_id: None
    try:
        experiment = Experiment(WorkspaceHandle(session), "e")
        return submit_frozen(experiment, frozen, **settings)  # type: ignore[arg-type]
    finally:
        frozen_module.launch = original


def coordinate(
    session: Session,
    run: PipelineRun,
    player: Callable[[Session, str], None],
    *,
    n_slots: int = 2,
    is_resumed: bool = False,
) -> Ending:
    """Do the work of a pipeline's run here, and end it."""
    with session.read() as tx:
        record = tx.runs.get(run.id)
    with EventWriter(session, run.id) as events:
        context = WorkContext(
            session=session,
            run=record,
            events=events,
            control=open_requests(session, record),
            artifacts=StoredArtifacts(session, run.id),
            scratch=session.root,
            is_resumed=is_resumed,
        )
        ending = PipelineWork(context, launch=player, n_slots=n_slots).run()
    _end(session, run.id, ending.status, ending.reason)
    return ending


def reasons(run: PipelineRun) -> Mapping[str, str]:
    """Return why each step was run, or was not."""
    return {state.step.name: state.reason for state in run.snapshot().steps}


def states(run: PipelineRun) -> Mapping[str, str]:
    """Return how each step stands."""
    return {state.step.name: state.status.value for state in run.snapshot().steps}
