"""A run's own process: claims the run, keeps its heartbeat, does its work, records the end.

It is started detached, so that it outlives the kernel that submitted the run; see `launch`.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import threading
import time
import traceback
from dataclasses import replace
from pathlib import Path

from nbautoml.domain.events import LogWritten, StatusChanged
from nbautoml.domain.records import Owner, RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import NbAutoMLError
from nbautoml.registry.mlflow.process import start_mirror
from nbautoml.runs.child_process import RUN_VARIABLE, environment, own_address
from nbautoml.runs.continuation import open_requests
from nbautoml.runs.ending import close_rows
from nbautoml.runs.types import WORKS
from nbautoml.runs.work import Ending, StoredArtifacts, WorkContext
from nbautoml.store.detached import start_detached
from nbautoml.store.events import EventWriter
from nbautoml.store.reaper import is_orphan, this_process
from nbautoml.store.session import Session, open_session

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 2.0
LOG_ARTIFACT = "logs/nbautoml/controller.log"


def run_folder(session: Session, run_id: str) -> Path:
    """Return the folder for a run's log and scratch files."""
    return session.state_dir / "runs" / run_id


def launch(session: Session, run_id: str) -> None:
    """Start the controller of a run in a session of its own; returns at once.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        A run that no living controller owns. A controller that comes second gives up.
    """
    folder = run_folder(session, run_id)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "controller.log").open("ab") as log:
        env = environment(session, run_id)
        start_detached("nbautoml.runs.controller", env=env, folder=session.root, log=log)
    start_mirror(session)


def main() -> int:
    """Run the controller of the run that the environment names; return the exit code."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    session = open_session(own_address())
    try:
        return control(session, os.environ[RUN_VARIABLE])
    finally:
        session.close()


def control(session: Session, run_id: str) -> int:
    """Claim a run, do its work and record how it ended; return 0 when the run was ours."""
    owner = this_process()
    with session.read() as tx:
        run = tx.runs.get(run_id)
    is_free = run.owner is None or is_orphan(run, now=time.time())
    if run.status.is_terminal or not is_free or not _claim(session, run, owner):
        logger.warning("run %s has an owner or has ended; nothing to do", run_id)
        return 1
    run = replace(run, owner=owner)
    stop = threading.Event()
    beat = threading.Thread(
        target=_beat, args=(session, run_id, owner, stop), name="heartbeat", daemon=True
    )
    beat.start()
    events = EventWriter(session, run_id)
    try:
        ending = _work(session, run, events, is_resumed=run.status is not RunStatus.NOT_STARTED)
        _finish(session, run, events, ending)
        if ending.after is not None:
            ending.after()
    finally:
        events.close()
        stop.set()
        beat.join()
    return 0


def _work(session: Session, run: RunRecord, events: EventWriter, *, is_resumed: bool) -> Ending:
    scratch = run_folder(session, run.id) / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    context = WorkContext(
        session=session,
        run=run,
        events=events,
        control=open_requests(session, run),
        artifacts=StoredArtifacts(session, run.id),
        scratch=scratch,
        is_resumed=is_resumed,
    )
    reason = "Going on after its process was lost." if is_resumed else ""
    set_status(context, RunStatus.STARTING, reason)
    try:
        return WORKS.get(run.type)(context).run()
    except NbAutoMLError as error:
        logger.info("the run failed: %s", error)
        return Ending(status=RunStatus.FAILED, reason=str(error))
    except Exception as error:  # noqa: BLE001 - border: whatever happens, the run must end
        logger.exception("the run's work broke")
        context.emit(LogWritten(level="ERROR", message=traceback.format_exc()))
        return Ending(status=RunStatus.FAILED, reason=f"{type(error).__name__}: {error}")


def set_status(context: WorkContext, status: RunStatus, reason: str = "") -> None:
    """Move a run to a state that is not its last."""
    now = context.now()
    context.emit(
        StatusChanged(status=status, reason=reason),
        lambda tx: tx.runs.set_status(context.run.id, status, reason=reason, time=now),
    )


def _finish(session: Session, run: RunRecord, events: EventWriter, ending: Ending) -> None:
    folder = run_folder(session, run.id)
    log = folder / "controller.log"
    if log.is_file() and log.stat().st_size:
        session.save_artifact(run.id, LOG_ARTIFACT, log.read_bytes())
    now = time.time()
    # The name is free for a continuation from the moment at which the end can be seen.
    used = folder / f"scratch-{os.getpid()}"
    (folder / "scratch").rename(used)
    events.emit(
        StatusChanged(status=ending.status, reason=ending.reason),
        lambda tx: close_rows(tx, run.id, ending.status, ending.reason, now),
    )
    shutil.rmtree(used, ignore_errors=True)


def _claim(session: Session, run: RunRecord, owner: Owner) -> bool:
    with session.write() as tx:
        return tx.runs.claim(run.id, owner, expected=run.owner)


def _beat(session: Session, run_id: str, owner: Owner, stop: threading.Event) -> None:
    while not stop.wait(HEARTBEAT_SECONDS):
        try:
            with session.write() as tx:
                tx.runs.beat(run_id, owner, time.time())
        except (NbAutoMLError, OSError) as error:
            logger.warning("no heartbeat was written: %s", error)


if __name__ == "__main__":
    sys.exit(main())
