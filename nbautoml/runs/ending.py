"""How a run's rows are closed when it ends, by its controller or for want of one."""

from __future__ import annotations

import time

from nbautoml.domain.events import StatusChanged
from nbautoml.domain.status import TERMINAL, RunStatus
from nbautoml.runs.types import INTERACTIVE
from nbautoml.store.session import Session, Writer

LIVE = frozenset(RunStatus) - TERMINAL


def close_rows(tx: Writer, run_id: str, status: RunStatus, reason: str, now: float) -> None:
    """Set a run's last state, and end children that nobody will finish, and theirs."""
    for child in tx.runs.list(parent_id=run_id, statuses=sorted(LIVE)):
        close_rows(tx, child.id, RunStatus.CANCELED, "Its run ended before it.", now)
    tx.runs.set_status(run_id, status, reason=reason, time=now)


def end_without_owner(session: Session, run_id: str, status: RunStatus, reason: str) -> bool:
    """End a run that has no controller; return False when it had ended before."""
    now = time.time()
    with session.write() as tx:
        if tx.runs.get(run_id).status.is_terminal:
            return False
        tx.events.append(run_id, [StatusChanged(status=status, reason=reason)], now)
        close_rows(tx, run_id, status, reason, now)
    return True


def cancel_by_hand(session: Session, run_id: str) -> None:
    """Cancel a run that is logged by hand at once: nobody reads its requests."""
    with session.read() as tx:
        is_by_hand = tx.runs.get(run_id).type == INTERACTIVE
    if is_by_hand:
        end_without_owner(session, run_id, RunStatus.CANCELED, "Canceled on request.")


def cancel_unowned(session: Session, run_id: str) -> None:
    """Cancel a run for which no controller reads requests: none has claimed it, or it has none."""
    cancel_by_hand(session, run_id)
    with session.read() as tx:
        run = tx.runs.get(run_id)
    if run.owner is None and not run.status.is_terminal:
        end_without_owner(session, run_id, RunStatus.CANCELED, "Canceled before it began.")
