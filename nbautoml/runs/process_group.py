"""A command in a group of processes of its own, all of which can be ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from nbautoml.domain.records import Owner
from nbautoml.store.reaper import is_owner_alive

GRACE_SECONDS = 5.0
"""Time between asking processes to end and ending them."""
_POLL_SECONDS = 0.05


class ProcessGroup:
    """A running command and all that it starts.

    Parameters
    ----------
    command : str or sequence of str
        A line for the shell, or words.
    env : mapping of str to str
        Its environment.
    folder : pathlib.Path
        Its working directory.
    output : file
        Takes what it writes to both streams.
    note : pathlib.Path
        File that tells a later process which group this is, see `end_noted`.
    """

    def __init__(
        self,
        command: str | Sequence[str],
        *,
        env: Mapping[str, str],
        folder: Path,
        output: IO[bytes],
        note: Path,
    ) -> None:
        self._process = subprocess.Popen(
            command,
            shell=isinstance(command, str),
            env=dict(env),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        with suppress(psutil.NoSuchProcess):  # it may have ended already
            started_at = psutil.Process(self._process.pid).create_time()
            note.write_text(json.dumps({"pid": self._process.pid, "started_at": started_at}))

    def wait(self, seconds: float) -> int | None:
        """Return the exit code of the command, None when it does not end in time."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Ask all to end, and end those that have not done so in time; returns when it is done."""
        if self._process.poll() is None:
            _signal(self._process.pid, signal.SIGTERM)
            self.wait(grace_seconds)
        self.sweep()
        self._process.wait()

    def sweep(self) -> None:
        """End what is left of the group at once."""
        _kill(self._process.pid)


def end_noted(note: Path) -> None:
    """End the group of a command whose own process was lost; nothing when it has ended.

    Parameters
    ----------
    note : pathlib.Path
        What `ProcessGroup` wrote.
    """
    if not note.is_file():
        return
    known = json.loads(note.read_text())
    owner = Owner(host="", pid=known["pid"], started_at=known["started_at"])
    if not is_owner_alive(owner):
        return
    _signal(owner.pid, signal.SIGTERM)
    end = time.monotonic() + GRACE_SECONDS
    while is_owner_alive(owner) and time.monotonic() < end:
        time.sleep(_POLL_SECONDS)
    _kill(owner.pid)


def _kill(pid: int) -> None:
    _signal(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def _signal(pid: int, number: int) -> None:
    """Send a signal to a group; where there are no groups, to the processes below a process."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)
        return
    with suppress(psutil.NoSuchProcess):
        leader = psutil.Process(pid)
        for process in [*leader.children(recursive=True), leader]:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
