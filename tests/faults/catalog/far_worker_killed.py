"""SIGKILL of a worker that keeps copies of the data, for it does not see the run's files."""

from __future__ import annotations

from tests.faults.catalog.worker_killed import inject
from tests.faults.fault import Fault
from tests.faults.stages import with_far_team

FAULT = Fault(
    name="far worker killed",
    sentence="SIGKILL of a worker on a machine that does not see the run's files",
    inject=inject,
    stage=with_far_team,
)
