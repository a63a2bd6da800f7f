"""SIGKILL of the run's own process: whoever waits for the run has it started again."""

from __future__ import annotations

from tests.faults.fault import Fault
from tests.faults.scene import Scene


def inject(scene: Scene) -> str:
    """Kill the controller during the search."""
    moment = scene.wait_for_moment()
    return f"{scene.kill('controller')}, {moment}"


FAULT = Fault(
    name="controller killed",
    sentence="SIGKILL of the run's own process",
    inject=inject,
    works=("scripted", "automl"),
)
