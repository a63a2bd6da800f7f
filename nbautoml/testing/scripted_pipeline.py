"""A pipeline's run for tests of what shows it: events and rows as its processes write them.

    python -m nbautoml.testing.scripted_pipeline FOLDER RUN_ID --pace 0.05

Steps take turns and write a line each, so that whoever looks sees several at work. It obeys
`cancel`. Nothing is executed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any  # Any: fields of events

from nbautoml.domain import events as ev
from nbautoml.domain.ids import child_run_id
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RequestKind, RunStatus, TrialOutcome
from nbautoml.runs.types import PIPELINE_RUN, STEP_RUN
from nbautoml.store.events import EventWriter
from nbautoml.store.session import Session, open_session
from nbautoml.workspace.config_file import find_config, read_config

AUTOML = "automl"
EXPERIMENT = "churn"
_HOUR_SECONDS = 3_600.0
LINES = 6
"""Lines that a step writes before it ends."""
FAILURE = """\
Traceback (most recent call last):
  File "drift.py", line 12, in <module>
    check(rows)
ValueError: column <b>age</b> & friends moved by 0.41"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedStep:
    """A step, and how it ends: ``"done"``, ``"reused"`` or ``"fails"``."""

    name: str
    after: tuple[str, ...] = ()
    step_kind: str = "PythonScriptStep"
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    ends: str = "done"


CHURN = (
    ScriptedStep(name="fetch", outputs=("raw",), ends="reused"),
    ScriptedStep(name="clean", after=("fetch",), inputs=("raw",), outputs=("rows",)),
    ScriptedStep(
        name="features of people", after=("clean",), inputs=("rows",), outputs=("people",)
    ),
    ScriptedStep(name="features of calls", after=("clean",), inputs=("rows",), outputs=("calls",)),
    ScriptedStep(
        name="train",
        after=("features of people", "features of calls"),
        step_kind="AutoMLStep",
        inputs=("people", "calls"),
        outputs=("model", "metrics"),
    ),
    ScriptedStep(name="check <drift>", after=("clean",), inputs=("rows",), ends="fails"),
    ScriptedStep(name="evaluate", after=("train", "clean"), inputs=("model", "rows")),
    ScriptedStep(name="report", after=("check <drift>", "evaluate")),
)
"""A pipeline with everything in it: one step fails, and one that waits for it is not begun."""


def many_steps(n_steps: int) -> tuple[ScriptedStep, ...]:
    """Return a graph of so many steps, four side by side."""
    return tuple(
        ScriptedStep(
            name=f"step {n}",
            after=tuple(f"step {m}" for m in (n - 4, n - 5) if m >= 0 and (m == n - 4 or n % 3)),
        )
        for n in range(n_steps)
    )


class ScriptedPipeline:
    """Plays one run.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        Id of the pipeline's run, which is made.
    steps : sequence of ScriptedStep
        Its steps, each after those that it waits for.
    pace_seconds : float, default 0
        Pause between the turns.
    """

    def __init__(
        self,
        session: Session,
        run_id: str,
        steps: Sequence[ScriptedStep] = CHURN,
        *,
        pace_seconds: float = 0.0,
    ) -> None:
        self._session = session
        self._run_id = run_id
        self._steps = steps
        self._pace_seconds = pace_seconds
        self._stack = ExitStack()
        self._status = [RunStatus.NOT_STARTED] * len(steps)
        self._turns = [0] * len(steps)
        self._logs: dict[int, EventWriter] = {}

    def play(self) -> RunStatus:
        """Play the run to its end, or until it is canceled; return how it ended."""
        with self._stack:
            self._log = self._begin()
            while not all(status.is_terminal for status in self._status):
                if self._is_canceled():
                    return self._end(RunStatus.CANCELED, "Canceled on request.")
                self._start_ready()
                time.sleep(self._pace_seconds)
                for number in [n for n, s in enumerate(self._status) if s is RunStatus.RUNNING]:
                    self._turn(number)
            failed = [
                s.name
                for s, at in zip(self._steps, self._status, strict=True)
                if at is RunStatus.FAILED
            ]
            if failed:
                return self._end(RunStatus.FAILED, f"Step {failed[0]} failed.")
            return self._end(RunStatus.COMPLETED, "")

    def _begin(self) -> EventWriter:
        self._make_row(self._run_id, PIPELINE_RUN)
        log = self._stack.enter_context(EventWriter(self._session, self._run_id))
        log.emit(ev.StatusChanged(status=RunStatus.RUNNING))
        text = "Who leaves, told from calls."
        log.emit(ev.RunDescribed(what="pipeline", experiment=EXPERIMENT, text=text))
        numbers = {step.name: number for number, step in enumerate(self._steps)}
        log.emit(
            ev.GraphDescribed(
                steps=tuple(
                    ev.PipelineStep(
                        number=numbers[step.name],
                        name=step.name,
                        step_kind=step.step_kind,
                        after=tuple(numbers[name] for name in step.after),
                        inputs=step.inputs,
                        outputs=step.outputs,
                    )
                    for step in self._steps
                )
            )
        )
        return log

    def _make_row(
        self, run_id: str, kind: str, number: int | None = None, *, age_seconds: float = 0.0
    ) -> None:
        began = time.time() - age_seconds
        with self._session.write() as tx:
            tx.experiments.get_or_create(EXPERIMENT)
            tx.runs.create(
                RunRecord(
                    id=run_id,
                    experiment=EXPERIMENT,
                    type=kind,
                    status=RunStatus.RUNNING,
                    created_at=began,
                    started_at=began,
                    parent_id=None if number is None else self._run_id,
                    number=number,
                    display_name=self._steps[number].name if number is not None else "",
                )
            )

    def _is_canceled(self) -> bool:
        with self._session.read() as tx:
            return any(r.kind is RequestKind.CANCEL for r in tx.requests.read(self._run_id))

    def _start_ready(self) -> None:
        at = {step.name: status for step, status in zip(self._steps, self._status, strict=True)}
        for number, step in enumerate(self._steps):
            before = [at[name] for name in step.after]
            if self._status[number] is not RunStatus.NOT_STARTED:
                continue
            if any(status in (RunStatus.FAILED, RunStatus.CANCELED) for status in before):
                self._change(number, RunStatus.CANCELED, "A step before it failed.")
            elif all(status is RunStatus.COMPLETED for status in before):
                self._start(number, step)

    def _start(self, number: int, step: ScriptedStep) -> None:
        run_id = child_run_id(self._run_id, number)
        if step.ends == "reused":
            self._play_earlier(number, step)
            return
        is_search = step.step_kind == "AutoMLStep"
        self._make_row(run_id, AUTOML if is_search else STEP_RUN, number)
        log = self._stack.enter_context(EventWriter(self._session, run_id))
        log.emit(ev.StatusChanged(status=RunStatus.RUNNING))
        log.emit(_search() if is_search else _script(step))
        self._logs[number] = log
        reason = f"not reused: input {step.inputs[0]} changed" if step.inputs else ""
        self._change(number, RunStatus.RUNNING, reason, run_id=run_id)

    def _play_earlier(self, number: int, step: ScriptedStep) -> None:
        """Write the run of an earlier pipeline, and take its outputs."""
        run_id = f"{self._run_id}-before_{number}"
        self._make_row(run_id, STEP_RUN, age_seconds=_HOUR_SECONDS)
        with EventWriter(self._session, run_id) as log:
            log.emit(ev.StatusChanged(status=RunStatus.RUNNING))
            log.emit(_script(step))
            log.emit(ev.OutputWritten(text="fetched 7,043 rows"))
            self._close(log, run_id, RunStatus.COMPLETED)
        reason = "reused: nothing that it depends on changed"
        self._change(number, RunStatus.COMPLETED, reason, reused_from=run_id)

    def _turn(self, number: int) -> None:
        step, log = self._steps[number], self._logs[number]
        self._turns[number] += 1
        turn = self._turns[number]
        if step.step_kind == "AutoMLStep":
            _try_model(log, turn - 1)
        else:
            log.emit(ev.OutputWritten(text=f"{step.name}: line {turn} of {LINES}"))
            log.emit(ev.ValuesLogged(name="rows", form=ev.Form.VALUE, value=1000 * turn))
        if turn < LINES:
            return
        run_id = child_run_id(self._run_id, number)
        status = RunStatus.FAILED if step.ends == "fails" else RunStatus.COMPLETED
        reason = FAILURE if status is RunStatus.FAILED else ""
        self._close(log, run_id, status, reason)
        self._change(number, status, reason, run_id=run_id)

    def _change(
        self,
        number: int,
        status: RunStatus,
        reason: str = "",
        *,
        run_id: str = "",
        reused_from: str = "",
    ) -> None:
        self._status[number] = status
        name = self._steps[number].name
        self._log.emit(
            ev.StepChanged(
                number=number,
                name=name,
                status=status,
                run_id=run_id,
                reason=reason,
                reused_from=reused_from,
            )
        )

    def _end(self, status: RunStatus, reason: str) -> RunStatus:
        for number, log in self._logs.items():
            if not self._status[number].is_terminal:
                self._close(log, child_run_id(self._run_id, number), status, reason)
        self._close(self._log, self._run_id, status, reason)
        return status

    @staticmethod
    def _close(log: EventWriter, run_id: str, status: RunStatus, reason: str = "") -> None:
        now = time.time()
        log.emit(
            ev.StatusChanged(status=status, reason=reason),
            lambda tx: tx.runs.set_status(run_id, status, reason=reason, time=now),
        )


def _script(step: ScriptedStep) -> ev.RunDescribed:
    text = f"{step.name.replace(' ', '_')}.py --out outputs"
    return ev.RunDescribed(what="step", experiment=EXPERIMENT, text=text)


def _search() -> ev.RunConfigured:
    return ev.RunConfigured(
        task="classification",
        primary_metric="AUC_weighted",
        label="left",
        dataset="people",
        experiment=EXPERIMENT,
        compute="local",
        n_workers=2,
        max_iterations=LINES,
    )


def _try_model(log: EventWriter, number: int) -> None:
    score = 0.8 + number / 50
    what: dict[str, Any] = {"pipeline": "MaxAbsScaler, LightGBM", "family": "LightGBM"}
    what |= {"params": {}, "n_folds": 3}
    log.emit(ev.TrialStarted(number=number, **what))
    log.emit(
        ev.TrialFinished(
            number=number,
            key=f"key{number}",
            outcome=TrialOutcome.COMPLETED,
            folds_done=3,
            seconds=0.5,
            score=score,
            metrics={"AUC_weighted": score},
            **what,
        )
    )


def main() -> None:
    """Play a run in a workspace that exists."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("run_id")
    parser.add_argument("--pace", type=float, default=0.05, help="seconds a turn")
    parser.add_argument("--steps", type=int, default=0, help="so many in place of the example")
    options = parser.parse_args()
    steps = many_steps(options.steps) if options.steps else CHURN
    with open_session(read_config(find_config(options.folder)).address) as session:
        ScriptedPipeline(session, options.run_id, steps, pace_seconds=options.pace).play()


if __name__ == "__main__":
    main()
