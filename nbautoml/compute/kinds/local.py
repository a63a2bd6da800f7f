"""The machine that the notebook runs on."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any, ClassVar  # Any: JSON values

from nbautoml.compute.gpus import machine_gpus
from nbautoml.compute.kinds._base import sdk_status
from nbautoml.compute.spec import default_spec
from nbautoml.domain.ports import Executor
from nbautoml.errors import ComputeTargetException

LOCAL = "local"
"""Name and type of the target that is always there."""


class LocalBackend:
    """The machine itself: workers are started for each run, and end with it."""

    kind: ClassVar[str] = LOCAL

    def status(self) -> dict[str, Any]:
        """Return what the machine has to give."""
        spec = default_spec()
        cores = spec.n_workers * spec.threads_per_worker
        held = spec.n_workers * (spec.memory_limit_bytes or 0)
        gpus = len(machine_gpus())
        return sdk_status(n_nodes=1, n_wanted=1, cores=cores, memory_bytes=held, gpus=gpus)

    def nodes(self) -> list[dict[str, Any]]:
        """Return the machine."""
        status = self.status()
        return [
            {
                "id": socket.gethostname(),
                "state": "idle",
                "cores": status["cores"],
                "memory_bytes": status["memoryBytes"],
                "gpus": status["gpus"],
            }
        ]

    def start(self) -> None:
        """Do nothing: it is there."""

    def delete(self) -> None:
        """Refuse.

        Raises
        ------
        ComputeTargetException
            Always.
        """
        raise ComputeTargetException(f"The compute target '{LOCAL}' cannot be deleted.")

    def executor(self, max_concurrent: int | None) -> Executor:
        """Start workers in the background."""
        from nbautoml.compute.local import start_executor

        spec = default_spec(max_concurrent)
        return start_executor(replace(spec, n_gpus=min(spec.n_workers, len(machine_gpus()))))
