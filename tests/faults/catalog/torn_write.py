"""A file that is half written when its process dies: nothing ever leads to it."""

from __future__ import annotations

import os
import uuid

from tests.faults.fault import Fault
from tests.faults.scene import Scene


def inject(scene: Scene) -> str:
    """Leave half a file, as a kill during a write does, and kill the writer."""
    moment = scene.wait_for_moment()
    scene.until(lambda: scene.n_ended() >= 1, "a trial")
    folder = scene.workspace / ".nbautoml" / "artifacts"
    harm = scene.kill("controller")
    (folder / "tmp" / uuid.uuid4().hex).write_bytes(os.urandom(scene.rng.randint(1, 5000)))
    return f"{harm}, {moment}"


FAULT = Fault(
    name="torn write",
    sentence="The run's process dies in the middle of writing a file",
    inject=inject,
    works=("scripted", "automl"),
)
