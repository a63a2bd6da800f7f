"""What the engine needs from outside, as Protocols: it knows nothing else of the platform.

The engine hands `TrialTask` objects to an `Executor`, tells an `EventSink` what happened,
keeps arrays and models through an `ArtifactSink`, and asks a `RunControl` whether somebody
wants it to stop. Dask, the store and the notebook live behind these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol  # Any: payloads are picklable values of the entry's own

from nbautoml.domain.events import Event
from nbautoml.domain.status import RequestKind, TrialOutcome

Emit = Callable[[Any], None]
"""Given to a task's entry: sends a small, picklable message to whoever polls the executor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialTask:
    """A piece of work for one slot.

    Parameters
    ----------
    key : str
        Unique among the tasks of an executor.
    entry : str
        ``"package.module:function"``; it is called as ``function(payload, emit)`` in a
        child process and returns a picklable value.
    payload : object
        Small and picklable; data travels by path.
    time_limit_seconds : float or None
        The task is killed when it runs longer.
    memory_limit_bytes : int or None
        The task is killed when its process tree holds more.
    priority : int
        Smaller is earlier.
    reads : Path or None
        Folder of the payload's whose files the entry reads. A worker that does not see it gets a
        copy; so its files must not change any more.
    writes : Path or None
        Folder of the payload's in which the entry leaves files; they are there, also from such a
        worker, when the task is reported. It has an effect only beside `reads`.
    n_gpus : int
        How many graphics cards it needs for itself; it runs only where they are.
    """

    key: str
    entry: str
    payload: Any
    time_limit_seconds: float | None = None
    memory_limit_bytes: int | None = None
    priority: int = 0
    reads: Path | None = None
    writes: Path | None = None
    n_gpus: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMessage:
    """What a running task sent through `Emit`."""

    key: str
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReport:
    """How a task ended; `value` is what its entry returned, when it completed.

    ``error`` is one sentence, ``traceback`` the full text where there is one. ``worker`` is where
    it ran last, empty where that is not known; ``output`` is the end of what it printed.
    """

    key: str
    outcome: TrialOutcome
    seconds: float
    value: Any = None
    error: str = ""
    traceback: str = ""
    peak_memory_bytes: int = 0
    attempts: int = 1
    worker: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerState:
    """Workers of an executor at a moment.

    ``free_bytes`` is the memory that a task may still take on the machine that has least; None
    where nobody knows.
    """

    n_workers: int
    n_busy: int
    memory_bytes: int
    free_bytes: int | None = None


class Executor(Protocol):
    """Runs tasks in slots; all methods are called from one thread."""

    @property
    def n_slots(self) -> int:
        """How many tasks can run at once."""

    @property
    def threads_per_slot(self) -> int:
        """How many threads a task may use."""

    def submit(self, task: TrialTask) -> None:
        """Queue a task; returns at once."""

    def poll(self, timeout_seconds: float) -> Sequence[TaskMessage | TaskReport]:
        """Return what has come in, waiting up to the time-out for the first of it.

        Messages of a task come before its report; each submitted task gets one report.
        """

    def cancel(self, key: str) -> None:
        """Kill a task, or take it off the queue; it is reported as ``CANCELED``."""

    def workers(self) -> WorkerState:
        """Return how many workers there are, and how busy they are."""

    def close(self) -> None:
        """Kill what runs, and give back all processes and memory."""


class EventSink(Protocol):
    """Where the engine's events go."""

    def emit(self, event: Event) -> None:
        """Append an event; one that ends something is durable when this returns."""

    def emit_all(self, events: Sequence[Event]) -> None:
        """Append events at once, at the price of one; all are durable when this returns."""


class ArtifactSink(Protocol):
    """Where a run's files go; `number` is a trial's number, or None for the run itself."""

    def put_file(self, number: int | None, name: str, path: Path) -> None:
        """Store a file under `name`; it is durable when this returns."""

    def put_bytes(self, number: int | None, name: str, data: bytes) -> None:
        """Store bytes under `name`; they are durable when this returns."""

    def put_all(self, number: int | None, files: Mapping[str, Path | bytes]) -> None:
        """Store files or bytes by name; all are durable when this returns."""

    def local_path(self, number: int | None, name: str) -> Path:
        """Return a readable local path of a stored file.

        Raises
        ------
        NotFoundError
            When nothing of that name is stored.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asks of the run; ``minutes`` belongs to ``ADD_MINUTES``."""

    kind: RequestKind
    minutes: float = 0.0


class RunControl(Protocol):
    """What people ask of a run while it goes on."""

    def poll(self) -> Sequence[Request]:
        """Return the requests that came in since the last call; never waits."""
