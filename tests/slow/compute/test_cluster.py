from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from nbautoml.compute.cluster import Demand, Scale
from nbautoml.compute.cluster_options import ClusterOptions, shape_of
from nbautoml.compute.cluster_state import (
    STATE,
    ClusterState,
    read_options,
    read_state,
    write_options,
    write_state,
)

GIB = 1 << 30
IDLE = Demand(n_tasks=0, n_clients=0)


@pytest.mark.parametrize(
    ("options", "cores", "nodes"),
    [
        ({"vm_size": "Standard_D2_v2", "max_nodes": 2}, 2, 2),
        ({"vm_size": "Standard_D2_v2", "max_nodes": 9}, 2, 4),  # no more than there are cores for
        ({"vm_size": "STANDARD_D14_V2", "max_nodes": 2}, 8, 1),  # a node is no larger than us
        ({"vm_size": "my-label", "max_nodes": 3}, 8, 1),
        ({"cores": 1, "max_nodes": 3}, 1, 3),
    ],
)
def test_nodes_fit_the_machine(options: dict[str, object], cores: int, nodes: int) -> None:
    shape = shape_of(ClusterOptions(**options), machine_cores=8, machine_bytes=32 * GIB)
    assert (shape.cores, shape.max_nodes) == (cores, nodes)
    assert shape.memory_bytes * shape.max_nodes <= 32 * GIB
    assert shape.n_slots <= 8


def test_nodes_come_at_once_and_go_after_a_time() -> None:
    options = ClusterOptions(min_nodes=1, max_nodes=4, idle_seconds=10)
    scale = Scale(cores=2, now=0.0)

    def wanted(demand: Demand, now: float, most: int = 4) -> int:
        return scale.wanted(options, demand, most=most, now=now)

    assert wanted(IDLE, 0.0) == 1
    assert wanted(Demand(n_tasks=7, n_clients=1), 1.0) == 4
    assert wanted(Demand(n_tasks=1, n_clients=1), 2.0) == 4
    assert wanted(Demand(n_tasks=0, n_clients=1), 11.0) == 4
    assert wanted(Demand(n_tasks=0, n_clients=1), 12.0) == 1
    assert wanted(Demand(n_tasks=9, n_clients=1), 13.0, most=3) == 3


def test_a_smaller_cluster_is_made_at_once() -> None:
    scale = Scale(cores=1, now=0.0)
    options = ClusterOptions(max_nodes=4, idle_seconds=100)
    busy = Demand(n_tasks=4, n_clients=1)
    assert scale.wanted(options, busy, most=4, now=0.0) == 4
    assert scale.wanted(options, busy, most=2, now=1.0) == 2


def test_a_run_that_looks_at_its_data_has_a_node() -> None:
    scale = Scale(cores=2, now=0.0)
    options = ClusterOptions(idle_seconds=1000)
    assert scale.wanted(options, Demand(n_tasks=0, n_clients=1), most=2, now=0.0) == 1


def test_files_are_read_as_they_were_written(tmp_path: Path) -> None:
    folder = tmp_path / "cluster"
    assert read_options(folder) is None
    assert read_state(folder) is None
    options = ClusterOptions(vm_size="STANDARD_D2_V2", max_nodes=2, description="für alle")
    write_options(folder, options)
    assert read_options(folder) == options
    me = psutil.Process()
    node = {"id": "0", "state": "idle", "cores": 2, "memory_bytes": 5}
    state = ClusterState(
        pid=me.pid, started_at=me.create_time(), written_at=1.0, address="tcp://x:1", nodes=(node,)
    )
    write_state(folder, state)
    found = read_state(folder)
    assert found == state
    assert found.is_ready
    assert [p.name for p in folder.iterdir() if p.name.startswith(".")] == []


def test_a_process_that_is_gone_is_not_ready(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    started_at = psutil.Process(process.pid).create_time()
    values = {"pid": process.pid, "written_at": time.time(), "address": "tcp://x:1"}
    state = ClusterState(started_at=started_at, **values)
    assert state.is_ready
    process.kill()
    process.wait()
    assert not state.is_alive
    # Its number may be another process's by now.
    other = ClusterState(pid=os.getpid(), started_at=started_at - 100, written_at=0.0)
    assert not other.is_alive


def test_a_failed_cluster_is_not_ready() -> None:
    me = psutil.Process()
    values = {"pid": me.pid, "started_at": me.create_time(), "written_at": 1.0}
    assert not ClusterState(address="tcp://x:1", error="no memory", **values).is_ready


def test_the_process_ends_without_options(tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    command = [sys.executable, "-m", "nbautoml.compute.cluster", str(tmp_path / "cluster")]
    assert subprocess.run(command, check=False, timeout=60).returncode == 1
    assert not (tmp_path / "cluster" / STATE).exists()
