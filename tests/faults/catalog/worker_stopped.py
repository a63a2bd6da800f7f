"""SIGSTOP of a worker: its trials go on meanwhile, and are reported afterwards."""

from __future__ import annotations

from tests.faults.catalog.controller_stopped import stop
from tests.faults.fault import Fault

FAULT = Fault(
    name="worker stopped",
    sentence="SIGSTOP of a worker for 20 s",
    inject=lambda scene: stop(scene, "worker"),
)
