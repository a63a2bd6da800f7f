"""SIGKILL of the kernel that submitted the run: the run does not notice."""

from __future__ import annotations

from tests.faults.fault import Fault
from tests.faults.scene import Scene


def inject(scene: Scene) -> str:
    """Kill the kernel, right after the submission or later."""
    moment = "right after the submission"
    if scene.rng.random() < 0.5:
        moment = scene.wait_for_moment()
    return f"{scene.kill('kernel')}, {moment}"


FAULT = Fault(
    name="kernel killed",
    sentence="SIGKILL of the kernel that submitted the run",
    inject=inject,
    works=("scripted", "automl"),
)
