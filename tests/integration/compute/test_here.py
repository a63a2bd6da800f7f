"""Clusters of this machine keep the contract of all clusters."""

from __future__ import annotations

import pytest

from nbautoml import DaskCluster, Workspace
from nbautoml.compute.configurations import ProvisioningConfiguration
from nbautoml.testing.compute_contract import (
    check_cluster_comes_back,
    check_cluster_lives_and_ends,
)
from tests.integration.compute.conftest import long_form

pytestmark = pytest.mark.integration


def nodes() -> ProvisioningConfiguration:
    return DaskCluster.provisioning_configuration(0, 1, cores=2, idle_seconds=1)


@long_form
def test_it_lives_and_ends(workspace: Workspace) -> None:
    check_cluster_lives_and_ends(workspace, "here", nodes())


@long_form
def test_it_comes_back(workspace: Workspace) -> None:
    check_cluster_comes_back(workspace, "here", nodes())
