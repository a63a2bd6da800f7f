"""SIGKILL of everything at once, as when a machine is switched off; then somebody opens it."""

from __future__ import annotations

from tests.faults.fault import Fault
from tests.faults.scene import Scene


def inject(scene: Scene) -> str:
    """Kill the kernel, the controller and all that they started."""
    moment = scene.wait_for_moment()
    killed = scene.all_processes()
    scene.end(killed)
    return f"{len(killed)} processes, {moment}"


FAULT = Fault(
    name="everything killed",
    sentence="SIGKILL of every process at once; a notebook opens the workspace later",
    inject=inject,
    works=("scripted", "automl"),
)
