"""Starting and ending the process that looks after a deployment."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from pathlib import Path

import psutil

from nbautoml.domain.records import Owner
from nbautoml.errors import ConflictError, WebserviceException
from nbautoml.serving.folder import Folder, read_json
from nbautoml.store.detached import start_detached
from nbautoml.store.reaper import is_owner_alive

SUPERVISOR = "nbautoml.serving.supervisor"
STOP_SECONDS = 12.0
"""A supervisor ends its workers within ten seconds; after a little more it is killed."""
PORT_SECONDS = 15.0
_POLL_SECONDS = 0.02
# What a service must not get from the process that deploys it.
_PRIVATE = frozenset(
    {"NBAUTOML_ADDRESS", "NBAUTOML_RUN_ID", "NBAUTOML_MODEL_PATHS", "AZUREML_MODEL_DIR"}
    | {"MPLBACKEND"}  # a kernel's own way to draw
)


def start_supervisor(folder: Folder) -> Owner:
    """Start the supervisor of a deployment in a session of its own; return who it is.

    Parameters
    ----------
    folder : Folder
        Its files; ``spec.json`` says what to do.
    """
    # Its state from before tells the port, which is asked for again, and nothing else.
    folder.state_file.unlink(missing_ok=True)
    folder.canary_file.unlink(missing_ok=True)
    descriptor = os.open(folder.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        place, env = folder.path, _environment()
        pid = start_detached(SUPERVISOR, str(place), env=env, folder=place, log=descriptor)
    finally:
        os.close(descriptor)
    started_at = psutil.Process(pid).create_time()
    return Owner(host=socket.gethostname(), pid=pid, started_at=started_at)


def wait_for_port(folder: Folder, owner: Owner) -> int:
    """Return the port of a supervisor that was just started.

    Raises
    ------
    WebserviceException
        When it ended, or could not listen.
    """
    end = time.monotonic() + PORT_SECONDS
    while time.monotonic() < end:
        state = read_json(folder.state_file)
        if state.get("pid") == owner.pid:
            if state["state"] == "Failed" and not state["slots"]:
                raise WebserviceException(str(state["error"]))
            return int(state["port"])
        if not is_owner_alive(owner):
            break
        time.sleep(_POLL_SECONDS)
    said = folder.log_file.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise WebserviceException(f"The supervisor of {folder.path.name} did not start: {said}")


def stop_supervisor(owner: Owner) -> None:
    """End a supervisor and all its workers; one that is gone is no error.

    Raises
    ------
    ConflictError
        When it runs on another machine.
    """
    if owner.host != socket.gethostname():
        raise ConflictError(
            f"This deployment runs on {owner.host}; it can be stopped only there, not on "
            f"{socket.gethostname()}."
        )
    if not is_owner_alive(owner):
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(owner.pid, signal.SIGTERM)
    end = time.monotonic() + STOP_SECONDS
    while is_owner_alive(owner):
        if time.monotonic() > end:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(owner.pid, signal.SIGKILL)
            return
        time.sleep(_POLL_SECONDS)


def _environment() -> dict[str, str]:
    """Return the variables of a supervisor: it finds the modules that this process finds."""
    kept = {name: value for name, value in os.environ.items() if name not in _PRIVATE}
    # Without the working directory: a service must not see what lies beside a notebook.
    home = str(Path(__file__).resolve().parents[2])
    paths = [home, *(str(Path(p).absolute()) for p in sys.path if p)]
    path = os.pathsep.join(dict.fromkeys(paths))
    return {**kept, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
