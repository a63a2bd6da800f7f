"""SIGKILL of a worker: its trials run again in another one, nothing else does."""

from __future__ import annotations

from tests.faults.fault import Fault
from tests.faults.scene import Scene


def inject(scene: Scene) -> str:
    """Kill a worker during the search."""
    moment = scene.wait_for_moment()
    return f"{scene.kill('worker')}, {moment}"


FAULT = Fault(
    name="worker killed",
    sentence="SIGKILL of the process that looks after the trials",
    inject=inject,
    works=("scripted", "automl"),
)
