"""The scheduler of a workspace: a process that submits what is due, each moment once.

A moment is taken in a transaction, which also notes that a run is to come, and who starts it. A
scheduler that dies between that and the run leaves the note; the next one takes it over, looks
whether the run is there, and else starts it. Of the moments that passed while no scheduler was
there, only the last counts.
"""

from __future__ import annotations

import logging
import math
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any  # Any: JSON values

from nbautoml.data.datastore import Datastore
from nbautoml.domain.records import ScheduleRecord
from nbautoml.domain.status import PublishedStatus
from nbautoml.errors import NbAutoMLError, StoreError
from nbautoml.pipelines import watched_path
from nbautoml.pipelines.endpoint import start_endpoint
from nbautoml.pipelines.schedule_settings import ScheduleSettings
from nbautoml.pipelines.scheduler_process import SCHEDULER
from nbautoml.pipelines.submission import SCHEDULE, SCHEDULE_ID, Start, start_published
from nbautoml.runs.child_process import own_address
from nbautoml.runs.recovery import Rescue
from nbautoml.runs.service_process import Claim
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.patience import patiently
from nbautoml.store.session import Session, open_session

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""A schedule that is new or was changed is seen after so long; a moment is kept more exactly."""
_LEAST_SECONDS = 0.02
NOTE_SECONDS = 30.0
"""A note of another scheduler is taken over when it is older; starting a run takes a second."""
ASTRAY_SECONDS = 3600.0
"""A moment this far behind the one that is next comes from a clock that was wrong."""
DUE_AT = "nbautoml.due_at"
"""Property of a run: the moment of its schedule that it is for, in seconds since the epoch."""
_PENDING, _FILES, _ERROR = "pending", "files", "error"


class Scheduler:
    """Submits what is due.

    Parameters
    ----------
    session : Session
        The open store.
    clock : callable
        Returns the seconds since the epoch.
    """

    def __init__(self, session: Session, *, clock: Callable[[], float] = time.time) -> None:
        self._session = session
        self._clock = clock
        self._id = str(uuid.uuid4())
        self._looked_at = math.inf

    def look(self) -> float | None:
        """Submit what is due now; return the next moment, None when no schedule is enabled."""
        now = self._clock()
        was_set_back, self._looked_at = now < self._looked_at, now
        for record in self._active():
            try:
                if was_set_back:  # or this is the first look
                    self._bring_back(record, now)
                self._tend(record)
            except (StoreError, OSError) as error:  # it is tried again at the next look
                logger.warning("schedule %s waits for the store: %s", record.id, error)
            except NbAutoMLError as error:  # others are to go on
                self._tell(record, str(error))
        active, now = self._active(), self._clock()
        coming = [one.next_at for one in active if one.next_at is not None and one.next_at > now]
        return min(coming, default=now + LOOK_SECONDS) if active else None

    def _active(self) -> list[ScheduleRecord]:
        with self._session.read() as tx:
            return tx.schedules.list(status=PublishedStatus.ACTIVE)

    def _tend(self, record: ScheduleRecord) -> None:
        now = self._clock()
        if _PENDING in record.state:
            self._make_up(record, now)
        elif record.next_at is not None and record.next_at <= now:
            moved = self._taken(record, record.next_at, now)
            if moved is not None and _PENDING in moved.state:
                self._submit(moved)

    def _bring_back(self, record: ScheduleRecord, now: float) -> None:
        """Give a schedule its next moment again that a clock set years ahead has moved."""
        next_at = ScheduleSettings.from_json(record.settings).next_after(now)
        if record.next_at is None or record.next_at <= next_at + ASTRAY_SECONDS:
            return
        with self._session.write() as tx:
            tx.schedules.move(record.id, seen=record.next_at, next_at=next_at, state=record.state)

    def _make_up(self, record: ScheduleRecord, now: float) -> None:
        """Do what a note asks for that was left, by another scheduler or by a store that failed."""
        if not self._has_taken_over(record, now):
            return
        run_id = self._find_run(record)
        if run_id is None:
            self._submit(record)
        else:
            self._finish(record, run_id, "")

    def _has_taken_over(self, record: ScheduleRecord, now: float) -> bool:
        """Whether a note is ours, from now on if not before."""
        note = record.state[_PENDING]
        if note["by"] == self._id:
            return True
        if now - note["taken_at"] < NOTE_SECONDS:
            return False
        with self._session.write() as tx:
            known = tx.schedules.get(record.id)
            if known.state.get(_PENDING) != note:
                return False
            ours = {_PENDING: {**note, "by": self._id, "taken_at": now}}
            tx.schedules.update(replace(known, state={**known.state, **ours}))
        return True

    def _taken(self, record: ScheduleRecord, seen: float, now: float) -> ScheduleRecord | None:
        """Take a moment: move the schedule on, with a note of the run that is to come."""
        settings = ScheduleSettings.from_json(record.settings)
        if settings.datastore is not None:
            state = self._watched(record, settings, now)
        else:
            last = settings.recurrence.last_until(now) if settings.recurrence else None
            state = self._note(seen if last is None else max(seen, last), now)
        next_at = settings.next_after(now)
        with self._session.write() as tx:
            is_ours = tx.schedules.move(record.id, seen=seen, next_at=next_at, state=state)
        return replace(record, next_at=next_at, state=state) if is_ours else None

    def _watched(
        self, record: ScheduleRecord, settings: ScheduleSettings, now: float
    ) -> dict[str, Any]:
        """Return what to remember of a datastore, with a note where something has changed."""
        before = watched_path.from_json(record.state.get(_FILES, {}))
        try:
            datastore = Datastore(WorkspaceHandle(self._session), settings.datastore)
            found = watched_path.look(datastore, settings.path_on_datastore)
        except StoreError:
            raise
        except NbAutoMLError as error:
            logger.warning("schedule %s cannot look: %s", record.id, error)
            return {_FILES: watched_path.as_json(before), _ERROR: str(error)}
        state: dict[str, Any] = {_FILES: watched_path.as_json(found)}
        changed = watched_path.newest_change(before, found)
        if changed is None:
            return state
        name = settings.data_path_parameter_name
        path = {"datastore": datastore.name, "path": changed}
        return state | self._note(now, now, {name: path} if name else {})

    def _note(
        self, due_at: float, now: float, parameters: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the note of a run that is to come."""
        facts = {"due_at": due_at, "parameters": dict(parameters or {})}
        return {_PENDING: {**facts, "by": self._id, "taken_at": now}}

    def _submit(self, record: ScheduleRecord) -> None:
        """Start the run that a schedule's note asks for, and write down how that went."""
        try:
            run_id, error = self._start(record), ""
        except StoreError:
            raise
        except NbAutoMLError as found:
            logger.warning("schedule %s (%s) cannot run: %s", record.id, record.name, found)
            run_id, error = None, str(found)
        self._finish(record, run_id, error)

    def _start(self, record: ScheduleRecord) -> str:
        settings = ScheduleSettings.from_json(record.settings)
        pending = record.state[_PENDING]
        start = Start(
            experiment=record.experiment,
            source=SCHEDULE,
            parameters={**settings.parameters, **pending["parameters"]},
            continue_on_step_failure=settings.continue_on_step_failure,
            properties={SCHEDULE_ID: record.id, DUE_AT: repr(pending["due_at"])},
        )
        if record.endpoint_id is not None:
            run = start_endpoint(self._session, record.endpoint_id, start)
        else:
            run = start_published(self._session, record.pipeline_id or "", start)
        logger.info("schedule %s (%s) started run %s", record.id, record.name, run.id)
        return str(run.id)

    def _tell(self, record: ScheduleRecord, error: str) -> None:
        """Write down why a schedule cannot even be read, such as an unknown time zone."""
        if record.state.get(_ERROR) == error:
            return
        logger.warning("schedule %s (%s) cannot be kept: %s", record.id, record.name, error)
        with self._session.write() as tx:
            known = tx.schedules.get(record.id)
            tx.schedules.update(replace(known, state={**known.state, _ERROR: error}))

    def _find_run(self, record: ScheduleRecord) -> str | None:
        """Return the run that a scheduler before this one has started for a note."""
        wanted = {SCHEDULE_ID: record.id, DUE_AT: repr(record.state[_PENDING]["due_at"])}
        with self._session.read() as tx:
            found = tx.runs.list(properties=wanted, limit=1)
        return found[0].id if found else None

    def _finish(self, record: ScheduleRecord, run_id: str | None, error: str) -> None:
        """Take the note off a schedule."""
        with self._session.write() as tx:
            known = tx.schedules.get(record.id)  # somebody may have changed it meanwhile
            state = {key: known.state[key] for key in known.state if key not in (_PENDING, _ERROR)}
            state |= {_ERROR: error} if error else {}
            last = run_id or known.last_run_id
            tx.schedules.update(replace(known, state=state, last_run_id=last))


def serve(session: Session, claim: Claim, *, stop: threading.Event) -> None:
    """Submit what is due until no schedule is enabled, or another process has the place.

    Parameters
    ----------
    session : Session
        The open store.
    claim : Claim
        The place of the scheduler.
    stop : threading.Event
        Ends it.
    """
    scheduler, rescue = Scheduler(session), Rescue(session)
    while claim.is_held and not stop.is_set():
        next_at = patiently(scheduler.look)
        rescue.look()  # nobody else may be there to see that a run was lost
        if next_at is None and _is_over(session, claim):
            return
        wait = LOOK_SECONDS if next_at is None else next_at - time.time()
        stop.wait(min(max(wait, _LEAST_SECONDS), LOOK_SECONDS))


def _is_over(session: Session, claim: Claim) -> bool:
    """Give the place up if nothing is left to do; who enables a schedule later finds it free."""
    with session.write() as tx:
        if tx.schedules.list(status=PublishedStatus.ACTIVE):
            return False
        claim.give_up(tx)
    return True


def main() -> int:
    """Be the scheduler of the workspace that the environment names; return the exit code."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    session = patiently(lambda: open_session(own_address()))
    try:
        with Claim(session, SCHEDULER) as claim:
            serve(session, claim, stop=stop)
    finally:
        session.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
