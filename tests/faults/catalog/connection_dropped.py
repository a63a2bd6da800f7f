"""The connection to the scheduler breaks for a moment: the run attaches again."""

from __future__ import annotations

from tests.faults.fault import Fault
from tests.faults.scene import Scene
from tests.faults.stages import with_proxy


def inject(scene: Scene) -> str:
    """Break all connections between the run and the scheduler."""
    moment = scene.wait_for_moment()
    seconds = scene.rng.uniform(0.1, 1.0 if scene.is_short else 20.0)
    scene.proxy.drop(seconds)
    return f"for {seconds:.1f} s, {moment}"


FAULT = Fault(
    name="connection dropped",
    sentence="The TCP connections between run and scheduler break, up to 20 s",
    inject=inject,
    stage=with_proxy,
)
