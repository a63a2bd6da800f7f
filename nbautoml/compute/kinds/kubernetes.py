"""A cluster of pods, which the operator of dask-kubernetes keeps."""

from __future__ import annotations

from typing import ClassVar

from nbautoml.compute.kinds.cluster import ClusterBackend
from nbautoml.compute.kinds.ssh import need_package

KUBERNETES = "Kubernetes"
"""The type, as `ComputeTarget.type` has it."""


class KubernetesBackend(ClusterBackend):
    """Pods of a Kubernetes cluster; a port of this machine is forwarded to their scheduler."""

    kind: ClassVar[str] = KUBERNETES
    start_seconds: ClassVar[float] = 300.0
    stop_seconds: ClassVar[float] = 60.0
    keeps_after_death: ClassVar[bool] = True

    def check_programs(self) -> None:
        """Look for the operator's client."""
        need_package("dask_kubernetes", "kubernetes")
