"""What another Python process needs to work on the same workspace: import path and address."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict

from nbautoml.domain.records import SessionAddress
from nbautoml.errors import NbAutoMLError
from nbautoml.store.detached import import_environment
from nbautoml.store.session import Session, open_session

ADDRESS_VARIABLE = "NBAUTOML_ADDRESS"
"""Environment variable that carries a `SessionAddress` as JSON (it may hold a password)."""
RUN_VARIABLE = "NBAUTOML_RUN_ID"
"""Environment variable that names the run a process belongs to."""
_TIMEOUT_SECONDS = 300.0


def environment(session: Session, run_id: str) -> dict[str, str]:
    """Return the environment of a process that works on a run.

    It finds the modules that this process finds, and the workspace; the address goes through
    the environment because command lines can be read by every user.
    """
    return import_environment() | {
        ADDRESS_VARIABLE: json.dumps(asdict(session.address)),
        RUN_VARIABLE: run_id,
    }


def run_apart(session: Session, run_id: str, module: str, *arguments: str) -> str:
    """Run a module in a process of its own until it ends; return what went wrong, if anything.

    Parameters
    ----------
    session : Session
        The open workspace; the process opens it, too.
    run_id : str
        The run that it works on; empty for work that belongs to none.
    module : str
        Import path of the module.
    *arguments : str
        Its command line.

    Returns
    -------
    str
        Empty when the process ended well, else its last line on the error stream.
    """
    try:
        result = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env=environment(session, run_id),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"It took longer than {_TIMEOUT_SECONDS:g} s."
    if result.returncode == 0:
        return ""
    return (result.stderr.strip().splitlines() or ["no message"])[-1]


def work_for(work: Callable[..., None]) -> int:
    """Do what `run_apart` asked this process for; return its exit code.

    Parameters
    ----------
    work : callable
        Takes the open workspace, then the words of the command line. The message of an error
        that was raised on purpose is the last line on the error stream.
    """
    session = open_session(own_address())
    try:
        work(session, *sys.argv[1:])
    except NbAutoMLError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        session.close()
    return 0


def own_address() -> SessionAddress:
    """Return the workspace that this process was started for."""
    return SessionAddress(**json.loads(os.environ[ADDRESS_VARIABLE]))


def current_run() -> tuple[SessionAddress, str] | None:
    """Return the workspace and the run this process belongs to, or None outside of one."""
    run_id = os.environ.get(RUN_VARIABLE)
    if not run_id or ADDRESS_VARIABLE not in os.environ:
        return None
    return own_address(), run_id
