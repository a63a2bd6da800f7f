"""The database server is restarted under a run: the run waits, and goes on."""

from __future__ import annotations

import time

from tests.faults.fault import Fault
from tests.faults.scene import Scene
from tests.faults.stages import no_postgres, with_postgres


def inject(scene: Scene) -> str:
    """Stop the server at once, and start it a moment later."""
    moment = scene.wait_for_moment()
    seconds = 1.0 if scene.is_short else scene.rng.uniform(1.0, 15.0)
    scene.postgres.stop()
    time.sleep(seconds)
    scene.postgres.start()
    return f"away for {seconds:.0f} s, {moment}"


FAULT = Fault(
    name="PostgreSQL restarted",
    sentence="The server of the workspace's records is restarted, away up to 15 s",
    inject=inject,
    stage=with_postgres,
    lacks=no_postgres,
)
