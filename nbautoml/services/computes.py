"""Compute targets: what there is, how it stands, and what people may do with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any  # Any: JSON values
from urllib.parse import urlsplit

from nbautoml.compute.cluster_options import ClusterOptions
from nbautoml.compute.cluster_state import LOG, NODE_LOGS
from nbautoml.compute.kinds import CLUSTERS, Backend, ClusterBackend, backend_of, cluster_of
from nbautoml.compute.target import LOCAL, ComputeTarget, find_record
from nbautoml.domain.records import ComputeRecord
from nbautoml.errors import (
    ComputeTargetException,
    ConfigError,
    NotAvailableError,
    NotFoundError,
    did_you_mean,
)
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session

_CHANGES = ("min_nodes", "max_nodes", "idle_seconds")
MOST_LOG_BYTES = 1 << 20
"""One answer holds the end of a log, up to this."""


def list_computes(session: Session) -> list[dict[str, Any]]:
    """Return the compute targets of a workspace by name; this machine is always there.

    Returns
    -------
    list of dict
        ``name``, ``kind``, ``state`` (``"Succeeded"`` for one that can be used), ``problem``
        (why it cannot), ``nodes``, ``cores`` and ``memory_bytes`` (None where they are not
        known), ``gpus`` of a node, ``dashboard`` (an address, or None), ``is_started`` (whether
        the process of a cluster runs) and ``scale`` (``min_nodes``, ``max_nodes`` and
        ``idle_seconds`` of a cluster); the last two are None for what has no process of its own.
    """
    with session.read() as tx:
        records = {record.name: record for record in tx.computes.list()}
    names = sorted({LOCAL, *records})
    return [_describe(session, name, records.get(name)) for name in names]


def compute_details(session: Session, name: str) -> dict[str, Any]:
    """Return one compute target with its scale and its nodes.

    Returns
    -------
    dict
        As in `list_computes`, and ``status`` (with the SDK's keys) and ``list_nodes`` (``id``,
        ``state``, ``cores``, ``memory_bytes``, ``gpus`` of each).

    Raises
    ------
    ComputeTargetException
        When there is none of that name.
    """
    record = find_record(session, name)
    backend = backend_of(session, record)
    status = backend.status()
    return {**_row(name, record, status), "status": status, "list_nodes": _nodes(backend)}


def start_compute(session: Session, name: str) -> dict[str, Any]:
    """Start a cluster's process, unless it runs; return the target as `list_computes` does.

    Raises
    ------
    ComputeTargetException
        When there is none of that name, or it has nothing to start.
    """
    _cluster(session, name).start()
    return _describe(session, name, find_record(session, name))


def stop_compute(session: Session, name: str) -> dict[str, Any]:
    """End a cluster's process and its nodes; the target stays, and the next run starts it again.

    Raises
    ------
    ComputeTargetException
        When there is none of that name, it has nothing to stop, or a run uses it.
    """
    _cluster(session, name).stop()
    return _describe(session, name, find_record(session, name))


def scale_compute(
    session: Session,
    name: str,
    *,
    min_nodes: int | None = None,
    max_nodes: int | None = None,
    idle_seconds: float | None = None,
) -> dict[str, Any]:
    """Change how many nodes a cluster may have; None leaves a value as it is.

    Raises
    ------
    ComputeTargetException
        When there is none of that name, or it has no nodes of its own.
    ConfigError
        When the numbers do not fit.
    """
    target = ComputeTarget(WorkspaceHandle(session), name)
    target.update(min_nodes, max_nodes, idle_seconds)
    return _describe(session, name, find_record(session, name))


def change_compute(session: Session, name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Change how many nodes a cluster may have, as a form sends it.

    Parameters
    ----------
    session : Session
        The open store.
    name : str
        The compute target.
    changes : mapping
        Some of ``min_nodes``, ``max_nodes`` and ``idle_seconds``.

    Raises
    ------
    ComputeTargetException
        When there is none of that name, or it has no nodes of its own.
    ConfigError
        When something else is to be changed, or the numbers do not fit.
    """
    for key, value in changes.items():
        if key not in _CHANGES:
            raise ConfigError(f"Only {', '.join(_CHANGES)} can be changed; got {key!r:.60}.")
        allowed = (int, float) if key == "idle_seconds" else int
        if isinstance(value, bool) or not isinstance(value, allowed):
            raise ConfigError(f"{key} must be a number; got {value!r:.60}.")
    return scale_compute(session, name, **changes)


def delete_compute(session: Session, name: str) -> dict[str, str]:
    """End a compute target and forget it; return its ``name``.

    Raises
    ------
    ComputeTargetException
        When there is none of that name, it is this machine, or a run uses it.
    """
    ComputeTarget(WorkspaceHandle(session), name).delete()
    return {"name": name}


def compute_log(session: Session, name: str, *, node: str = "", after: int = 0) -> dict[str, Any]:
    """Return what a cluster's process, or one of its nodes, has written.

    Parameters
    ----------
    session : Session
        The open store.
    name : str
        The compute target.
    node : str, default ""
        One of ``nodes``; by default the cluster's own process, whose log also has what nodes of
        this machine write.
    after : int, default 0
        How much of it is known already, in bytes.

    Returns
    -------
    dict
        ``text``, ``next`` (to ask with the next time) and ``nodes``, the logs that there are.

    Raises
    ------
    ComputeTargetException
        When there is none of that name, or it keeps no log here.
    NotFoundError
        When there is no log of that node.
    """
    folder = _cluster(session, name).folder
    paths = [path for path in sorted((folder / NODE_LOGS).glob("*")) if path.is_file()]
    logs = {path.name.removesuffix(".log"): path for path in paths}
    if node and node not in logs:
        raise NotFoundError(
            f"The compute target '{name}' has no log of a node called {node!r}."
            f"{did_you_mean(node, logs)} There are: {', '.join(logs) or 'none'}."
        )
    text, end = _read_from(logs[node] if node else folder / LOG, after)
    return {"text": text, "next": end, "nodes": list(logs)}


def _read_from(path: Path, after: int) -> tuple[str, int]:
    """Return what follows in a file, and where it ends; all of one that is shorter than before."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = after if after <= size else 0
            file.seek(max(start, size - MOST_LOG_BYTES))
            return file.read(size - file.tell()).decode(errors="replace"), size
    except FileNotFoundError:
        return "", 0


def _cluster(session: Session, name: str) -> ClusterBackend:
    record = find_record(session, name)
    backend = cluster_of(session, record)
    if backend is None:
        kind = record.kind if record else LOCAL
        raise ComputeTargetException(
            f"The compute target '{name}' of type '{kind}' has no process of its own; clusters "
            "that were made with ComputeTarget.create have one."
        )
    return backend


def _nodes(backend: Backend) -> list[dict[str, Any]]:
    try:
        return backend.nodes()
    except ComputeTargetException:  # an attached scheduler that is gone; the status says so
        return []


def _describe(session: Session, name: str, record: ComputeRecord | None) -> dict[str, Any]:
    try:
        return _row(name, record, backend_of(session, record).status())
    except NotAvailableError as error:
        row = {"state": "NotAvailable", "problem": str(error)}
        unknown = ("nodes", "cores", "memory_bytes", "gpus", "dashboard", "is_started", "scale")
        return _name(name, record) | row | dict.fromkeys(unknown)


def _row(name: str, record: ComputeRecord | None, status: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a list shows of a target, from its status with the SDK's keys."""
    return _name(name, record) | {
        "state": status["provisioningState"],
        "problem": "; ".join(str(e["error"]["message"]) for e in status["errors"] or ()),
        "nodes": status["currentNodeCount"],
        "cores": status["cores"],
        "memory_bytes": status["memoryBytes"],
        "gpus": status["gpus"],
        "dashboard": _link(str(status.get("dashboard") or "")),
        "is_started": status.get("isStarted"),
        "scale": _scale(record),
    }


def _name(name: str, record: ComputeRecord | None) -> dict[str, Any]:
    return {"name": name, "kind": record.kind if record else LOCAL}


def _scale(record: ComputeRecord | None) -> dict[str, Any] | None:
    """Return how far a target scales that has nodes of its own."""
    if record is None or record.kind not in CLUSTERS:
        return None
    options = ClusterOptions.from_dict(record.options["cluster"])
    return {key: getattr(options, key) for key in _CHANGES}


def _link(address: str) -> str | None:
    """Return an address, if it is one that a browser may open."""
    return address if urlsplit(address).scheme in {"http", "https"} else None
