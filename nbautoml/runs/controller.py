"""A run's own process: claims the run, keeps its heartbeat, does its work, records the end.

It is started detached, so that it outlives the kernel that submitted the run; see `launch`.
"""

from __future__ import annotations

import contextlib
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
from nbautoml.errors import DiskFullError, NbAutoMLError, StoreError
from nbautoml.registry.mlflow.process import start_mirror
from nbautoml.runs.ballast import Ballast
from nbautoml.runs.child_process import RUN_VARIABLE, environment, own_address
from nbautoml.runs.continuation import open_requests
from nbautoml.runs.ending import close_rows
from nbautoml.runs.types import WORKS
from nbautoml.runs.work import Ending, StoredArtifacts, WorkContext
from nbautoml.store.detached import start_detached
from nbautoml.store.events import EventWriter
from nbautoml.store.file_systems import is_disk_full
from nbautoml.store.patience import RUN_PATIENCE_SECONDS, patiently
from nbautoml.store.reaper import is_orphan, this_process
from nbautoml.store.session import Session, open_session

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 2.0
END_SECONDS = 60.0
"""How long a controller tries to write down the end of its run on a full disk."""
_PAUSE_SECONDS = 1.0
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
    session = patiently(lambda: open_session(own_address()))
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
    events = EventWriter(session, run_id, patience_seconds=RUN_PATIENCE_SECONDS)
    try:
        with Ballast(run_folder(session, run_id)) as ballast:
            ending = _work(session, run, events, is_resumed=run.status is not RunStatus.NOT_STARTED)
            _finish(session, run, events, ending, ballast)
        if ending.after is not None:
            ending.after()
    finally:
        stop.set()
        beat.join()
        events.close()
    return 0


def _work(session: Session, run: RunRecord, events: EventWriter, *, is_resumed: bool) -> Ending:
    """Do the run's work; whatever happens in it, the run ends."""
    try:
        return _do_work(session, run, events, is_resumed=is_resumed)
    except DiskFullError as error:
        return _ended_by_full_disk(error)
    except NbAutoMLError as error:
        logger.info("the run failed: %s", error)
        return Ending(status=RunStatus.FAILED, reason=str(error))
    except Exception as error:  # noqa: BLE001 - the border
        if isinstance(error, OSError) and is_disk_full(error):
            return _ended_by_full_disk(error)
        logger.exception("the run's work broke")
        with contextlib.suppress(StoreError):  # the end itself is tried for longer
            events.emit(LogWritten(level="ERROR", message=traceback.format_exc()))
        return Ending(status=RunStatus.FAILED, reason=f"{type(error).__name__}: {error}")


def _do_work(session: Session, run: RunRecord, events: EventWriter, *, is_resumed: bool) -> Ending:
    scratch = run_folder(session, run.id) / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    context = WorkContext(
        session=session,
        run=run,
        events=events,
        control=patiently(lambda: open_requests(session, run)),
        artifacts=StoredArtifacts(session, run.id),
        scratch=scratch,
        is_resumed=is_resumed,
    )
    reason = "Going on after its process was lost." if is_resumed else ""
    set_status(context, RunStatus.STARTING, reason)
    return WORKS.get(run.type)(context).run()


def _ended_by_full_disk(error: Exception) -> Ending:
    logger.error("there is no space left: %s", error)
    reason = (
        "There is no space left on the disk of the workspace. Finished models are kept; free some "
        f"space, then continue the run. ({error})"
    )
    return Ending(status=RunStatus.FAILED, reason=reason)


def set_status(context: WorkContext, status: RunStatus, reason: str = "") -> None:
    """Move a run to a state that is not its last."""
    now = context.now()
    context.emit(
        StatusChanged(status=status, reason=reason),
        lambda tx: tx.runs.set_status(context.run.id, status, reason=reason, time=now),
    )


def _finish(
    session: Session, run: RunRecord, events: EventWriter, ending: Ending, ballast: Ballast
) -> None:
    """Record how a run ended. Its log is worth less than that: a full disk may cost it."""
    folder = run_folder(session, run.id)
    # The name is free for a continuation from the moment at which the end can be seen.
    used = folder / f"scratch-{os.getpid()}"
    with contextlib.suppress(OSError):
        (folder / "scratch").rename(used)
    try:
        _keep_log(session, run.id)
    except (StoreError, OSError) as error:
        logger.warning("the log was not kept: %s", error)
    until = time.monotonic() + END_SECONDS
    while not _tell_end(run.id, events, ending):
        ballast.drop()
        shutil.rmtree(used, ignore_errors=True)
        if time.monotonic() > until:
            raise DiskFullError(f"The end of run {run.id} could not be written: the disk is full.")
        time.sleep(_PAUSE_SECONDS)
    shutil.rmtree(used, ignore_errors=True)


def _keep_log(session: Session, run_id: str) -> None:
    log = run_folder(session, run_id) / "controller.log"
    if log.is_file() and log.stat().st_size:
        content = log.read_bytes()
        patiently(lambda: session.save_artifact(run_id, LOG_ARTIFACT, content))


def _tell_end(run_id: str, events: EventWriter, ending: Ending) -> bool:
    """Write the run's last event and close its rows; return False where the disk is full."""
    now = time.time()
    try:
        events.emit(
            StatusChanged(status=ending.status, reason=ending.reason),
            lambda tx: close_rows(tx, run_id, ending.status, ending.reason, now),
        )
    except DiskFullError:
        return False
    return True


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
