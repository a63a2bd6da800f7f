"""Looks after one task in a child process: limits, cancel, messages, and a name for its end.

Runs in the worker's task thread. It waits on the child's channel and output and on its own
wake-up pipe, so that it uses no processor time while nothing happens, but for a look at the
memory ten times a second.
"""

from __future__ import annotations

import os
import pickle
import selectors
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nbautoml.compute import memory
from nbautoml.compute.frames import FrameReader, Kind
from nbautoml.compute.pool import ChildPool
from nbautoml.compute.task_folders import TaskFolders
from nbautoml.domain.status import TrialOutcome

SAMPLE_SECONDS = 0.1
"""Shortest time between two looks at a task's memory."""

SAMPLE_SHARE = 0.01
"""Most of one core that exact looks at a task's memory may use."""

FLUSH_SECONDS = 0.05
"""Messages that follow each other faster than this are sent together."""

TAIL_BYTES = 8192
"""How much of the end of a task's output is kept for the report of a crash."""

START_ATTEMPTS = 3
"""Children that may die before they take the task on; it is not the task's doing."""

MEGABYTE = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A task on its way to a worker.

    ``body`` is the pickled entry name and payload; the worker adds where its `folders`
    are on its machine.
    """

    body: bytes
    topic: str
    number: int
    time_limit_seconds: float | None
    memory_limit_bytes: int | None
    folders: TaskFolders | None = None
    n_gpus: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a task ended in its worker; ``value`` is still pickled.

    ``files`` are those that the task left, where its owner does not see them.
    """

    outcome: TrialOutcome
    seconds: float
    value: bytes = b""
    error: str = ""
    traceback: str = ""
    peak_memory_bytes: int = 0
    files: Mapping[str, bytes] = field(default_factory=dict)
    worker: str = ""
    output: str = ""


class Cancel:
    """Tells a supervisor, from another thread, that nobody wants its task any more."""

    def __init__(self) -> None:
        self.is_set = False
        self.read_end, self._write_end = os.pipe()

    def set(self) -> None:
        """Wake the supervisor up."""
        self.is_set = True
        os.write(self._write_end, b"x")

    def close(self) -> None:
        """Give back the pipe."""
        os.close(self.read_end)
        os.close(self._write_end)


class Supervisor:
    """Runs one task in one child.

    Parameters
    ----------
    pool : ChildPool
        Where the child comes from.
    order : Order
        The task.
    send : callable
        Takes a list of pickled messages, in order.
    cancel : Cancel
        Set when the task is to end.
    cards : tuple of int, default empty
        Numbers of the graphics cards that are the task's.
    """

    def __init__(
        self,
        pool: ChildPool,
        order: Order,
        send: Callable[[list[bytes]], None],
        cancel: Cancel,
        *,
        cards: tuple[int, ...] = (),
    ) -> None:
        self._pool = pool
        self._order = order
        self._send = send
        self._cancel = cancel
        self._cards = cards
        self._child = pool.lend()
        self._frames = FrameReader()
        self._messages: list[bytes] = []
        self._tail = b""
        self._flush_at = 0.0
        self._started: float | None = None
        self._watch = _MemoryWatch(order.memory_limit_bytes)

    def run(self) -> Ending:
        """Run the task to its end, whatever that is."""
        for _ in range(START_ATTEMPTS):
            ending = self._run_in_child()
            if self._started is not None or ending.outcome is not TrialOutcome.CRASHED:
                return ending
            self._child = self._pool.lend()
        self._pool.take_back(self._child)
        return self._end(TrialOutcome.FAILED, f"No process could be started for it. {ending.error}")

    def _run_in_child(self) -> Ending:
        with selectors.DefaultSelector() as selector:
            for source in (self._child.channel, self._child.output, self._cancel.read_end):
                selector.register(source, selectors.EVENT_READ)
            if self._child.pid is not None:
                self._start()
            ending = None
            while ending is None:
                ready = {key.fileobj for key, _ in selector.select(self._pause())}
                if self._child.output in ready and not self._read_output():
                    selector.unregister(self._child.output)
                ending = self._step(self._child.channel in ready)
        self._flush()
        return ending

    def _step(self, has_frames: bool) -> Ending | None:
        """Do what is due; return how the task ended once it has."""
        ending = self._read_channel() if has_frames else None
        if ending is None and self._cancel.is_set:
            ending = self._kill(TrialOutcome.CANCELED, "It was canceled.")
        if ending is None and self._started is not None:
            ending = self._check_limits(time.monotonic())
        if ending is None and self._messages and time.monotonic() >= self._flush_at:
            self._flush()
        return ending

    def _pause(self) -> float | None:
        """Return how long nothing is due."""
        if self._started is None:
            return None
        due = [self._watch.due_at]
        if self._order.time_limit_seconds is not None:
            due.append(self._started + self._order.time_limit_seconds)
        if self._messages:
            due.append(self._flush_at)
        return max(0.0, min(due) - time.monotonic())

    def _start(self) -> None:
        self._child.send_task(self._order.body, self._cards)
        self._started = time.monotonic()
        self._watch.due_at = self._started + SAMPLE_SECONDS

    def _read_output(self) -> bool:
        """Keep the end of what the child printed; return False at the end of the file."""
        try:
            data = os.read(self._child.output, 1 << 16)
        except BlockingIOError:
            return True
        self._tail = (self._tail + data)[-TAIL_BYTES:]
        return bool(data)

    def _read_channel(self) -> Ending | None:
        try:
            data = self._child.channel.recv(1 << 20)
        except OSError:
            data = b""
        if not data:
            return self._report_crash()
        for kind, body in self._frames.feed(data):
            if kind is Kind.READY:
                self._child.became_ready(int(body))
                self._start()
            elif kind is Kind.MESSAGE:
                self._messages.append(body)
            else:
                return self._finish(kind, body)
        return None

    def _finish(self, kind: Kind, body: bytes) -> Ending:
        """Report an entry that returned or raised; the child is kept."""
        if self._watch.peak_bytes == 0:
            self._watch.peak_bytes = self._child.estimate_bytes()
        self._drain_output()
        self._pool.take_back(self._child)
        if kind is Kind.DONE:
            return self._end(TrialOutcome.COMPLETED, value=body)
        error, trace = pickle.loads(body)
        return self._end(TrialOutcome.FAILED, error, traceback=trace)

    def _check_limits(self, now: float) -> Ending | None:
        limit = self._order.time_limit_seconds
        if limit is not None and self._seconds(now) >= limit:
            return self._kill(
                TrialOutcome.TIME_LIMIT, f"It ran longer than its limit of {limit:g} s."
            )
        if now >= self._watch.due_at and (held := self._watch.look(self._pid, now)):
            return self._kill(TrialOutcome.MEMORY_LIMIT, held)
        return None

    def _kill(self, outcome: TrialOutcome, error: str) -> Ending:
        self._pool.drop(self._child)
        return self._end(outcome, error)

    def _report_crash(self) -> Ending:
        code = self._child.wait()
        self._drain_output()
        self._pool.drop(self._child)
        tail = self._tail.decode(errors="replace").strip()
        return self._end(TrialOutcome.CRASHED, describe_exit(code), traceback=tail)

    def _drain_output(self) -> None:
        """Read what is left in the pipe; a descendant may still hold its other end."""
        size = -1
        while size != len(self._tail) and len(self._tail) < TAIL_BYTES:
            size = len(self._tail)
            self._read_output()

    def _end(
        self, outcome: TrialOutcome, error: str = "", *, value: bytes = b"", traceback: str = ""
    ) -> Ending:
        return Ending(
            outcome=outcome,
            seconds=self._seconds(time.monotonic()),
            value=value,
            error=error,
            traceback=traceback,
            peak_memory_bytes=self._watch.peak_bytes,
            output=self._tail.decode(errors="replace").strip(),
        )

    def _flush(self) -> None:
        if self._messages:
            self._send(self._messages)
            self._messages = []
            self._flush_at = time.monotonic() + FLUSH_SECONDS

    def _seconds(self, now: float) -> float:
        return 0.0 if self._started is None else now - self._started

    @property
    def _pid(self) -> int:
        pid = self._child.pid
        assert pid is not None, "a task starts when its child has told its pid"
        return pid


class _MemoryWatch:
    """Looks at what a process tree holds, often when that is cheap, rarely when it is not."""

    def __init__(self, limit_bytes: int | None) -> None:
        self._limit_bytes = limit_bytes
        self._exact_at = 0.0
        self.peak_bytes = 0
        self.due_at = 0.0

    def look(self, pid: int, now: float) -> str:
        """Sample the tree; return a sentence when it holds more than it may, else ``""``."""
        self.due_at = now + SAMPLE_SECONDS
        pids = memory.tree(pid)
        is_suspect = self._limit_bytes is not None and (
            memory.bound_bytes(pids) > self._limit_bytes
        )
        if not is_suspect and now < self._exact_at:
            return ""
        before = time.perf_counter()
        held = memory.held_bytes(pids)
        self._exact_at = now + (time.perf_counter() - before) / SAMPLE_SHARE
        self.peak_bytes = max(self.peak_bytes, held)
        if self._limit_bytes is None or held <= self._limit_bytes:
            return ""
        return (
            f"It held {held / MEGABYTE:,.0f} MB, more than its limit of "
            f"{self._limit_bytes / MEGABYTE:,.0f} MB."
        )


def describe_exit(code: int | None) -> str:
    """Return a sentence for the exit code of a process that ended by itself.

    Examples
    --------
    >>> describe_exit(3)
    'Its process ended with exit code 3.'
    >>> describe_exit(-11)
    'Its process was ended by SIGSEGV.'
    """
    if code is None:
        return "Its process ended, and nothing told how."
    if code >= 0:
        return f"Its process ended with exit code {code}."
    name = signal.Signals(-code).name
    hint = " The system does that when memory runs out." if name == "SIGKILL" else ""
    return f"Its process was ended by {name}.{hint}"
