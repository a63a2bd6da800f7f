"""What another Python process needs to work on the same workspace: import path and address."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from nbautoml.domain.records import SessionAddress
from nbautoml.store.session import Session

ADDRESS_VARIABLE = "NBAUTOML_ADDRESS"
"""Environment variable that carries a `SessionAddress` as JSON (it may hold a password)."""
RUN_VARIABLE = "NBAUTOML_RUN_ID"
"""Environment variable that names the run a process belongs to."""


def environment(session: Session, run_id: str) -> dict[str, str]:
    """Return the environment of a process that works on a run.

    It finds the modules that this process finds, and the workspace; the address goes through
    the environment because command lines can be read by every user.
    """
    return os.environ | {
        ADDRESS_VARIABLE: json.dumps(asdict(session.address)),
        RUN_VARIABLE: run_id,
        "PYTHONPATH": os.pathsep.join(_import_path()),
        "PYTHONUNBUFFERED": "1",
    }


def own_address() -> SessionAddress:
    """Return the workspace that this process was started for."""
    return SessionAddress(**json.loads(os.environ[ADDRESS_VARIABLE]))


def current_run() -> tuple[SessionAddress, str] | None:
    """Return the workspace and the run this process belongs to, or None outside of one."""
    run_id = os.environ.get(RUN_VARIABLE)
    if not run_id or ADDRESS_VARIABLE not in os.environ:
        return None
    return own_address(), run_id


def _import_path() -> list[str]:
    """Return absolute import paths; the empty one means the working directory."""
    return list(dict.fromkeys(str(Path(p or ".").absolute()) for p in sys.path))
