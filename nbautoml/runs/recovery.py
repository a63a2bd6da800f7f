"""What happens to runs whose process was lost: they go on, or they are marked as failed."""

from __future__ import annotations

import logging
import time

from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import TERMINAL, RunStatus
from nbautoml.errors import StoreError
from nbautoml.runs.continuation import RESTARTS
from nbautoml.runs.controller import launch
from nbautoml.runs.ending import end_without_owner
from nbautoml.runs.types import INTERACTIVE
from nbautoml.store.reaper import find_orphans, is_orphan
from nbautoml.store.session import Session, Writer

logger = logging.getLogger(__name__)

MAX_RESTARTS = 3
"""A run whose process was lost this often without a trial in between is not started again: it is
what kills the process."""

CLAIM_SECONDS = 20.0
"""A process that was started again has this long to take the run before another one is started:
several times what it takes on a busy machine."""

LOOK_SECONDS = 2.0
"""How often somebody who waits for a run looks whether its process is there."""

RESTARTED_AT = "restarted_at"
"""Property: when a run was started again last, in seconds since the epoch."""
RESTARTED_AFTER = "restarted_after"
"""Property: how many trials had ended then."""

_LEFT = (
    "The process that logged this run ended before run.complete(). What it logged until then is "
    "kept."
)


def recover_runs(session: Session) -> list[str]:
    """Start lost runs again, or mark them failed; return the ids of those started again.

    A run is lost when its state is live and its process is dead. Finished trials are read back
    from the log by the run's work, never run again. A run that was logged by hand has failed. A
    store that cannot be written is left alone.

    Parameters
    ----------
    session : Session
        The open store. Any number of processes may call this as often as they like: a run is
        started by the one that counts the restart.
    """
    started: list[str] = []
    if session.engine.is_read_only:
        return started
    try:
        for run in find_orphans(session, now=time.time()):
            if _recover(session, run):
                started.append(run.id)
    except (StoreError, OSError) as error:
        logger.warning("lost runs could not be started again: %s", error)
    return started


class Rescue:
    """Recovers lost runs while somebody waits for one, now and then.

    Parameters
    ----------
    session : Session
        The open store.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._due_at = time.monotonic() + LOOK_SECONDS

    def look(self) -> None:
        """Call `recover_runs` if that was not done a moment ago."""
        if time.monotonic() >= self._due_at:
            self._due_at = time.monotonic() + LOOK_SECONDS
            recover_runs(self._session)


def _recover(session: Session, run: RunRecord) -> bool:
    if run.type == INTERACTIVE:
        end_without_owner(session, run.id, RunStatus.FAILED, _LEFT)
        return False
    with session.write() as tx:
        count = _count_restart(tx, run)
    if count is None:
        return False
    if count > MAX_RESTARTS:
        _give_up(session, run)
        return False
    logger.info("run %s lost its process; it is started again", run.id)
    launch(session, run.id)
    return True


def _count_restart(tx: Writer, seen: RunRecord) -> int | None:
    """Return how often the run is started again in a row, this time included.

    None means that another process is doing it, or has done it a moment ago.
    """
    run, now = tx.runs.get(seen.id), time.time()
    if run.status.is_terminal or not is_orphan(run, now=now):
        return None
    if abs(now - float(run.properties.get(RESTARTED_AT, "0"))) < CLAIM_SECONDS:
        return None
    n_ended = len(tx.runs.list(parent_id=run.id, statuses=sorted(TERMINAL)))
    count = int(run.properties.get(RESTARTS, "0"))
    if n_ended > int(run.properties.get(RESTARTED_AFTER, str(n_ended))):
        count = 0  # it got somewhere since
    restart = {
        RESTARTS: str(count + 1),
        RESTARTED_AT: repr(now),
        RESTARTED_AFTER: str(n_ended),
    }
    if count < MAX_RESTARTS:
        tx.runs.set_properties(run.id, restart)
    return count + 1


def _give_up(session: Session, run: RunRecord) -> None:
    reason = (
        f"Its process ended unexpectedly {MAX_RESTARTS + 1} times. Finished models are kept; "
        "the last lines of its log say more (run.download_file)."
    )
    end_without_owner(session, run.id, RunStatus.FAILED, reason)
