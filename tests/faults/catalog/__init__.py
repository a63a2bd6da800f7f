"""All faults, one a file."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType

from tests.faults.fault import Fault

MODULES = (
    "worker_killed",
    "nanny_killed",
    "scheduler_killed",
    "controller_killed",
    "kernel_killed",
    "everything_killed",
    "two_notebooks",
    "jupyter_killed",
    "cluster_killed",
    "controller_stopped",
    "worker_stopped",
    "memory_hog",
    "endless_trial",
    "disk_full",
    "torn_write",
    "damaged_file",
    "database_locked",
    "postgres_restarted",
    "connection_dropped",
    "connection_held",
    "far_worker_killed",
)


def load() -> Mapping[str, Fault]:
    """Return name to fault."""
    found = [importlib.import_module(f"tests.faults.catalog.{module}").FAULT for module in MODULES]
    return MappingProxyType({fault.name: fault for fault in found})
