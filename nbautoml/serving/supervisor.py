"""Looks after one deployment: its port, its callers, its workers, its log. Standard library only.

Started as ``python -m nbautoml.serving.supervisor FOLDER`` in a session of its own, so that it
outlives the kernel and the notebook. It opens no store and loads no model: what is asked of it
is in files (`nbautoml.serving.folder`), and so is how it stands.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any  # Any: JSON values

from nbautoml.serving.folder import HEARTBEAT_SECONDS, Folder, LiveFile, read_json, write_json
from nbautoml.serving.front import BACKLOG, Front, Route
from nbautoml.serving.logfile import LogFile, last_lines
from nbautoml.serving.process import WorkerProcess
from nbautoml.serving.slot import Slot, refuse_callers

STEP_SECONDS = 0.1
STOP_SECONDS = 10.0
ERROR_LINES = 50
"""Lines of the log that go with a failure."""
LOOPBACK = "127.0.0.1"
MAIN, CANARY = "main", "canary"


class Supervisor:
    """Does what ``spec.json`` of a folder says until it is told to stop.

    Parameters
    ----------
    folder : Folder
        The deployment's files.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._spec = LiveFile(folder.spec_file)
        self._log = LogFile(folder.log_file)
        self._stop = threading.Event()
        self._listeners: dict[str, socket.socket] = {}
        self._slots: dict[str, Slot] = {}
        self._front: Front | None = None
        self._route = Route(port=0)
        self._kinds: dict[int, str] = {}
        self._told: dict[str, Any] = {}
        self._told_at = 0.0

    def run(self) -> int:
        """Serve until a signal comes; return the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        host, port = str(self._spec.read().get("host", LOOPBACK)), self._spec.read().get("port")
        try:
            self._door = _bound(host, int(port or 0))
        except OSError as error:
            self._give_up(error)
            return 1
        self._open(MAIN)
        self._route.port = self._port(MAIN)
        settings = LiveFile(self._folder.settings_file)
        self._front = Front(self._door, self._route, settings, host=host)
        self._front.start()
        self._log.say(f"supervisor {os.getpid()} listens on port {self._public_port()}")
        while not self._stop.wait(STEP_SECONDS):
            self._step()
        self._end()
        return 0

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()

    def _step(self) -> None:
        revisions: dict[str, int | None] = self._spec.read().get("slots", {})
        if revisions.get(CANARY) is not None and CANARY not in self._slots:
            self._open(CANARY)
        now = time.monotonic()
        for name, slot in self._slots.items():
            slot.want(revisions.get(name))
            slot.step(now)
            if slot.has_failed:
                refuse_callers(self._listeners[name], slot.error)
        self._direct()
        self._tell_canary()
        self._tell()

    def _direct(self) -> None:
        """Tell the front whether a model answers, which may be asked twice, or nobody will."""
        main = self._slots[MAIN]
        workers = (main.serving, main.fresh)
        kinds = {self._kind(worker.revision) for worker in workers if worker is not None}
        self._route.is_pure = kinds == {"bundle"}
        self._route.failure = main.error if main.has_failed else ""
        is_settled = main.serving is not None and not main.is_handing_over
        self._route.worker = main.serving.pid if main.serving and is_settled else 0

    def _kind(self, revision: int) -> str:
        if revision not in self._kinds:
            job = self._folder.job(revision)
            self._kinds[revision] = str(job.get("entry", {}).get("kind", ""))
        return self._kinds[revision]

    def _open(self, name: str) -> None:
        """Bind a slot's own socket; it is never closed, so that requests wait for a worker."""
        self._listeners[name] = _bound(LOOPBACK, 0)
        self._slots[name] = Slot(
            start=lambda revision: self._start(name, revision), say=self._log.say
        )

    def _start(self, name: str, revision: int) -> WorkerProcess:
        variables = self._folder.job(revision).get("environment", {})
        return WorkerProcess(
            self._folder.path,
            revision,
            name,
            listener=self._listeners[name],
            log=self._log,
            environment={**os.environ, **variables},
        )

    def _port(self, name: str) -> int:
        return int(self._listeners[name].getsockname()[1])

    def _public_port(self) -> int:
        return int(self._door.getsockname()[1])

    def _tell_canary(self) -> None:
        """Let the main workers know where the second version answers."""
        slot = self._slots.get(CANARY)
        serving = slot.serving if slot is not None else None
        wanted = {} if serving is None else {"port": self._port(CANARY), "pid": serving.pid}
        if read_json(self._folder.canary_file) != wanted:
            write_json(self._folder.canary_file, wanted)

    def _tell(self, *, state: str = "") -> None:
        """Write how the deployment stands, when that changed and as a sign of life."""
        main = self._slots[MAIN]
        content: dict[str, Any] = {
            "state": state or _state_of(main),
            "pid": os.getpid(),
            "port": self._public_port(),
            "slots": {name: slot.state() for name, slot in self._slots.items()},
            "error": main.error,
        }
        if content["state"] == "Failed":
            is_told = self._told.get("error") == main.error
            content["log"] = (self._told.get("log") if is_told else None) or last_lines(
                self._folder.log_file, ERROR_LINES
            )
        now = time.time()
        if content != self._told or now - self._told_at >= HEARTBEAT_SECONDS:
            write_json(self._folder.state_file, content | {"heartbeat_at": now})
            self._told, self._told_at = content, now

    def _end(self) -> None:
        """Let the workers answer what they have, then end them."""
        self._log.say("supervisor stops")
        self._route.failure = "It is being stopped."
        slots = list(self._slots.values())
        for slot in slots:
            slot.end_all()
        end = time.monotonic() + STOP_SECONDS
        while time.monotonic() < end and not all(slot.is_empty() for slot in slots):
            time.sleep(STEP_SECONDS / 2)
        for slot in slots:
            slot.kill_all()
        if self._front is not None:
            self._front.stop()
        for listener in (self._door, *self._listeners.values()):
            listener.close()
        write_json(self._folder.state_file, self._told | {"state": "Stopped", "pid": os.getpid()})

    def _give_up(self, error: OSError) -> None:
        port = self._spec.read().get("port")
        why = f"Port {port} cannot be used: {error}. Give another port, or free this one."
        self._log.say(why)
        content = {"state": "Failed", "pid": os.getpid(), "port": port, "error": why}
        write_json(self._folder.state_file, content | {"slots": {}, "heartbeat_at": time.time()})


def _bound(host: str, port: int) -> socket.socket:
    """Return a listening socket that does not block."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def _state_of(slot: Slot) -> str:
    if slot.serving is not None:
        return "Transitioning" if slot.is_handing_over else "Healthy"
    if slot.has_failed:
        return "Failed"
    return "Unhealthy" if slot.n_restarts else "Transitioning"


def main(arguments: list[str]) -> int:
    """Look after the deployment in a folder; return the exit code."""
    return Supervisor(Folder(Path(arguments[0]))).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
