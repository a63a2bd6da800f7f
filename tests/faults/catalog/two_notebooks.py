"""The run's process dies while three notebooks wait for it: one of them starts it again."""

from __future__ import annotations

from tests.faults.fault import Fault
from tests.faults.scene import Scene


def inject(scene: Scene) -> str:
    """Open the workspace twice more, then kill the controller."""
    for _ in range(2):
        scene.reopen()
    moment = scene.wait_for_moment()
    harm = scene.kill("controller")
    scene.until(lambda: scene.processes("controller"), "another controller")
    return f"{harm}, {moment}"


FAULT = Fault(
    name="two notebooks more",
    sentence="SIGKILL of the run's process while three notebooks wait for the run",
    inject=inject,
    settings={"trials": 14},
)
