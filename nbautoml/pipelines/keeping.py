"""One step from its beginning to its end, seen by the coordinator of its pipeline."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from nbautoml.domain.events import StepChanged
from nbautoml.domain.records import RunRecord
from nbautoml.domain.snapshot import StepState
from nbautoml.domain.status import RequestKind, RunStatus
from nbautoml.pipelines.resolved import ResolvedStep, step_run_id
from nbautoml.pipelines.reuse import KEY
from nbautoml.pipelines.starting import (
    NOTE_SECONDS,
    Begun,
    StepStarter,
    known_result,
    note_result,
)
from nbautoml.runs.ending import cancel_unowned
from nbautoml.runs.recovery import Rescue
from nbautoml.store.patience import patiently
from nbautoml.store.session import Session

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2
STOPPED = "The run of its pipeline was stopped before it."

Tell = Callable[[StepChanged], None]
"""Takes what happens to a step; the coordinator writes it down."""
Launch = Callable[[Session, str], None]
"""Starts the process of a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepKeeper:
    """Follows steps of one pipeline's run, each in a thread of its own.

    Parameters
    ----------
    session : Session
        The open store.
    run : RunRecord
        The pipeline's run.
    starter : StepStarter
        Decides whether a step is run, and makes its row.
    launch : callable
        Starts the process of a step's run.
    tell : callable
        Takes what happens.
    stop : threading.Event
        Set when no step shall go on.
    """

    session: Session
    run: RunRecord
    starter: StepStarter
    launch: Launch
    tell: Tell
    stop: threading.Event

    def keep(self, resolved: ResolvedStep, known: StepState | None) -> StepChanged:
        """Begin a step, or find it at work, and wait for its end; return how it ended.

        Parameters
        ----------
        resolved : ResolvedStep
            The step.
        known : StepState or None
            What an earlier coordinator of this run wrote of it.
        """
        step = resolved.step
        run_id = step_run_id(self.run.id, step)
        reason = known.reason if known is not None and known.run_id else ""
        if not patiently(lambda: self._exists(run_id)):
            begun = self._begin(resolved, run_id)
            if begun is None:
                return self._changed(resolved, RunStatus.CANCELED, reason=STOPPED)
            reason = begun.reason
            if begun.reused_from:
                source = begun.reused_from
                return self._changed(
                    resolved, RunStatus.COMPLETED, reason=reason, reused_from=source
                )
        if known is None or not known.run_id:
            self.tell(self._changed(resolved, RunStatus.RUNNING, run_id=run_id, reason=reason))
        record = self._follow(run_id)
        if record.status is RunStatus.COMPLETED:
            self._finish(resolved, record)
        words = reason if record.status is RunStatus.COMPLETED else record.reason
        return self._changed(resolved, record.status, run_id=run_id, reason=words)

    def _begin(self, resolved: ResolvedStep, run_id: str) -> Begun | None:
        """Begin a step once nobody else is doing the same; None where it shall not begin."""
        told = ""
        while not self.stop.is_set():
            begun = self.starter.begin(resolved, run_id)
            if not begun.waits_for:
                return begun
            if told != begun.waits_for:
                told = begun.waits_for
                self.tell(self._changed(resolved, RunStatus.NOT_STARTED, reason=begun.reason))
            self._wait_for(begun.waits_for)
        return None

    def _wait_for(self, run_id: str) -> None:
        """Wait until a run of another coordinator has a result or none, or this one shall stop."""
        rescue = Rescue(self.session)
        until: float | None = None
        while not self.stop.wait(POLL_SECONDS):
            rescue.look()
            if not patiently(lambda: self._record(run_id)).status.is_terminal:
                continue
            until = until if until is not None else time.monotonic() + NOTE_SECONDS
            if patiently(lambda: self._is_settled(run_id)) or time.monotonic() > until:
                return

    def _is_settled(self, run_id: str) -> bool:
        """Whether a run that has ended has a result that may be taken, or never will have."""
        record = self._record(run_id)
        if record.status is not RunStatus.COMPLETED:
            return True
        with self.session.read() as tx:
            return known_result(tx, record.properties[KEY]) is not None

    def _follow(self, run_id: str) -> RunRecord:
        """Start the process of a run that waits for one, and return the run when it has ended."""
        record = patiently(lambda: self._record(run_id))
        waits = record.status is RunStatus.NOT_STARTED and record.owner is None
        if waits and not self.stop.is_set():
            self.launch(self.session, run_id)
        rescue, is_asked = Rescue(self.session), False
        while not record.status.is_terminal:
            if self.stop.is_set() and not is_asked:
                patiently(lambda: self._cancel(run_id))
                is_asked = True
            time.sleep(POLL_SECONDS)
            rescue.look()
            record = patiently(lambda: self._record(run_id))
        return record

    def _cancel(self, run_id: str) -> None:
        with self.session.write() as tx:
            tx.requests.append(run_id, RequestKind.CANCEL, {}, time.time())
        cancel_unowned(self.session, run_id)

    def _finish(self, resolved: ResolvedStep, record: RunRecord) -> None:
        """See that a step's outputs are kept, and that others may take them."""
        if resolved.step.kind == "automl":  # a script's are kept by its own process
            from nbautoml.pipelines.training import keep_training_outputs  # loads what trains

            keep_training_outputs(self.session, resolved, record)
        with self.session.write() as tx:
            note_result(tx, record)

    def _exists(self, run_id: str) -> bool:
        with self.session.read() as tx:
            return tx.runs.exists(run_id)

    def _record(self, run_id: str) -> RunRecord:
        with self.session.read() as tx:
            return tx.runs.get(run_id)

    @staticmethod
    def _changed(
        resolved: ResolvedStep,
        status: RunStatus,
        *,
        run_id: str = "",
        reason: str = "",
        reused_from: str = "",
    ) -> StepChanged:
        return StepChanged(
            number=resolved.step.number,
            name=resolved.step.name,
            status=status,
            run_id=run_id,
            reason=reason,
            reused_from=reused_from,
        )
