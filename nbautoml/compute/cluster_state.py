"""What a cluster's process and the rest of the platform tell each other: two small files.

The process writes ``state.json``, others write ``options.json``. The folder is one of the machine
that the process runs on. Beside them are its log, the logs of nodes that it starts elsewhere, and
the certificates that its scheduler asks for.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any  # Any: JSON values

from nbautoml.compute.cluster_options import ClusterOptions
from nbautoml.domain.records import Owner
from nbautoml.store.reaper import is_owner_alive

OPTIONS, STATE, LOG, LOCK = "options.json", "state.json", "cluster.log", "lock"
NODE_LOGS, TLS = "nodes", "tls"
"""Folders: logs of nodes, and certificates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterState:
    """A cluster's process and its nodes at a moment.

    Parameters
    ----------
    pid, started_at
        The process: pids are used again.
    written_at : float
        When this was written, in seconds since the epoch.
    address : str
        The scheduler's; empty while it starts.
    dashboard : str
        Address of Dask's own page; empty where there is none.
    n_wanted : int
        How many nodes are to be there.
    n_clients : int
        Runs that use the cluster now.
    nodes : tuple of dict
        ``id``, ``state`` (``"running"`` or ``"idle"``), ``cores``, ``memory_bytes`` (held) and
        ``gpus``.
    error : str
        Why the process gave up, if it did.
    problem : str
        What goes wrong with nodes now; the process goes on trying.
    """

    pid: int
    started_at: float
    written_at: float
    address: str = ""
    dashboard: str = ""
    n_wanted: int = 0
    n_clients: int = 0
    nodes: tuple[Mapping[str, Any], ...] = field(default=())
    error: str = ""
    problem: str = ""

    @property
    def is_alive(self) -> bool:
        """Whether the process is there."""
        owner = Owner(host=socket.gethostname(), pid=self.pid, started_at=self.started_at)
        return is_owner_alive(owner)

    @property
    def is_ready(self) -> bool:
        """Whether runs can use the cluster."""
        return bool(self.address) and not self.error and self.is_alive


def read_state(folder: Path) -> ClusterState | None:
    """Return what the process wrote last; None when it never did."""
    values = _read(folder / STATE)
    if values is None:
        return None
    return ClusterState(**{**values, "nodes": tuple(values["nodes"])})


def write_state(folder: Path, state: ClusterState) -> None:
    """Say how the cluster stands."""
    _write(folder / STATE, asdict(state))


def read_options(folder: Path) -> ClusterOptions | None:
    """Return what the cluster is to be; None when it is to be gone."""
    values = _read(folder / OPTIONS)
    return None if values is None else ClusterOptions.from_dict(values)


def write_options(folder: Path, options: ClusterOptions) -> None:
    """Say what the cluster is to be; its process looks twice a second."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / OPTIONS, options.to_dict())


def _read(path: Path) -> dict[str, Any] | None:
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return values


def _write(path: Path, values: Mapping[str, Any]) -> None:
    """Replace a file as a whole: nobody reads half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    draft.write_text(json.dumps(values) + "\n", encoding="utf-8")
    draft.replace(path)
