"""What every kind of compute target does."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol  # Any: JSON values

from nbautoml.domain.ports import Executor


class Backend(Protocol):
    """One compute target, as its kind does things."""

    kind: ClassVar[str]

    def status(self) -> dict[str, Any]:
        """Return the state with the SDK's keys; ``cores``, ``memoryBytes``, ``gpus`` of a node."""

    def nodes(self) -> list[dict[str, Any]]:
        """Return ``id``, ``state``, ``cores``, ``memory_bytes`` and ``gpus`` of each node."""

    def start(self) -> None:
        """Make it usable; returns at once."""

    def delete(self) -> None:
        """End what was started for it."""

    def executor(self, max_concurrent: int | None) -> Executor:
        """Return an executor of its own for a run."""


def sdk_status(
    *,
    n_nodes: int,
    n_wanted: int,
    cores: int,
    memory_bytes: int,
    n_running: int = 0,
    provisioning: str = "Succeeded",
    error: str = "",
    gpus: int = 0,
) -> dict[str, Any]:
    """Return a state with the SDK's keys, and ``cores``, ``memoryBytes`` and ``gpus`` of a node.

    Parameters
    ----------
    n_nodes, n_wanted : int
        How many nodes there are, and are to be.
    cores, memory_bytes : int
        What a node has to give.
    n_running : int, default 0
        How many nodes work on a trial.
    provisioning : str, default "Succeeded"
        Whether the target can be used.
    error : str, default ""
        What went wrong.
    gpus : int, default 0
        Graphics cards of a node.
    """
    return {
        "provisioningState": provisioning,
        "allocationState": "Steady" if n_nodes == n_wanted else "Resizing",
        "currentNodeCount": n_nodes,
        "targetNodeCount": n_wanted,
        "nodeStateCounts": {
            "preparingNodeCount": max(0, n_wanted - n_nodes),
            "runningNodeCount": n_running,
            "idleNodeCount": n_nodes - n_running,
            "unusableNodeCount": 0,
            "leavingNodeCount": max(0, n_nodes - n_wanted),
            "preemptedNodeCount": 0,
        },
        "errors": [{"error": {"message": error}}] if error else None,
        "cores": cores,
        "memoryBytes": memory_bytes,
        "gpus": gpus,
    }
