"""Ports in memory: run the engine in one process, in tests and in plain scripts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from nbautoml.compute import in_process as compute
from nbautoml.domain.events import Event
from nbautoml.domain.ports import Request, TrialTask
from nbautoml.errors import NotFoundError


class InProcessExecutor(compute.InProcessExecutor):
    """Runs tasks in threads of this process, and remembers them.

    Parameters
    ----------
    n_slots : int, default 2
        Tasks at a time.
    threads_per_slot : int, default 1
        Threads that a task may use.
    """

    def __init__(self, n_slots: int = 2, threads_per_slot: int = 1) -> None:
        super().__init__(n_slots, threads_per_slot)
        self.submitted: list[TrialTask] = []
        self.is_closed = False

    def submit(self, task: TrialTask) -> None:
        """Queue a task; returns at once."""
        self.submitted.append(task)
        super().submit(task)

    def close(self) -> None:
        """Forget all tasks."""
        super().close()
        self.is_closed = True


class MemoryEvents:
    """Keeps all events in a list, each with the time of the clock that is passed in."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.times: list[float] = []

    def emit(self, event: Event) -> None:
        """Append an event."""
        self.events.append(event)
        self.times.append(time.time())

    def emit_all(self, events: Sequence[Event]) -> None:
        """Append events."""
        for event in events:
            self.emit(event)


class FolderArtifacts:
    """Keeps files in a folder, one folder a trial.

    Parameters
    ----------
    root : Path
        Where to.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def put_file(self, number: int | None, name: str, path: Path) -> None:
        """Copy a file."""
        self.put_bytes(number, name, path.read_bytes())

    def put_bytes(self, number: int | None, name: str, data: bytes) -> None:
        """Write bytes."""
        place = self._place(number, name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)

    def put_all(self, number: int | None, files: Mapping[str, Path | bytes]) -> None:
        """Copy files and write bytes."""
        for name, source in files.items():
            data = source if isinstance(source, bytes) else source.read_bytes()
            self.put_bytes(number, name, data)

    def local_path(self, number: int | None, name: str) -> Path:
        """Return the path of a stored file."""
        place = self._place(number, name)
        if not place.exists():
            raise NotFoundError(f"No file {name!r} is stored for {number}.")
        return place

    def names(self, number: int | None) -> list[str]:
        """Return the names of what is stored, sorted."""
        folder = self._place(number, "")
        return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())

    def _place(self, number: int | None, name: str) -> Path:
        return self.root / ("run" if number is None else str(number)) / name


class ScriptedControl:
    """Hands out requests when their time has come.

    Parameters
    ----------
    requests : sequence of (float, Request), optional
        Seconds after the first poll, and what is asked then.
    """

    def __init__(self, requests: Sequence[tuple[float, Request]] = ()) -> None:
        self._pending = sorted(requests, key=lambda entry: entry[0])
        self._started: float | None = None

    def ask(self, request: Request) -> None:
        """Ask at once."""
        self._pending.insert(0, (0.0, request))

    def poll(self) -> Sequence[Request]:
        """Return the requests whose time has come."""
        now = time.monotonic()
        self._started = now if self._started is None else self._started
        due = [entry for entry in self._pending if now - self._started >= entry[0]]
        self._pending = [entry for entry in self._pending if entry not in due]
        return [request for _, request in due]
