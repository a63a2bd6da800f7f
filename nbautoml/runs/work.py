"""What a controller hands to the work of a run, and what it asks of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from nbautoml.domain.clock import SteadyClock
from nbautoml.domain.events import Event
from nbautoml.domain.ids import child_run_id
from nbautoml.domain.ports import Request
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RequestKind, RunStatus
from nbautoml.errors import StoreUnavailableError
from nbautoml.store.events import EventWriter
from nbautoml.store.patience import patiently
from nbautoml.store.session import Session, Writer

logger = logging.getLogger(__name__)

Project = Callable[[Writer], None]
"""Writes rows that belong to an event, in the event's own transaction."""


class StoredRequests:
    """`RunControl` over the requests that anyone appended to the store.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The run that is asked.
    after : int, default 0
        Requests up to this number were obeyed before.
    n_added : int, default 0
        So many of the requests for more minutes after that were obeyed too.
    """

    def __init__(self, session: Session, run_id: str, after: int = 0, *, n_added: int = 0) -> None:
        self._session = session
        self._run_id = run_id
        self._after = after
        self._n_added = n_added

    def poll(self) -> Sequence[Request]:
        """Return the requests that came in since the last call; none while nobody can be asked."""
        try:
            with self._session.read() as tx:
                records = tx.requests.read(self._run_id, after=self._after)
        except StoreUnavailableError as error:
            logger.warning("requests cannot be read now: %s", error)
            return []
        if records:
            self._after = records[-1].seq
        return [
            Request(kind=r.kind, minutes=float(r.payload.get("minutes", 0.0)))
            for r in records
            if not self._was_obeyed(r.kind)
        ]

    def _was_obeyed(self, kind: RequestKind) -> bool:
        if kind is not RequestKind.ADD_MINUTES or not self._n_added:
            return False
        self._n_added -= 1
        return True


class StoredArtifacts:
    """`ArtifactSink` over the artifacts of a run and of its children.

    It waits for a store that is away: storing the same file twice is storing it once.
    """

    def __init__(self, session: Session, run_id: str) -> None:
        self._session = session
        self._run_id = run_id

    def owner(self, number: int | None) -> str:
        """Return the run id that owns files of trial `number` (None: the run itself)."""
        return self._run_id if number is None else child_run_id(self._run_id, number)

    def put_file(self, number: int | None, name: str, path: Path) -> None:
        """Store a file; it is durable when this returns."""
        self.put_all(number, {name: path})

    def put_bytes(self, number: int | None, name: str, data: bytes) -> None:
        """Store bytes; they are durable when this returns."""
        self.put_all(number, {name: data})

    def put_all(self, number: int | None, files: Mapping[str, Path | bytes]) -> None:
        """Store files or bytes by name; all are durable when this returns."""
        patiently(lambda: self._session.save_artifacts(self.owner(number), files))

    def local_path(self, number: int | None, name: str) -> Path:
        """Return a readable local path of a stored file."""
        return patiently(lambda: self._session.load_artifact(self.owner(number), name))


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkContext:
    """All that a run's work may touch.

    Parameters
    ----------
    session : Session
        The open store.
    run : RunRecord
        The run as it was submitted.
    events : EventWriter
        The run's event log.
    control : StoredRequests
        What people ask of the run.
    artifacts : StoredArtifacts
        The run's files.
    scratch : pathlib.Path
        A folder of the run's own, kept while it may be resumed.
    is_resumed : bool
        Whether an earlier controller was lost.
    clock : SteadyClock
        The run's time, which no change of the system's clock moves.
    """

    session: Session
    run: RunRecord
    events: EventWriter
    control: StoredRequests
    artifacts: StoredArtifacts
    scratch: Path
    is_resumed: bool = False
    clock: SteadyClock = field(default_factory=SteadyClock)

    def emit(self, event: Event, project: Project | None = None, *, may_wait: bool = False) -> None:
        """Append an event, with the rows that belong to it."""
        self.events.emit(event, project, may_wait=may_wait)

    def now(self) -> float:
        """Return the run's time, in seconds since the epoch."""
        return self.clock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How the work ended.

    Parameters
    ----------
    status : RunStatus
        The run's last state.
    reason : str
        One sentence for people.
    after : callable or None
        What is still to be done once the end is recorded, such as giving processes back: a run
        that is over for its user does not wait for it.
    """

    status: RunStatus
    reason: str = ""
    after: Callable[[], None] | None = None


class Work(Protocol):
    """The work of one type of run; made and called in the run's controller process."""

    def __init__(self, context: WorkContext) -> None: ...

    def run(self) -> Ending:
        """Do it all; an `NbAutoMLError` that leaves here ends the run as failed."""
