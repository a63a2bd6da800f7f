"""How a deployment stands, told from its row, its process and its files."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any  # Any: JSON values

from nbautoml.domain.records import DeploymentRecord
from nbautoml.serving.folder import SILENCE_SECONDS, Folder, read_json
from nbautoml.store.reaper import is_owner_alive
from nbautoml.store.session import Session

TRANSITIONING, HEALTHY, UNHEALTHY = "Transitioning", "Healthy", "Unhealthy"
FAILED, STOPPED, UNREACHABLE = "Failed", "Stopped", "Unreachable"
LOG_LINES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A deployment at one moment.

    ``state`` is in the SDK's spelling; ``is_settled`` says that what was asked for last is
    served, or will not be; ``serving`` are the revisions that answer now, by slot.
    """

    state: str
    is_settled: bool = False
    error: str = ""
    log: str = ""
    port: int | None = None
    n_restarts: int = 0
    serving: Mapping[str, int] = field(default_factory=dict)


def folder_of(session: Session, name: str) -> Folder:
    """Return the files of a deployment."""
    return Folder(session.state_dir / "deployments" / name)


def standing_of(session: Session, record: DeploymentRecord) -> Standing:
    """Return how a deployment stands now; changes nothing.

    A supervisor on this host is looked up by pid and start time. One on another host is
    believed as long as it gives a sign of life in a folder that both can see.

    Parameters
    ----------
    session : Session
        The open store.
    record : DeploymentRecord
        Its row.
    """
    folder = folder_of(session, record.name)
    told = read_json(folder.state_file)
    owner = record.owner
    if owner is None:
        return Standing(state=TRANSITIONING)
    is_here = owner.host == socket.gethostname()
    is_told = told.get("pid") == owner.pid
    if is_here and not is_owner_alive(owner):
        return _dead(told if is_told else {}, record)
    if not is_told:
        return Standing(state=TRANSITIONING if is_here else UNREACHABLE, port=record.port)
    if time.time() - float(told.get("heartbeat_at", 0.0)) > SILENCE_SECONDS:
        return Standing(state=UNHEALTHY if is_here else UNREACHABLE, port=record.port)
    return _alive(told, read_json(folder.spec_file))


def _dead(told: Mapping[str, Any], record: DeploymentRecord) -> Standing:
    if told.get("state") == FAILED:
        return Standing(state=FAILED, is_settled=True, error=str(told["error"]), port=record.port)
    error = (
        f"Its process has ended. To start it again at the same address: "
        f"Webservice(ws, {record.name!r}).reload()."
    )
    return Standing(state=UNHEALTHY, is_settled=True, error=error, port=record.port)


def _alive(told: Mapping[str, Any], spec: Mapping[str, Any]) -> Standing:
    slots: Mapping[str, Mapping[str, Any]] = told["slots"]
    wanted: Mapping[str, int | None] = spec.get("slots", {})
    serving = {n: int(s["revision"]) for n, s in slots.items() if s["revision"] is not None}
    errors = [
        str(slot["error"])
        for name, slot in slots.items()
        if slot["error"] and slot["wanted"] == wanted.get(name)
    ]
    is_behind = any(serving.get(name) != number for name, number in wanted.items())
    state = str(told["state"])
    if state == HEALTHY and is_behind and not errors:
        state = TRANSITIONING
    return Standing(
        state=state,
        is_settled=bool(errors) or (state == HEALTHY and not is_behind) or state == FAILED,
        error=errors[0] if errors else "",
        log=str(told.get("log", "")),
        port=int(told["port"]),
        n_restarts=sum(int(slot["restarts"]) for slot in slots.values()),
        serving=serving,
    )
