"""Clusters by ssh, against a real ssh server of this machine."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from sklearn.datasets import load_iris

from nbautoml import AutoMLConfig, ComputeTarget, Experiment, RemoteCompute, SshCluster, Workspace
from nbautoml.compute.cluster_state import TLS
from nbautoml.compute.configurations import ProvisioningConfiguration
from nbautoml.services.computes import compute_log
from nbautoml.testing.compute_contract import (
    check_cluster_comes_back,
    check_cluster_keeps_the_executor_contract,
    check_cluster_lives_and_ends,
    marked,
    processes_with,
)
from tests.integration.compute.conftest import Sshd, long_form, wait_for

pytestmark = pytest.mark.integration


def hosts(sshd: Sshd, *, cores: int = 1, **more: object) -> ProvisioningConfiguration:
    """Two names of this machine."""
    return SshCluster.provisioning_configuration(
        ["127.0.0.1", "localhost"],
        cores=cores,
        user=sshd.user,
        port=sshd.port,
        key_file=str(sshd.key_file),
        ssh_options=sshd.options,
        idle_seconds=1.0,
        **more,
    )


def test_it_lives_and_ends(workspace: Workspace, sshd: Sshd) -> None:
    check_cluster_lives_and_ends(workspace, "hosts", hosts(sshd))


def test_a_run_goes_there_and_the_certificates_are_its_owners(
    workspace: Workspace, sshd: Sshd
) -> None:
    target = ComputeTarget.create(workspace, "hosts", hosts(sshd))
    frame: pd.DataFrame = load_iris(as_frame=True).frame
    config = AutoMLConfig(
        "classification",
        training_data=frame,
        label_column_name="target",
        iterations=3,
        n_cross_validations=2,
        enable_voting_ensemble=False,
        enable_stack_ensemble=False,
        model_explainability=False,
        compute_target=target,
    )
    run = Experiment(workspace, "far").submit(config)
    assert run.wait_for_completion()["status"] == "Completed"
    assert run.snapshot().config.compute == "hosts"
    files = list((workspace.session.state_dir / "clusters" / "hosts" / TLS).iterdir())
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    log = compute_log(workspace.session, "hosts")
    assert "starting a node on 127.0.0.1" in log["text"]
    node = compute_log(workspace.session, "hosts", node=log["nodes"][0])
    assert "works for tls://" in node["text"]


def test_a_host_that_does_not_let_us_in_is_named(
    workspace: Workspace, sshd: Sshd, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("no key\n")
    config = SshCluster.provisioning_configuration(
        ["127.0.0.1"],
        port=sshd.port,
        user=sshd.user,
        key_file=str(wrong),
        ssh_options=sshd.options,
        min_nodes=1,
    )
    target = ComputeTarget.create(workspace, "closed", config)
    wait_for(lambda: bool(target.get_status().errors), "no error is told")
    (error,) = target.get_status().errors
    assert error["error"]["message"].startswith("127.0.0.1: ")
    assert target.get_status().current_node_count == 0


def test_a_machine_is_attached_as_the_sdk_did_and_detached(
    workspace: Workspace, sshd: Sshd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    attach = RemoteCompute.attach_configuration(
        username=sshd.user,
        address="127.0.0.1",
        ssh_port=sshd.port,
        private_key_file=str(sshd.key_file),
    )
    with marked() as mark:
        target = ComputeTarget.attach(workspace, "vm", attach)
        target.wait_for_completion(timeout_in_minutes=2)
        assert target.type == "Ssh"
        assert processes_with(mark)
        target.detach()
        wait_for(lambda: not processes_with(mark), "something is left")
    assert "vm" not in workspace.compute_targets


@long_form
def test_it_keeps_the_executor_contract(workspace: Workspace, sshd: Sshd) -> None:
    check_cluster_keeps_the_executor_contract(workspace, "hosts", hosts(sshd, cores=2))


@long_form
def test_it_comes_back(workspace: Workspace, sshd: Sshd) -> None:
    check_cluster_comes_back(workspace, "hosts", hosts(sshd))
