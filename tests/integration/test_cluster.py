"""Clusters of this machine: real processes that outlive whoever started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import psutil
import pytest
from sklearn.datasets import load_breast_cancer

from nbautoml import AmlCompute, AutoMLConfig, ComputeTarget, DaskCluster, Experiment, Workspace
from nbautoml.compute import executor_of
from nbautoml.compute.cluster_state import read_state
from nbautoml.domain.ports import Executor
from nbautoml.errors import ComputeTargetException
from nbautoml.testing.executor_contract import EXECUTOR_CHECKS

pytestmark = pytest.mark.integration

PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    workspace = Workspace.create("w", path=tmp_path_factory.mktemp("workspace"))
    yield workspace
    for target in ComputeTarget.list(workspace)[1:]:
        target.delete()
    workspace.session.close()


@pytest.fixture(scope="module")
def cluster(workspace: Workspace) -> ComputeTarget:
    config = DaskCluster.provisioning_configuration(0, 2, cores=1, idle_seconds=1.0)
    target = ComputeTarget.create(workspace, "two-nodes", config)
    target.wait_for_completion()
    return target


@pytest.fixture(scope="module")
def executor(workspace: Workspace, cluster: ComputeTarget) -> Iterator[Executor]:
    executor = executor_of(workspace.session, cluster.name, None)
    yield executor
    executor.close()


def wait_for(check: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not check():
        assert time.monotonic() < until, what
        time.sleep(0.1)


def process_of(workspace: Workspace, name: str) -> psutil.Process:
    state = read_state(workspace.session.state_dir / "clusters" / name)
    assert state is not None
    return psutil.Process(state.pid)


def cancer() -> pd.DataFrame:
    frame: pd.DataFrame = load_breast_cancer(as_frame=True).frame
    return frame.iloc[:, -9:]


def config(**more: object) -> AutoMLConfig:
    return AutoMLConfig(
        "classification",
        training_data=cancer(),
        label_column_name="target",
        primary_metric="AUC_weighted",
        n_cross_validations=2,
        iterations=4,
        **more,
    )


@pytest.mark.parametrize("check", EXECUTOR_CHECKS, ids=lambda check: check.__name__)
def test_a_cluster_keeps_the_executor_contract(
    check: Callable[[Executor], None], executor: Executor
) -> None:
    check(executor)


def test_a_run_makes_it_grow_and_it_shrinks_to_nothing(
    workspace: Workspace, cluster: ComputeTarget, executor: Executor
) -> None:
    executor.close()
    wait_for(lambda: cluster.get_status().current_node_count == 0, "no node without work")
    run = Experiment(workspace, "grow").submit(config(compute_target=cluster))
    wait_for(lambda: cluster.get_status().current_node_count >= 1, "a node for the run")
    assert cluster.list_nodes()[0]["cores"] == 1
    assert run.wait_for_completion()["status"] == "Completed"
    assert run.snapshot().config.compute == "two-nodes"
    wait_for(lambda: cluster.get_status().current_node_count == 0, "no node after the run")
    assert cluster.provisioning_state == "Succeeded"


def test_the_notebooks_way_to_a_cluster(workspace: Workspace, capsys: object) -> None:
    name = "cpu-cluster"
    try:
        target = ComputeTarget(workspace=workspace, name=name)
    except ComputeTargetException:
        compute_config = AmlCompute.provisioning_configuration(
            vm_size="STANDARD_D2_V2", min_nodes=1, max_nodes=4
        )
        target = ComputeTarget.create(workspace, name, compute_config)
    target.wait_for_completion(show_output=True, min_node_count=1, timeout_in_minutes=5)
    assert name in workspace.compute_targets
    status = target.get_status().serialize()
    assert status["provisioningState"] == "Succeeded"
    assert status["currentNodeCount"] == 1
    assert status["vmSize"] == "STANDARD_D2_V2"
    assert status["scaleSettings"]["maxNodeCount"] == 4
    assert AmlCompute(workspace, name).type == "AmlCompute"

    target.update(min_nodes=0, idle_seconds_before_scaledown=0)
    wait_for(lambda: target.get_status().current_node_count == 0, "no node")

    process = process_of(workspace, name)
    tree = [process, *process.children(recursive=True)]
    target.delete()
    assert not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in tree)
    assert name not in workspace.compute_targets
    with pytest.raises(ComputeTargetException):
        ComputeTarget(workspace, name)


def test_a_cluster_that_was_killed_is_started_again_by_the_next_run(
    workspace: Workspace, cluster: ComputeTarget
) -> None:
    first = process_of(workspace, cluster.name)
    first.send_signal(signal.SIGKILL)
    first.wait(10)
    run = Experiment(workspace, "again").submit(config(compute_target=cluster.name))
    assert run.wait_for_completion()["status"] == "Completed"
    assert process_of(workspace, cluster.name).pid != first.pid


def test_a_cluster_in_use_is_not_deleted(workspace: Workspace, cluster: ComputeTarget) -> None:
    executor = executor_of(workspace.session, cluster.name, None)
    try:
        wait_for(lambda: executor.workers().n_workers > 0, "a worker")
        with pytest.raises(ComputeTargetException, match="1 running run uses it"):
            cluster.delete()
    finally:
        executor.close()


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """A scheduler with two workers, started as a team would."""
    file = tmp_path / "scheduler.json"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    dask = [sys.executable, "-m", "dask"]
    place = ["--scheduler-file", str(file)]
    begin = [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", *place]
    work = [*dask, "worker", "--nworkers", "2", "--nthreads", "1", "--no-dashboard", *place]
    processes = [
        subprocess.Popen(command, cwd=tmp_path, env=environment) for command in (begin, work)
    ]
    wait_for(file.is_file, "the scheduler")
    yield pd.read_json(file, typ="series")["address"]
    for process in reversed(processes):
        process.terminate()
        process.wait(20)


def test_a_scheduler_that_runs_is_attached_and_left_alone(
    workspace: Workspace, scheduler: str
) -> None:
    attach = DaskCluster.attach_configuration(scheduler)
    target = ComputeTarget.attach(workspace, "team", attach)
    wait_for(lambda: target.get_status().current_node_count == 2, "two workers")
    run = Experiment(workspace, "team").submit(config(compute_target=target))
    assert run.wait_for_completion()["status"] == "Completed"
    assert target.get_status().current_node_count == 2
    target.detach()
    assert "team" not in workspace.compute_targets
