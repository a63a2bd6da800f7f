"""What a controller hands to the work of a run, and what it asks of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from nbautoml.domain.events import Event
from nbautoml.domain.ids import child_run_id
from nbautoml.domain.ports import Request
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RequestKind, RunStatus
from nbautoml.store.events import EventWriter
from nbautoml.store.session import Session, Writer

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
        """Return the requests that came in since the last call; never waits."""
        with self._session.read() as tx:
            records = tx.requests.read(self._run_id, after=self._after)
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
    """`ArtifactSink` over the artifacts of a run and of its children."""

    def __init__(self, session: Session, run_id: str) -> None:
        self._session = session
        self._run_id = run_id

    def owner(self, number: int | None) -> str:
        """Return the run id that owns files of trial `number` (None: the run itself)."""
        return self._run_id if number is None else child_run_id(self._run_id, number)

    def put_file(self, number: int | None, name: str, path: Path) -> None:
        """Store a file; it is durable when this returns."""
        self._session.save_artifact(self.owner(number), name, path)

    def put_bytes(self, number: int | None, name: str, data: bytes) -> None:
        """Store bytes; they are durable when this returns."""
        self._session.save_artifact(self.owner(number), name, data)

    def put_all(self, number: int | None, files: Mapping[str, Path | bytes]) -> None:
        """Store files or bytes by name; all are durable when this returns."""
        self._session.save_artifacts(self.owner(number), files)

    def local_path(self, number: int | None, name: str) -> Path:
        """Return a readable local path of a stored file."""
        return self._session.load_artifact(self.owner(number), name)


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
    """

    session: Session
    run: RunRecord
    events: EventWriter
    control: StoredRequests
    artifacts: StoredArtifacts
    scratch: Path
    is_resumed: bool = False

    def emit(self, event: Event, project: Project | None = None) -> None:
        """Append an event, with the rows that belong to it."""
        self.events.emit(event, project)

    def now(self) -> float:
        """Return the time, in seconds since the epoch."""
        return time.time()


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
