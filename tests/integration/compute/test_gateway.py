"""Clusters of a gateway, against a real server whose workers are processes of this machine."""

from __future__ import annotations

import pytest

from nbautoml import ComputeTarget, GatewayCluster, Workspace
from nbautoml.compute.cluster_state import read_state
from nbautoml.compute.configurations import ProvisioningConfiguration
from nbautoml.testing.compute_contract import (
    check_cluster_keeps_the_executor_contract,
    check_cluster_lives_and_ends,
)
from tests.integration.compute.conftest import GatewayServer, long_form

pytestmark = pytest.mark.integration


def served(gateway: GatewayServer, *, max_nodes: int = 1) -> ProvisioningConfiguration:
    return GatewayCluster.provisioning_configuration(
        gateway.address,
        proxy_address=gateway.proxy_address,
        auth="basic",
        max_nodes=max_nodes,
        idle_seconds=1,
    )


def test_it_lives_and_ends(workspace: Workspace, gateway: GatewayServer) -> None:
    check_cluster_lives_and_ends(workspace, "served", served(gateway))
    assert names_of(gateway) == []


def names_of(gateway: GatewayServer) -> list[str]:
    from dask_gateway import Gateway

    with Gateway(gateway.address, proxy_address=gateway.proxy_address, auth="basic") as client:
        return [report.name for report in client.list_clusters()]


@long_form
def test_what_a_killed_process_left_is_ended_with_the_target(
    workspace: Workspace, gateway: GatewayServer
) -> None:
    target = ComputeTarget.create(workspace, "served", served(gateway))
    target.wait_for_completion(timeout_in_minutes=2)
    state = read_state(workspace.session.state_dir / "clusters" / "served")
    assert state is not None
    kill(state.pid)
    assert len(names_of(gateway)) == 1
    target.delete()
    assert names_of(gateway) == []


def kill(pid: int) -> None:
    import psutil

    process = psutil.Process(pid)
    process.kill()
    process.wait(10)


@long_form
def test_it_keeps_the_executor_contract(workspace: Workspace, gateway: GatewayServer) -> None:
    # Two slots, so that two workers.
    check_cluster_keeps_the_executor_contract(workspace, "served", served(gateway, max_nodes=2))
