"""The process that a worker's children are forked from: it imports once, then only forks.

It stays free of threads, so that forking is safe, and gives each child an independent
session. It ends with its worker.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import logging
import os
import selectors
import signal
import socket
import struct
import sys

from nbautoml.compute import child, lifeline

REQUEST = struct.Struct("!Q")  # child number; comes with three file descriptors
EXITED = struct.Struct("!Qi")  # child number, and status as of ``os.waitstatus_to_exitcode``
_log = logging.getLogger(__name__)


def main(settings: str) -> None:
    """Serve the worker until it closes the control socket.

    Parameters
    ----------
    settings : str
        JSON with ``control`` and ``life`` (file descriptors), ``preload`` (module names) and
        ``n_threads``.
    """
    values = json.loads(settings)
    lifeline.hold(values["life"])
    _preload(values["preload"])
    gc.collect()
    gc.freeze()  # a child's collections leave the shared pages alone
    control = socket.socket(fileno=values["control"])
    _Template(control, values["n_threads"]).serve()


def _preload(names: list[str]) -> None:
    for name in names:
        # A task that needs the module will report the error with its traceback.
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001 - importing runs code of the module's own
            _log.warning("A worker could not import %s beforehand.", name, exc_info=True)


class _Template:
    """Forks children on request, and tells the worker how each of them ended."""

    def __init__(self, control: socket.socket, n_threads: int) -> None:
        self._control = control
        self._n_threads = n_threads
        self._numbers: dict[int, int] = {}
        self._woken, self._waker = socket.socketpair()

    def serve(self) -> None:
        self._waker.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if self._woken in ready:
                    self._woken.recv(4096)
                    self._reap()
                if self._control in ready and not self._take_request():
                    return

    def _take_request(self) -> bool:
        data, fds, _, _ = socket.recv_fds(self._control, REQUEST.size, 3)
        if len(data) < REQUEST.size:
            return False
        (number,) = REQUEST.unpack(data)
        pid = os.fork()
        if pid == 0:
            self._become_child(*fds)
        self._numbers[pid] = number
        for fd in fds:
            os.close(fd)
        return True

    def _become_child(self, channel: int, life: int, output: int) -> None:
        """Serve tasks, and end without the template's clean-up."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for owned in (self._control, self._woken, self._waker):
                owned.close()
            child.serve(socket.socket(fileno=channel), life, output, self._n_threads)
            code = 0
        except BaseException:  # noqa: BLE001 - the child must never return into the template
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                number = self._numbers.pop(pid)
                self._control.sendall(EXITED.pack(number, os.waitstatus_to_exitcode(status)))
