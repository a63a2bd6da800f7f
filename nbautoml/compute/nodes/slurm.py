"""Nodes that are jobs of a Slurm queue; dask-jobqueue writes and submits them."""

from __future__ import annotations

import logging
import shlex
import sys
import time
from typing import Any  # Any: dask-jobqueue is not typed

import dask
from dask_jobqueue.slurm import SLURMCluster

from nbautoml.compute.cluster_state import NODE_LOGS
from nbautoml.compute.credentials import make_credentials
from nbautoml.compute.gpus import RESOURCE
from nbautoml.compute.local import CLOSE_SECONDS, DASK_SETTINGS
from nbautoml.compute.nodes._base import (
    LOOPBACK,
    ClusterNodes,
    Setting,
    own_address,
)
from nbautoml.compute.places import SlurmPlace
from nbautoml.store.detached import import_environment

AGAIN_SECONDS = 30.0
"""So often jobs that have ended by themselves are submitted again."""
DEATH_SECONDS = 60
"""A worker that finds no scheduler for so long gives its node back."""
DEFAULT_BYTES = 4 << 30
"""Memory of a job when nobody said how much: Slurm wants a number."""

logger = logging.getLogger(__name__)


class SlurmNodes(ClusterNodes):
    """A scheduler in this process, and a job for each node.

    Parameters
    ----------
    setting : Setting
        What they are started from.
    """

    def __init__(self, setting: Setting) -> None:
        dask.config.set(DASK_SETTINGS)
        place = SlurmPlace.from_dict(setting.options.place)
        new_cluster: Any = SLURMCluster
        super().__init__(new_cluster(**job_settings(setting, place)))
        logger.info("job script:\n%s", self._cluster.job_script())
        self._n_nodes, self._scaled_at = 0, 0.0

    def scale(self, n_nodes: int) -> None:
        """Have so many jobs; those that ended by themselves are submitted again."""
        now = time.monotonic()
        if n_nodes != self._n_nodes or now - self._scaled_at >= AGAIN_SECONDS:
            self._cluster.scale(n_nodes)
            self._n_nodes, self._scaled_at = n_nodes, now

    def close(self) -> None:
        """Cancel all jobs and end the scheduler."""
        self._cluster.close(timeout=5 * CLOSE_SECONDS)


def job_settings(setting: Setting, place: SlurmPlace) -> dict[str, Any]:
    """Return what dask-jobqueue is given."""
    gpus = setting.shape.gpus
    cards = [f"--gres=gpu:{gpus}"] if gpus else []
    arguments = ["--no-dashboard", "--resources", f"{RESOURCE}={gpus}"] if gpus else []
    return {
        "cores": setting.shape.cores,
        "processes": 1,  # grouped workers would come and go together
        "memory": f"{setting.shape.memory_bytes or DEFAULT_BYTES}B",
        "n_workers": 0,
        "job_name": place.job_name,
        "queue": place.partition or None,
        "account": place.account or None,
        "walltime": place.walltime or None,
        "job_extra_directives": [*cards, *place.directives],
        "job_directives_skip": [] if place.walltime else ["-t "],
        "job_script_prologue": [*environment_lines(place), *place.prologue],
        "worker_extra_args": arguments or ["--no-dashboard"],
        "python": place.python or sys.executable,
        "log_directory": str(setting.folder / NODE_LOGS),
        "death_timeout": DEATH_SECONDS,
        "security": make_credentials(setting.folder),
        "shared_temp_directory": str(setting.folder),
        "scheduler_options": {
            "host": place.scheduler_host or own_address(),
            "dashboard_address": f"{LOOPBACK}:0",
        },
        "silence_logs": logging.CRITICAL,
    }


def environment_lines(place: SlurmPlace) -> list[str]:
    """Return shell lines that give jobs what nodes of this machine get."""
    lines = [
        "export DASK_DISTRIBUTED__WORKER__DAEMON=False",
        "export DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False",
    ]
    if not place.python:  # the same files under the same paths, as those of the workspace
        lines.append(f"export PYTHONPATH={shlex.quote(import_environment()['PYTHONPATH'])}")
    return lines


def start(setting: Setting) -> SlurmNodes:
    """Start the scheduler."""
    return SlurmNodes(setting)
