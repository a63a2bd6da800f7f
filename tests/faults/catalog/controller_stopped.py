"""SIGSTOP of the run's process, as a machine that swaps or a laptop that sleeps."""

from __future__ import annotations

import time

from tests.faults.fault import Fault
from tests.faults.scene import Scene

STOP_SECONDS, SHORT_STOP_SECONDS = 20.0, 1.5


def stop(scene: Scene, kind: str) -> str:
    """Stop a process for a while; return what was done."""
    moment = scene.wait_for_moment()
    process = scene.one(kind)
    seconds = SHORT_STOP_SECONDS if scene.is_short else STOP_SECONDS
    process.suspend()
    time.sleep(seconds)
    process.resume()
    return f"{kind} {process.pid} for {seconds:g} s, {moment}"


FAULT = Fault(
    name="controller stopped",
    sentence="SIGSTOP of the run's own process for 20 s",
    inject=lambda scene: stop(scene, "controller"),
)
