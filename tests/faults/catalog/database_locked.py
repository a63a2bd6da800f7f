"""Another process keeps the database locked for seconds: everybody waits, nothing is lost."""

from __future__ import annotations

import sqlite3
import time

from tests.faults.fault import Fault
from tests.faults.scene import Scene


def inject(scene: Scene) -> str:
    """Hold the lock for writing."""
    moment = scene.wait_for_moment()
    seconds = 2.0 if scene.is_short else scene.rng.uniform(2.0, 45.0)
    file = scene.session.engine.database_file
    connection = sqlite3.connect(file, isolation_level=None, timeout=30.0)
    connection.execute("BEGIN IMMEDIATE")
    time.sleep(seconds)
    connection.execute("ROLLBACK")
    connection.close()
    return f"for {seconds:.0f} s, {moment}"


FAULT = Fault(
    name="database locked",
    sentence="Another process holds the lock for writing, up to 45 s",
    inject=inject,
    works=("scripted", "automl"),
)
