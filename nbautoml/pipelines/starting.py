"""How a step begins: from its earlier result, or with a run of its own."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any  # Any: JSON values

from nbautoml.domain.events import RunDescribed, json_safe
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RequestKind, RunStatus
from nbautoml.pipelines.outputs import load_outputs, what_is_lost
from nbautoml.pipelines.resolved import ResolvedStep
from nbautoml.pipelines.reuse import (
    KEY,
    REUSE,
    STEP_NAME,
    StepKey,
    key_of,
    load_key,
    newest_run,
    what_changed,
)
from nbautoml.runs.ending import LIVE
from nbautoml.runs.snapshot import SNAPSHOT
from nbautoml.runs.types import STEP_RUN
from nbautoml.store.session import Reader, Session, Writer

STEP_TYPE = "StepType"
"""Property of a step's run: name of the step's class, in the SDK's spelling."""
NOTE_SECONDS = 30.0
"""How long the coordinator of another run has to write down the outputs of a step of its own."""
PIPELINE_RUN_ID = "azureml.pipelinerunid"
"""Property of a step's run: the run of its pipeline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """How a step began.

    Parameters
    ----------
    reason : str
        Why it is run, or whose result is taken.
    reused_from : str
        The earlier run whose outputs are taken; empty where the step has a run of its own.
    waits_for : str
        A run that is doing the same at this moment; nothing has begun then.
    lost : str
        An earlier run with the same key whose outputs are not there as it wrote them.
    """

    reason: str = ""
    reused_from: str = ""
    waits_for: str = ""
    lost: str = ""


class StepStarter:
    """Begins steps of one pipeline's run; safe for several threads.

    Parameters
    ----------
    session : Session
        The open store.
    run : RunRecord
        The pipeline's run.
    """

    def __init__(self, session: Session, run: RunRecord) -> None:
        self._session = session
        self._run = run
        self._regenerates = bool(run.settings["regenerate_outputs"])

    def begin(self, resolved: ResolvedStep, run_id: str) -> Begun:
        """Take an earlier result, or make the row of a run that waits for its process.

        Parameters
        ----------
        resolved : ResolvedStep
            The step.
        run_id : str
            Id of its run, where it gets one.
        """
        key = key_of(self._session, resolved)
        may_reuse = resolved.step.allow_reuse and not self._regenerates
        found = Begun(reason=self._why_anew(resolved))
        if may_reuse:
            found = self._earlier(key, resolved.step.name)
            if found.reused_from:
                return found
        self._session.save_artifact(run_id, REUSE, key.to_bytes())
        record, described = self._record(resolved, run_id, key), self._described(resolved)
        with self._session.write() as tx:
            if may_reuse and (other := _same_at_work(tx, key.text, besides=found.lost)):
                return Begun(reason=f"waits for run {other}, which does the same", waits_for=other)
            tx.runs.create(record)
            if described is not None:
                tx.events.append(run_id, [described], record.created_at)
        return found

    def _why_anew(self, resolved: ResolvedStep) -> str:
        if self._regenerates:
            return "not reused: all outputs are made anew (regenerate_outputs)"
        return f"not reused: allow_reuse of step {resolved.step.name} is False"

    def _earlier(self, key: StepKey, name: str) -> Begun:
        """Return the earlier run with the same key, or why there is none."""
        with self._session.read() as tx:
            found = known_result(tx, key.text)
        if found is not None:
            lost = what_is_lost(self._session, load_outputs(self._session, found).values())
            if not lost:
                return Begun(reason=f"reused from {found}", reused_from=found)
            return Begun(reason=f"not reused: {lost} since run {found}", lost=found)
        newest = newest_run(self._session, name)
        before = load_key(self._session, newest.id) if newest is not None else None
        if newest is None or before is None:
            return Begun(reason="not reused: no run of this step has completed before")
        changed = what_changed(key, before)
        if not changed:
            reason = f"run {newest.id} was asked to finish early, or given more time"
            return Begun(reason=f"not reused: {reason}")
        return Begun(reason=f"not reused: {changed} since run {newest.id}")

    def _described(self, resolved: ResolvedStep) -> RunDescribed | None:
        """Return what a step's log begins with; an AutoML run describes itself."""
        if resolved.step.kind == "automl":
            return None
        text = " ".join(str(next(iter(a.values()))) for a in resolved.arguments)
        settings = resolved.step.settings
        return RunDescribed(
            what="step",
            experiment=self._run.experiment,
            text=f"{settings.get('script') or ''} {text}".strip(),
            compute=str(settings["compute_target"]),
        )

    def _record(self, resolved: ResolvedStep, run_id: str, key: StepKey) -> RunRecord:
        step, properties = resolved.step, self._properties(resolved, key)
        if step.kind == "automl":
            from nbautoml.automl.submit import Place  # loads what trains
            from nbautoml.pipelines.training import automl_record

            place = Place(
                run_id=run_id,
                asked_at=time.time(),
                parent_id=self._run.id,
                number=step.number,
                display_name=step.name,
                properties=properties,
            )
            return automl_record(self._session, resolved, self._run.experiment, place)
        settings: dict[str, Any] = {
            **step.settings,
            "step": {
                "inputs": resolved.inputs,
                "outputs": [asdict(output) for output in step.outputs],
                "arguments": resolved.arguments,
                "params": resolved.params,
            },
        }
        return RunRecord(
            id=run_id,
            experiment=self._run.experiment,
            type=STEP_RUN,
            status=RunStatus.NOT_STARTED,
            created_at=time.time(),
            parent_id=self._run.id,
            number=step.number,
            display_name=step.name,
            settings=json_safe(settings),
            properties=properties | {SNAPSHOT: step.settings["snapshot"]},
        )

    def _properties(self, resolved: ResolvedStep, key: StepKey) -> dict[str, str]:
        return {
            STEP_NAME: resolved.step.name,
            STEP_TYPE: resolved.step.step_kind,
            PIPELINE_RUN_ID: self._run.id,
            KEY: key.text,
        }


def known_result(tx: Reader | Writer, key: str) -> str | None:
    """Return the run that made the result of a key, None where there is none."""
    run_id = tx.step_results.get(key)
    if run_id is None or not tx.runs.exists(run_id):
        return None
    return run_id if tx.runs.get(run_id).status is RunStatus.COMPLETED else None


def note_result(tx: Writer, record: RunRecord) -> None:
    """Write down that a step's run has made the result of its key, with all its outputs.

    What somebody has cut short, or given more time, is not what its settings would make.
    """
    asked = {request.kind for request in tx.requests.read(record.id)}
    if not asked & {RequestKind.FINISH_NOW, RequestKind.ADD_MINUTES}:
        tx.step_results.put(record.properties[KEY], record.id)


def _same_at_work(tx: Reader | Writer, key: str, *, besides: str) -> str:
    """Return a run that does the same, or has just done it; empty where there is none."""
    noted = known_result(tx, key)
    if noted is not None and noted != besides:
        return noted
    found = tx.runs.list(
        include_children=True, statuses=[*sorted(LIVE), RunStatus.COMPLETED], properties={KEY: key}
    )
    oldest = time.time() - NOTE_SECONDS
    for run in found:
        is_new = run.id != besides and run.ended_at is not None and run.ended_at > oldest
        if not run.status.is_terminal or (noted is None and is_new):
            return run.id
    return ""
