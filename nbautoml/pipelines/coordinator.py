"""The work of a pipeline's run: begins steps when those before them are done, and watches them."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any  # Any: JSON values

from nbautoml.domain.events import StepChanged
from nbautoml.domain.snapshot import StepState
from nbautoml.domain.status import RequestKind, RunStatus
from nbautoml.errors import NbAutoMLError
from nbautoml.pipelines.frozen import FrozenPipeline, FrozenStep
from nbautoml.pipelines.keeping import STOPPED, Launch, StepKeeper
from nbautoml.pipelines.progress import Progress
from nbautoml.pipelines.resolved import resolve_step, step_run_id
from nbautoml.pipelines.starting import StepStarter
from nbautoml.runs.controller import launch, set_status
from nbautoml.runs.details import run_snapshot
from nbautoml.runs.work import Ending, WorkContext
from nbautoml.runtime.threads import n_processors

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2
_CANCELED = "Canceled on request."


class PipelineWork:
    """Runs one pipeline; made in the controller process of its run.

    The only writer of the run's events. Steps are runs with processes of their own, so a
    coordinator that is lost is replaced by one that finds them at work.

    Parameters
    ----------
    context : WorkContext
        The run.
    launch : callable
        Starts the process of a step's run.
    n_slots : int, optional
        How many steps run at a time; the number of processors by default.
    """

    def __init__(
        self, context: WorkContext, *, launch: Launch = launch, n_slots: int | None = None
    ) -> None:
        settings: Mapping[str, Any] = context.run.settings
        self._context = context
        self._pipeline = FrozenPipeline.from_json(settings["pipeline"])
        self._values: Mapping[str, Any] = settings["parameters"]
        self._goes_on = bool(settings["continue_on_step_failure"])
        self._progress = Progress(self._pipeline.steps)
        self._sources: dict[int, str] = {}
        self._failed: list[StepChanged] = []
        self._is_canceled = False
        self._news: queue.SimpleQueue[StepChanged] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._n_slots = n_slots if n_slots is not None else n_processors()
        starter = StepStarter(context.session, context.run)
        self._keeper = StepKeeper(
            session=context.session,
            run=context.run,
            starter=starter,
            launch=launch,
            tell=self._news.put,
            stop=self._stop,
        )
        state = run_snapshot(context.session, context.run.id)
        self._known = {s.step.number: s for s in state.steps if s.status is not _UNTOUCHED}

    def run(self) -> Ending:
        """Run all steps that can be run; one that an earlier coordinator ended stays as it is."""
        set_status(self._context, RunStatus.RUNNING)
        with ThreadPoolExecutor(self._n_slots, thread_name_prefix="step") as pool:
            try:
                self._run_steps(pool)
            except BaseException:
                self._stop.set()  # the pool waits for its threads
                raise
        return self._ending()

    def _run_steps(self, pool: ThreadPoolExecutor) -> None:
        while not self._progress.is_over:
            for step in self._progress.take_ready():
                self._begin(pool, step)
            self._obey()
            self._hear()

    def _begin(self, pool: ThreadPoolExecutor, step: FrozenStep) -> None:
        known = self._known.get(step.number)
        if known is not None and known.status.is_terminal:
            self._end(_as_event(known))
            return
        blocker = self._progress.in_the_way(step)
        if blocker or (self._stop.is_set() and not self._is_at_work(step)):
            reason = f"Step {blocker} did not complete." if blocker else STOPPED
            self._take(_changed(step, RunStatus.CANCELED, reason))
            return
        pool.submit(self._keep, step, known)

    def _is_at_work(self, step: FrozenStep) -> bool:
        """Whether an earlier coordinator has begun the step: then it is to be canceled."""
        with self._context.session.read() as tx:
            return tx.runs.exists(step_run_id(self._context.run.id, step))

    def _keep(self, step: FrozenStep, known: StepState | None) -> None:
        """Do one step, in a thread of its own; whatever happens in it, the step ends."""
        try:
            resolved = resolve_step(step, self._values, self._sources)
            self._news.put(self._keeper.keep(resolved, known))
        except NbAutoMLError as error:
            self._news.put(_changed(step, RunStatus.FAILED, str(error)))
        except Exception as error:  # noqa: BLE001 - the border: as that of a run's controller
            logger.exception("step %s broke", step.name)
            reason = f"{type(error).__name__}: {error}"
            self._news.put(_changed(step, RunStatus.FAILED, reason))

    def _obey(self) -> None:
        for request in self._context.control.poll():
            if request.kind is RequestKind.CANCEL:
                self._is_canceled = True
                self._stop.set()

    def _hear(self) -> None:
        """Write down what the threads of steps say, waiting a moment for the first word."""
        try:
            self._take(self._news.get(timeout=POLL_SECONDS))
            while True:
                self._take(self._news.get_nowait())
        except queue.Empty:
            return

    def _take(self, event: StepChanged) -> None:
        self._context.emit(event)
        if event.status.is_terminal:
            self._end(event)

    def _end(self, event: StepChanged) -> None:
        """Note how a step ended, and whether others go on."""
        self._sources[event.number] = event.reused_from or event.run_id
        if event.status is RunStatus.FAILED:
            self._failed.append(event)
        if event.status is not RunStatus.COMPLETED and not self._goes_on:
            self._stop.set()
        self._progress.ended(event.number, event.status)

    def _ending(self) -> Ending:
        if self._is_canceled:
            return Ending(status=RunStatus.CANCELED, reason=_CANCELED)
        if self._failed:
            first = self._failed[0]
            names = ", ".join(event.name for event in self._failed[1:])
            reason = f"Step {first.name} failed: {first.reason}"
            if names:
                reason = f"{reason.rstrip('.')}. Failed too: {names}."
            return Ending(status=RunStatus.FAILED, reason=reason)
        stopped = [n for n, s in self._progress.outcomes.items() if s is RunStatus.CANCELED]
        if stopped:
            names = ", ".join(self._pipeline.steps[number].name for number in sorted(stopped))
            return Ending(status=RunStatus.CANCELED, reason=f"Canceled steps: {names}.")
        return Ending(status=RunStatus.COMPLETED)


_UNTOUCHED = RunStatus.NOT_STARTED


def _changed(step: FrozenStep, status: RunStatus, reason: str) -> StepChanged:
    return StepChanged(number=step.number, name=step.name, status=status, reason=reason)


def _as_event(state: StepState) -> StepChanged:
    return StepChanged(
        number=state.step.number,
        name=state.step.name,
        status=state.status,
        run_id=state.run_id,
        reason=state.reason,
        reused_from=state.reused_from,
    )
