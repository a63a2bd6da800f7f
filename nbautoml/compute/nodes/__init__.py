"""Where a cluster's nodes are started: one module a kind, loaded in the cluster's own process.

Each has a function ``start``; those of services that keep what they started when our process dies
have ``end_left_over``, too.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from nbautoml.compute.cluster_options import THIS_MACHINE, ClusterOptions
from nbautoml.compute.nodes._base import Demand as Demand
from nbautoml.compute.nodes._base import Look as Look
from nbautoml.compute.nodes._base import Nodes as Nodes
from nbautoml.compute.nodes._base import Setting as Setting

MODULES: Mapping[str, str] = {
    THIS_MACHINE: "here",
    "Ssh": "ssh",
    "Slurm": "slurm",
    "DaskGateway": "gateway",
    "Kubernetes": "kubernetes",
}
"""Kind of a cluster to the module of this package that starts its nodes."""


def start_nodes(setting: Setting) -> Nodes:
    """Start the scheduler of a cluster, and what it takes to start nodes."""
    nodes: Nodes = _module(setting.options).start(setting)
    return nodes


def end_left_over(options: ClusterOptions, folder: Path) -> None:
    """End what a cluster's process that was killed has left on some service."""
    end = getattr(_module(options), "end_left_over", None)
    if end is not None:
        end(options, folder)


def _module(options: ClusterOptions) -> ModuleType:
    return importlib.import_module(f"{__name__}.{MODULES[options.kind]}")
