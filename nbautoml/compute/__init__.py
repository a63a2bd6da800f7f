"""Where trials run: compute targets, and the executor that drives worker processes through Dask.

Names are imported when they are first asked for, so that child processes, which need only
`nbautoml.compute.child`, do not load Dask.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbautoml.compute.clusters import AmlCompute, DaskCluster
    from nbautoml.compute.elsewhere import (
        GatewayCluster,
        KubernetesCluster,
        RemoteCompute,
        SlurmCluster,
        SshCluster,
    )
    from nbautoml.compute.local import start_executor
    from nbautoml.compute.spec import ExecutorSpec, default_spec
    from nbautoml.compute.target import ComputeTarget, check_target, executor_of

__all__ = [
    "AmlCompute",
    "ComputeTarget",
    "DaskCluster",
    "ExecutorSpec",
    "GatewayCluster",
    "KubernetesCluster",
    "RemoteCompute",
    "SlurmCluster",
    "SshCluster",
    "check_target",
    "default_spec",
    "executor_of",
    "start_executor",
]

_MODULES = {
    "AmlCompute": "clusters",
    "ComputeTarget": "target",
    "DaskCluster": "clusters",
    "ExecutorSpec": "spec",
    "GatewayCluster": "elsewhere",
    "KubernetesCluster": "elsewhere",
    "RemoteCompute": "elsewhere",
    "SlurmCluster": "elsewhere",
    "SshCluster": "elsewhere",
    "check_target": "target",
    "default_spec": "spec",
    "executor_of": "target",
    "start_executor": "local",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
