"""Starting the scheduler of a workspace, where it has something to do."""

from __future__ import annotations

import logging

from nbautoml.domain.status import PublishedStatus
from nbautoml.errors import StoreError
from nbautoml.runs.service_process import start_service
from nbautoml.store.session import Session

logger = logging.getLogger(__name__)

SCHEDULER = "scheduler"
"""Name of the process."""
_MODULE = "nbautoml.pipelines.scheduler"


def start_scheduler(session: Session) -> bool:
    """Start the scheduler if a schedule is enabled and none is at work.

    Parameters
    ----------
    session : Session
        The open store. Any number of processes may call this as often as they like.

    Returns
    -------
    bool
        Whether one was started.
    """
    try:
        with session.read() as tx:
            has_work = bool(tx.schedules.list(status=PublishedStatus.ACTIVE))
        return has_work and start_service(session, SCHEDULER, _MODULE)
    except (StoreError, OSError) as error:  # nobody's notebook is to fail for its sake
        logger.warning("the scheduler was not started: %s", error)
        return False
