"""A worker's child processes: one template to fork them from, and those that wait for a task.

Everything here runs in the worker process. Children are not the worker's own children but the
template's, so that the template tells how they ended, over its control socket.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import TracebackType

from nbautoml.compute import lifeline, memory
from nbautoml.compute.child import THREAD_VARIABLES
from nbautoml.compute.frames import Kind, encode
from nbautoml.compute.template import EXITED, REQUEST
from nbautoml.errors import ComputeError

GROWTH_BYTES = 256 << 20
"""A child that kept more than this from its earlier tasks is replaced."""

EXIT_SECONDS = 2.0
"""How long to wait for word of the end of a child that has been killed."""

_START = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); {}(sys.argv[2])".format(
    "from nbautoml.compute import template; template.main"
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """How children are made; travels to the worker.

    Parameters
    ----------
    n_threads : int
        How many threads a task may use.
    preload : tuple of str
        Modules that the template imports.
    import_path : tuple of str
        ``sys.path`` of template and children.
    data_limit_bytes : int or None, default None
        Most disk for copies of data, as `nbautoml.compute.mirror.Mirror` takes it.
    """

    n_threads: int
    preload: tuple[str, ...]
    import_path: tuple[str, ...]
    data_limit_bytes: int | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Child:
    """One child process as its worker sees it; `pid` is None until it says that it is ready."""

    number: int
    channel: socket.socket
    output: int
    life: int
    exit_code: Future[int | None] = field(default_factory=Future)
    pid: int | None = None
    fresh_bound_bytes: int = 0
    fresh_bytes: int = 0

    def send_task(self, body: bytes, cards: tuple[int, ...] = ()) -> None:
        """Hand a task over; a child that died is noticed when its channel is read.

        Parameters
        ----------
        body : bytes
            The task.
        cards : tuple of int, default empty
            Numbers of the graphics cards that are its own.
        """
        numbers = encode(Kind.CARDS, ",".join(map(str, cards)).encode())
        with contextlib.suppress(OSError):
            self.channel.sendall(numbers + encode(Kind.TASK, body))

    def became_ready(self, pid: int) -> None:
        """Keep the process id, and what the process holds before its first task."""
        self.pid = pid
        self.fresh_bound_bytes = memory.bound_bytes([pid])
        self.fresh_bytes = memory.held_bytes([pid])

    def has_ended(self) -> bool:
        """Whether it is dead; its channel tells before its exit code is known."""
        if self.exit_code.done():
            return True
        try:
            return not self.channel.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:  # it has nothing to say
            return False
        except OSError:
            return True

    def has_grown(self) -> bool:
        """Whether it kept much memory from the tasks that it has done."""
        return self.pid is not None and self._growth_bytes(self.pid) > GROWTH_BYTES

    def estimate_bytes(self) -> int:
        """Return about what it holds, at a tenth of the cost of an exact look."""
        if self.pid is None:
            return 0
        return self.fresh_bytes + max(0, self._growth_bytes(self.pid))

    def _growth_bytes(self, pid: int) -> int:
        return memory.bound_bytes(memory.tree(pid)) - self.fresh_bound_bytes

    def kill(self) -> int | None:
        """End it and all that descends from it; return its exit code, if that is known."""
        if self.pid is not None and not self.exit_code.done():
            pids = memory.tree(self.pid)
            lifeline.end_group(self.pid)
            for pid in pids[1:]:  # those that left the group
                lifeline.end_process(pid)
        self.close()
        # One that is not ready yet ends as soon as it looks at its lifeline.
        return None if self.pid is None else self.wait()

    def wait(self) -> int | None:
        """Return the exit code of a child that is ending; None when it cannot be known."""
        try:
            return self.exit_code.result(EXIT_SECONDS)
        except TimeoutError:
            return None

    def close(self) -> None:
        """Give back the descriptors; closing the lifeline ends a child that still lives."""
        if self.life >= 0:
            self.channel.close()
            os.close(self.output)
            os.close(self.life)
            self.life = -1


class ChildPool:
    """Lends children to supervisors and keeps a spare one; safe for use from several threads.

    Parameters
    ----------
    settings : PoolSettings
        How children are made.
    folder : str
        Where they put temporary files.
    """

    def __init__(self, settings: PoolSettings, folder: str) -> None:
        self._settings = settings
        self._folder = folder
        self._lock = threading.Lock()
        self._template: _Template | None = None
        self._idle: list[Child] = []
        self._lent: set[Child] = set()
        self._is_closed = False

    def __enter__(self) -> ChildPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def warm_up(self) -> None:
        """Start the template and a first child, without waiting for them."""
        with self._lock:
            if not self._idle and not self._is_closed:
                self._idle.append(self._start_child())

    def lend(self) -> Child:
        """Return a child that lives; it may still be starting.

        Raises
        ------
        ComputeError
            When the pool has been closed.
        """
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.has_ended() or child.has_grown():
                    child.kill()
                else:
                    break
            else:
                child = self._start_child()
            self._lent.add(child)
            return child

    def take_back(self, child: Child) -> None:
        """Keep a child that has done its task for the next one."""
        with self._lock:
            self._lent.discard(child)
            if not self._is_closed:
                self._idle.append(child)
                return
        child.kill()

    def drop(self, child: Child) -> int | None:
        """Kill a child, start another in its place, and return the exit code if known."""
        code = child.kill()
        with self._lock:
            self._lent.discard(child)
        self.warm_up()
        return code

    def memory_bytes(self) -> int:
        """Return what the template and the children hold."""
        with self._lock:
            template = self._template
        if template is None:
            return 0
        return memory.held_bytes(memory.tree(template.pid))

    def close(self) -> None:
        """End all children and the template."""
        with self._lock:
            self._is_closed = True
            children = [*self._idle, *self._lent]
            self._idle.clear()
            template, self._template = self._template, None
        for child in children:
            if child.pid is not None:
                lifeline.end_group(child.pid)
        for child in children:
            child.kill()
        if template is not None:
            template.close()

    def _start_child(self) -> Child:
        if self._is_closed:
            raise ComputeError("The worker is closing; it cannot start a task.")
        if self._template is None or self._template.has_ended:
            self._template = _Template(self._settings, self._folder)
        return self._template.fork()


class _Template:
    """Handle on a template process; a thread reads how its children end."""

    def __init__(self, settings: PoolSettings, folder: str) -> None:
        self._control, theirs = socket.socketpair()
        life_theirs, self._life = os.pipe()
        with theirs:
            self._process = _launch(settings, folder, theirs.fileno(), life_theirs)
        os.close(life_theirs)
        self.pid = self._process.pid
        self._children: dict[int, Child] = {}
        self._n_children = 0
        self._has_ended = threading.Event()
        self._reader = threading.Thread(target=self._read_exits, daemon=True, name="child exits")
        self._reader.start()

    @property
    def has_ended(self) -> bool:
        return self._has_ended.is_set()

    def fork(self) -> Child:
        """Ask for a child; the pool's lock is held."""
        self._n_children += 1
        channel, theirs = socket.socketpair()
        life_theirs, life = os.pipe()
        output, output_theirs = os.pipe()
        os.set_blocking(output, False)
        child = Child(number=self._n_children, channel=channel, output=output, life=life)
        self._children[child.number] = child
        try:
            fds = [theirs.fileno(), life_theirs, output_theirs]
            socket.send_fds(self._control, [REQUEST.pack(child.number)], fds)
        except OSError:  # the template has just died; the channel's end of file will tell
            _log.warning("The process that trials are forked from has ended.")
        finally:
            theirs.close()
            os.close(life_theirs)
            os.close(output_theirs)
        return child

    def close(self) -> None:
        lifeline.end_group(self._process.pid)
        self._process.wait()
        self._reader.join()
        self._control.close()
        os.close(self._life)

    def _read_exits(self) -> None:
        with contextlib.suppress(OSError):
            while len(data := self._control.recv(EXITED.size, socket.MSG_WAITALL)) == EXITED.size:
                number, code = EXITED.unpack(data)
                child = self._children.pop(number, None)
                if child is not None:
                    child.exit_code.set_result(code)
        self._has_ended.set()
        self._process.wait()
        for child in list(self._children.values()):
            child.exit_code.set_result(None)


def _launch(
    settings: PoolSettings, folder: str, control: int, life: int
) -> subprocess.Popen[bytes]:
    """Start a template; one thread only, so that forking is safe."""
    values = {
        "control": control,
        "life": life,
        "preload": settings.preload,
        "n_threads": settings.n_threads,
    }
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, "1"), "TMPDIR": folder}
    command = [sys.executable, "-c", _START, json.dumps(settings.import_path), json.dumps(values)]
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        pass_fds=(control, life),
        env=environment,
        start_new_session=True,
    )
