"""Processes that outlive whoever starts them: how they are started, and what they find."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO


def import_environment() -> dict[str, str]:
    """Return the environment of a process that finds the modules that this process finds."""
    # Absolute: the empty path means the working directory.
    paths = dict.fromkeys(str(Path(p or ".").absolute()) for p in sys.path)
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}


def start_detached(
    module: str, *arguments: str, env: Mapping[str, str], folder: Path, log: int | IO[bytes]
) -> int:
    """Start a module in a session of its own; return its process id at once.

    Parameters
    ----------
    module : str
        Import path of the module.
    *arguments : str
        Its command line.
    env : mapping of str to str
        Its environment.
    folder : pathlib.Path
        Its working directory.
    log : int or file
        An open file that takes its output; it may be closed afterwards.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env=env,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    # Somebody has to collect the exit code, or a zombie would look like a living owner.
    threading.Thread(target=process.wait, name=f"reap {process.pid}", daemon=True).start()
    return process.pid
