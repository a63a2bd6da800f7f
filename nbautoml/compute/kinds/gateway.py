"""A cluster that a server of dask-gateway keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from nbautoml.compute.cluster_state import ClusterState
from nbautoml.compute.kinds.cluster import ClusterBackend
from nbautoml.compute.kinds.ssh import need_package
from nbautoml.compute.places import GatewayPlace

if TYPE_CHECKING:
    from nbautoml.compute.connection import Cluster

GATEWAY = "DaskGateway"
"""The type, as `ComputeTarget.type` has it."""


class GatewayBackend(ClusterBackend):
    """Scheduler and nodes of a gateway."""

    kind: ClassVar[str] = GATEWAY
    start_seconds: ClassVar[float] = 300.0
    stop_seconds: ClassVar[float] = 60.0
    keeps_after_death: ClassVar[bool] = True

    def check_programs(self) -> None:
        """Look for the gateway's client."""
        need_package("dask_gateway", "gateway")

    def workers(self, state: ClusterState) -> Cluster:
        """Return what connects a run to the nodes: the gateway lets it in."""
        from nbautoml.compute.nodes.gateway import GatewayWorkers

        del state
        return GatewayWorkers(GatewayPlace.from_dict(self.options.place), self.folder)
