"""One worker process as its supervisor sees it. Standard library only."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any  # Any: JSON values

from nbautoml.serving.logfile import LogFile

WORKER = "nbautoml.serving.worker"


class WorkerProcess:
    """A worker: started with a listening socket, watched through pipes.

    Its output goes into the log, line by line. On its own pipe it says once that it is ready,
    or why it cannot be, and later that it takes no new callers any more. Its standard input
    tells it to let its callers go (``drain``); the end of that input is the end of the
    supervisor, and then the worker ends too.

    Parameters
    ----------
    folder : Path
        The deployment's folder.
    revision : int
        What it serves.
    slot : {"main", "canary"}
        As which of two versions.
    listener : socket
        Bound and listening; the process gets a copy.
    log : LogFile
        Where its output goes.
    environment : dict of str to str
        Variables of the process.
    """

    def __init__(
        self,
        folder: Path,
        revision: int,
        slot: str,
        *,
        listener: socket.socket,
        log: LogFile,
        environment: dict[str, str],
    ) -> None:
        self.revision = revision
        self.started_at = time.monotonic()
        self.is_ready = False
        self.has_let_go = False
        self.problem = ""
        self._unread = b""
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        self._status: int | None = reader
        arguments = [str(folder), str(revision), slot, str(listener.fileno()), str(writer)]
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-m", WORKER, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(listener.fileno(), writer),
                env=environment,
                cwd=folder,
            )
        finally:
            os.close(writer)
        thread = threading.Thread(target=self._copy_output, args=(log,), daemon=True)
        thread.start()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self.process.pid

    def poll(self) -> int | None:
        """Take in what the worker has said; return its exit code once it has ended."""
        code = self.process.poll()
        self._read_status()
        if code is not None and self._status is not None:
            os.close(self._status)
            self._status = None
            self._close_input()
        return code

    def drain(self) -> None:
        """Ask it to take no new callers, to answer those that it has, and to end."""
        self._tell("drain")

    def end(self) -> None:
        """Ask it to end now, as soon as what it answers is answered."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it whatever it does."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    def _close_input(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()

    def _tell(self, word: str) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self.process.stdin.write(f"{word}\n".encode())
            self.process.stdin.flush()

    def _read_status(self) -> None:
        if self._status is None:
            return
        with contextlib.suppress(BlockingIOError):
            while part := os.read(self._status, 65_536):
                self._unread += part
        *lines, self._unread = self._unread.split(b"\n")
        for line in lines:
            self._take(json.loads(line))

    def _take(self, said: dict[str, Any]) -> None:
        self.is_ready = self.is_ready or bool(said.get("ready"))
        self.has_let_go = self.has_let_go or bool(said.get("let_go"))
        self.problem = str(said.get("problem", self.problem))

    def _copy_output(self, log: LogFile) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                log.write(line.decode("utf-8", errors="replace"))
