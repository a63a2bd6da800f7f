"""SIGKILL of a team's scheduler: the run waits for it, and attaches again."""

from __future__ import annotations

import time

from tests.faults.fault import Fault
from tests.faults.scene import Scene
from tests.faults.stages import with_team


def inject(scene: Scene) -> str:
    """Kill the scheduler; the team starts it and its worker again on the same port."""
    moment = scene.wait_for_moment()
    harm = scene.kill("scheduler")
    time.sleep(scene.rng.uniform(0.2, 2.0))
    scene.end(scene.processes("nanny"))
    scene.team.start_scheduler()
    scene.team.start_worker()
    return f"{harm}, {moment}"


FAULT = Fault(
    name="scheduler killed",
    sentence="SIGKILL of a team's Dask scheduler, which is started again on its port",
    inject=inject,
    stage=with_team,
)
