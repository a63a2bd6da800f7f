"""SIGKILL of a managed cluster's process: scheduler and nodes are gone, the run starts it again."""

from __future__ import annotations

from tests.faults.fault import Fault
from tests.faults.scene import Scene
from tests.faults.stages import with_cluster


def inject(scene: Scene) -> str:
    """Kill the cluster's process."""
    moment = scene.wait_for_moment()
    return f"{scene.kill('cluster')}, {moment}"


FAULT = Fault(
    name="cluster killed",
    sentence="SIGKILL of the process of a managed cluster, with its scheduler and its nodes",
    inject=inject,
    stage=with_cluster,
)
