"""A hole in the network: nothing breaks, nothing arrives; then everything goes on."""

from __future__ import annotations

from tests.faults.fault import Fault
from tests.faults.scene import Scene
from tests.faults.stages import with_proxy


def inject(scene: Scene) -> str:
    """Hold all bytes between the run and the scheduler."""
    moment = scene.wait_for_moment()
    seconds = scene.rng.uniform(0.5, 2.0 if scene.is_short else 20.0)
    scene.proxy.hold(seconds)
    return f"for {seconds:.1f} s, {moment}"


FAULT = Fault(
    name="connection held",
    sentence="No byte passes between run and scheduler, up to 20 s",
    inject=inject,
    stage=with_proxy,
)
