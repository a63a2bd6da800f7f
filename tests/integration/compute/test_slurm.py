"""Clusters of jobs, against a real Slurm of one node."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from nbautoml import ComputeTarget, SlurmCluster, Workspace
from nbautoml.compute.configurations import ProvisioningConfiguration
from nbautoml.testing.compute_contract import (
    check_cluster_comes_back,
    check_cluster_keeps_the_executor_contract,
    check_cluster_lives_and_ends,
)
from tests.integration.compute.conftest import long_form, wait_for

pytestmark = pytest.mark.integration


def jobs(*, cores: int = 2) -> ProvisioningConfiguration:
    return SlurmCluster.provisioning_configuration(
        cores=cores,
        memory_gb=1,
        max_nodes=2 // cores,
        idle_seconds=1,
        partition="main",
        scheduler_host="127.0.0.1",
    )


def queue() -> list[str]:
    said = subprocess.run(["squeue", "-h", "-o", "%j"], capture_output=True, text=True, check=True)
    return said.stdout.split()


def test_it_lives_and_ends(workspace: Workspace, slurm: Path) -> None:
    check_cluster_lives_and_ends(workspace, "jobs", jobs())
    wait_for(lambda: not queue(), f"jobs are left: {queue()}")


def test_jobs_that_wait_are_canceled_with_their_cluster(workspace: Workspace, slurm: Path) -> None:
    config = SlurmCluster.provisioning_configuration(
        cores=1, memory_gb=1, min_nodes=1, scheduler_host="127.0.0.1", directives=["--hold"]
    )
    target = ComputeTarget.create(workspace, "held", config)
    wait_for(lambda: len(queue()) == 1, "no job was submitted")
    assert queue()[0].startswith("nbautoml-held-")
    target.delete()
    wait_for(lambda: not queue(), f"jobs are left: {queue()}")


@long_form
def test_it_keeps_the_executor_contract(workspace: Workspace, slurm: Path) -> None:
    check_cluster_keeps_the_executor_contract(workspace, "jobs", jobs())


@long_form
def test_it_comes_back(workspace: Workspace, slurm: Path) -> None:
    check_cluster_comes_back(workspace, "jobs", jobs())
