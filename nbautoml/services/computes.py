"""Compute targets as a panel lists them."""

from __future__ import annotations

from typing import Any  # Any: JSON values
from urllib.parse import urlsplit

from nbautoml.compute.target import LOCAL, ComputeStatus, ComputeTarget
from nbautoml.domain.records import ComputeRecord
from nbautoml.errors import NotAvailableError
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session


def list_computes(session: Session) -> list[dict[str, Any]]:
    """Return the compute targets of a workspace by name; this machine is always there.

    Returns
    -------
    list of dict
        ``name``, ``kind``, ``state`` (``"Succeeded"`` for one that can be used), ``problem``
        (why it cannot), ``nodes``, ``cores`` and ``memory_bytes`` (None where they are not
        known) and ``dashboard`` (an address, or None).
    """
    with session.read() as tx:
        records = {record.name: record for record in tx.computes.list()}
    names = sorted({LOCAL, *records})
    return [_describe(session, name, records.get(name)) for name in names]


def _describe(session: Session, name: str, record: ComputeRecord | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": name,
        "kind": record.kind if record else LOCAL,
        "state": "NotAvailable",
        "problem": "",
        "nodes": None,
        "cores": None,
        "memory_bytes": None,
        "dashboard": None,
    }
    try:
        status = ComputeTarget(WorkspaceHandle(session), name).get_status()
    except NotAvailableError as error:
        return found | {"problem": str(error)}
    return found | {
        "state": status.provisioning_state,
        "problem": _problem(status),
        "nodes": status.current_node_count,
        "cores": status.values["cores"],
        "memory_bytes": status.values["memoryBytes"],
        "dashboard": _link(str(status.values.get("dashboard") or "")),
    }


def _problem(status: ComputeStatus) -> str:
    """Return what went wrong with a target, if anything did."""
    errors = status.errors or []
    return "; ".join(str(error["error"]["message"]) for error in errors)


def _link(address: str) -> str | None:
    """Return an address, if it is one that a browser may open."""
    return address if urlsplit(address).scheme in {"http", "https"} else None
