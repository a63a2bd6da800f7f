"""What happens to runs whose process was lost: they go on, or they are marked as failed."""

from __future__ import annotations

import logging
import time

from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.runs.continuation import RESTARTS
from nbautoml.runs.controller import launch
from nbautoml.runs.ending import end_without_owner
from nbautoml.runs.types import INTERACTIVE
from nbautoml.store.reaper import find_orphans
from nbautoml.store.session import Session

logger = logging.getLogger(__name__)

MAX_RESTARTS = 3
"""A run whose process was lost this often is not started again: it is what kills the process."""

_LEFT = (
    "The process that logged this run ended before run.complete(). What it logged until then is "
    "kept."
)


def recover_runs(session: Session) -> list[str]:
    """Start lost runs again, or mark them failed; return the ids of those started again.

    A run is lost when its state is live and its process is dead. Finished trials are read back
    from the log by the run's work, never run again. A run that was logged by hand has failed.

    Parameters
    ----------
    session : Session
        The open store. Several processes may call this at once: a run's second controller
        finds it claimed and gives up.
    """
    started = []
    for run in find_orphans(session, now=time.time()):
        if run.type == INTERACTIVE:
            end_without_owner(session, run.id, RunStatus.FAILED, _LEFT)
            continue
        if int(run.properties.get(RESTARTS, "0")) >= MAX_RESTARTS:
            _give_up(session, run)
            continue
        _count_restart(session, run)
        logger.info("run %s lost its process; it is started again", run.id)
        launch(session, run.id)
        started.append(run.id)
    return started


def _count_restart(session: Session, run: RunRecord) -> None:
    count = int(run.properties.get(RESTARTS, "0")) + 1
    with session.write() as tx:
        tx.runs.set_properties(run.id, {RESTARTS: str(count)})


def _give_up(session: Session, run: RunRecord) -> None:
    reason = (
        f"Its process ended unexpectedly {MAX_RESTARTS + 1} times. Finished models are kept; "
        "the last lines of its log say more (run.download_file)."
    )
    end_without_owner(session, run.id, RunStatus.FAILED, reason)
