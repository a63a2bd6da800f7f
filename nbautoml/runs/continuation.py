"""Going on with a run that has ended: same id, same log, and what it found so far."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from nbautoml.domain.events import DeadlineChanged, EventRecord, StatusChanged
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import ConflictError
from nbautoml.runs.work import StoredRequests
from nbautoml.store.session import Session

CONTINUED = "continued"
"""Property that holds how far a run was continued last, as JSON."""
RESTARTS = "restarts"
"""Property that counts how often a run was started again after its process was lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """What a run that goes on may use, besides what it used before.

    Parameters
    ----------
    asked_at : float
        When it was asked for, in seconds since the epoch; its time counts from here.
    after_request : int
        Number of the last request that was for the run before.
    minutes : float or None
        Its time; None is no limit.
    iterations : int or None
        Models to train; None is no limit.
    exit_score : float or None
        It ends when the primary metric has reached this.
    """

    asked_at: float
    after_request: int
    minutes: float | None = None
    iterations: int | None = None
    exit_score: float | None = None


def reopen(
    session: Session,
    run_id: str,
    *,
    minutes: float | None,
    iterations: int | None,
    exit_score: float | None,
) -> int:
    """Let a run that has ended wait for a controller again; return its last event's number.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The run.
    minutes, iterations, exit_score
        See `Continuation`.

    Raises
    ------
    ConflictError
        When the run has not ended.
    """
    now = time.time()
    reason = "Going on from what it found so far."
    with session.write() as tx:
        status = tx.runs.get(run_id).status
        if not status.is_terminal:
            raise ConflictError(
                f"Run {run_id} is {status.value}; only a run that has ended can be continued. "
                "Wait for it, or give it more time with run.add_minutes()."
            )
        requests = tx.requests.read(run_id)
        continuation = Continuation(
            asked_at=now,
            after_request=requests[-1].seq if requests else 0,
            minutes=minutes,
            iterations=iterations,
            exit_score=exit_score,
        )
        tx.runs.reopen(run_id, reason=reason)
        tx.runs.set_properties(run_id, {CONTINUED: json.dumps(asdict(continuation)), RESTARTS: "0"})
        tx.events.append(run_id, [StatusChanged(status=RunStatus.NOT_STARTED, reason=reason)], now)
        return tx.events.last_seq(run_id) - 1


def continuation_of(run: RunRecord) -> Continuation | None:
    """Return how the run was continued last, None when it never was."""
    text = run.properties.get(CONTINUED)
    return Continuation(**json.loads(text)) if text else None


def open_requests(session: Session, run: RunRecord) -> StoredRequests:
    """Return the requests that are for this controller of a run.

    Those from before a continuation are not. Of a controller that was lost its successor obeys
    all, but for added minutes that moved the deadline: the log says how many did.
    """
    continuation = continuation_of(run)
    with session.read() as tx:
        records = tx.events.read(run.id)
    moves = [
        r.event
        for r in since_continued(records)
        if isinstance(r.event, DeadlineChanged) and not r.event.is_clock_set
    ]
    after = continuation.after_request if continuation else 0
    return StoredRequests(session, run.id, after, n_added=len(moves))


def since_continued(records: Sequence[EventRecord]) -> Sequence[EventRecord]:
    """Return the events since a run was continued last; all when it never was."""
    starts = [
        place
        for place, record in enumerate(records)
        if isinstance(record.event, StatusChanged) and record.event.status is RunStatus.NOT_STARTED
    ]
    return records[starts[-1] :] if starts else records
