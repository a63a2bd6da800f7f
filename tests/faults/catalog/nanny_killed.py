"""SIGKILL of a Dask nanny: its worker ends with it; the team starts another one."""

from __future__ import annotations

import time

from tests.faults.fault import Fault
from tests.faults.scene import Scene
from tests.faults.stages import with_team


def inject(scene: Scene) -> str:
    """Kill the nanny, and start another one a moment later."""
    moment = scene.wait_for_moment()
    harm = scene.kill("nanny")
    time.sleep(scene.rng.uniform(0.2, 1.0))
    scene.team.start_worker()
    return f"{harm}, {moment}"


FAULT = Fault(
    name="nanny killed",
    sentence="SIGKILL of the nanny of a team's worker; another one is started",
    inject=inject,
    stage=with_team,
)
