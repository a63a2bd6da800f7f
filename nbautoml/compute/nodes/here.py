"""Nodes that are processes of this machine."""

from __future__ import annotations

from typing import Any  # Any: distributed is typed in part only

from distributed import LocalCluster

from nbautoml.compute.nodes._base import (
    ClusterNodes,
    Setting,
    close_cluster,
    start_scheduler,
)

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""Variable that says which graphics cards a process sees; it counts them from 0."""


class NodesHere(ClusterNodes):
    """Workers of this machine, behind a scheduler on the loopback address.

    Parameters
    ----------
    setting : Setting
        What they are started from.
    """

    def __init__(self, setting: Setting) -> None:
        gpus = setting.shape.gpus
        kind: Any = sharing_cards(gpus) if gpus else LocalCluster
        super().__init__(start_scheduler(setting, cluster_class=kind))
        self._n_nodes = 0

    def scale(self, n_nodes: int) -> None:
        """Have so many nodes."""
        if n_nodes != self._n_nodes:
            self._cluster.scale(n_nodes)
            self._n_nodes = n_nodes

    def close(self) -> None:
        """End them all."""
        close_cluster(self._cluster)


def sharing_cards(n_each: int) -> type:
    """Return a class of clusters whose nodes see different graphics cards, `n_each` a node."""

    class SharingCluster(LocalCluster):
        """Gives each new node the first cards that no other has."""

        def new_worker_spec(self) -> dict[Any, dict[str, Any]]:
            """Return what the next node is started from."""
            made: Any = super().new_worker_spec()  # type: ignore[no-untyped-call]
            ((name, spec),) = made.items()
            options = dict(spec["options"])
            taken = [s["options"].get("env", {}).get(VISIBLE) for s in self.worker_spec.values()]
            options["env"] = {**options.get("env", {}), VISIBLE: free_cards(n_each, taken)}
            return {name: {**spec, "options": options}}

    return SharingCluster


def free_cards(n_each: int, taken: list[str | None]) -> str:
    """Return the first cards of `n_each` in a row that are not taken.

    Examples
    --------
    >>> free_cards(2, ["0,1", "4,5"])
    '2,3'
    """
    place = 0
    while (cards := ",".join(str(n) for n in range(place, place + n_each))) in taken:
        place += n_each
    return cards


def start(setting: Setting) -> NodesHere:
    """Start the scheduler."""
    return NodesHere(setting)
