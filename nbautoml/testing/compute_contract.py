"""What every kind of cluster must do, from the first node to the last process.

Use it with pytest, once for each kind that can run on the machine::

    def test_it_lives_and_ends(workspace):
        config = SshCluster.provisioning_configuration(hosts, idle_seconds=1)
        check_cluster_lives_and_ends(workspace, "by-ssh", config)

The cluster has to end nodes that have had nothing to do for a second or two.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from nbautoml.compute.cluster_state import read_state
from nbautoml.compute.configurations import ProvisioningConfiguration
from nbautoml.compute.target import ComputeTarget, executor_of
from nbautoml.domain.ports import Emit, Executor
from nbautoml.domain.status import TrialOutcome
from nbautoml.engine.devices import CARDS_VARIABLE
from nbautoml.store.session import HasSession
from nbautoml.testing.executor_contract import (
    EXECUTOR_CHECKS,
    Inbox,
    count,
    gate,
    square,
    task,
    wait_for_file,
    wait_until,
)

WAIT_MINUTES = 3.0
_VARIABLE = "PYTHONPATH"
_POLL_SECONDS = 0.02


# What tasks do; these run in the cluster's processes.


def sign(payload: tuple[str, str], emit: Emit) -> None:
    """Write a name into a file, under those that are there."""
    del emit
    name, file = payload
    with Path(file).open("a", encoding="utf-8") as book:
        book.write(f"{name}\n")


def wait_with_cards(payload: str, emit: Emit) -> None:
    """Tell which graphics cards its process and it itself have, and wait for a file."""
    emit([os.environ.get("CUDA_VISIBLE_DEVICES", ""), os.environ.get(CARDS_VARIABLE, "")])
    while not Path(payload).exists():
        time.sleep(_POLL_SECONDS)


@contextmanager
def marked() -> Iterator[str]:
    """Give a text that all processes carry in their environment which start from here on.

    It is a folder of the import path: that path is handed on to wherever nodes are.
    """
    with tempfile.TemporaryDirectory(prefix="nbautoml-mark-") as mark:
        sys.path.append(mark)
        try:
            yield mark
        finally:
            sys.path.remove(mark)


def processes_with(mark: str) -> set[int]:
    """Return the processes that carry a mark, but for those that have ended."""
    found = set()
    for process in psutil.process_iter(["pid", "status"]):
        if process.info["status"] == psutil.STATUS_ZOMBIE or process.pid == os.getpid():
            continue
        try:
            if mark in process.environ().get(_VARIABLE, ""):
                found.add(process.pid)
        except (psutil.Error, OSError):  # it has ended, or is somebody else's
            continue
    return found


def check_cluster_lives_and_ends(
    workspace: HasSession, name: str, config: ProvisioningConfiguration
) -> None:
    """A cluster starts with no node, grows for work, shrinks, obeys, and leaves no process.

    Parameters
    ----------
    workspace : Workspace
        Where it is made.
    name : str
        What to call it.
    config : ProvisioningConfiguration
        Of the kind under test.
    """
    with marked() as mark:
        target = ComputeTarget.create(workspace, name, config)
        try:
            target.wait_for_completion(timeout_in_minutes=WAIT_MINUTES)
            assert target.get_status().current_node_count == 0, "a node before there was work"
            _check_work(workspace, target)
            _check_scale(target)
            assert processes_with(mark), "its processes are not seen, so that none can be missed"
        finally:
            target.delete()
        with workspace.session.read() as tx:
            assert name not in [record.name for record in tx.computes.list()]
        left = workspace.session.state_dir / "clusters" / name
        assert not left.exists(), f"{left} is left"
        wait_until(lambda: not processes_with(mark), f"left behind: {_described(mark)}")


def check_cluster_comes_back(
    workspace: HasSession, name: str, config: ProvisioningConfiguration
) -> None:
    """A cluster whose process is killed leaves no node, and is started again by the next run."""
    with marked() as mark:
        target = ComputeTarget.create(workspace, name, config)
        try:
            target.wait_for_completion(timeout_in_minutes=WAIT_MINUTES)
            executor = executor_of(workspace.session, name, None)
            try:
                _complete_one(executor)
            finally:
                executor.close()
            state = read_state(workspace.session.state_dir / "clusters" / name)
            assert state is not None
            os.kill(state.pid, signal.SIGKILL)
            wait_until(lambda: not processes_with(mark), f"outlived it: {_described(mark)}")
            executor = executor_of(workspace.session, name, None)
            try:
                _complete_one(executor)
            finally:
                executor.close()
        finally:
            target.delete()
        wait_until(lambda: not processes_with(mark), f"left behind: {_described(mark)}")


def check_cluster_keeps_the_executor_contract(
    workspace: HasSession, name: str, config: ProvisioningConfiguration
) -> None:
    """Trials end there as they do on this machine: limits, crashes, cancels, order."""
    target = ComputeTarget.create(workspace, name, config)
    try:
        target.wait_for_completion(timeout_in_minutes=WAIT_MINUTES)
        executor = executor_of(workspace.session, name, 2)
        try:
            for check in EXECUTOR_CHECKS:
                check(executor)
        finally:
            executor.close()
    finally:
        target.delete()


def _check_work(workspace: HasSession, target: ComputeTarget) -> None:
    """Work makes nodes come, and comes back; the run is seen as the only one."""
    executor = executor_of(workspace.session, target.name, None)
    try:
        inbox = Inbox(executor)
        with gate() as opened:
            waiting = task(wait_for_file, str(opened))
            inbox.submit(waiting)
            inbox.bodies(waiting, at_least=1)
            nodes = target.list_nodes()
            assert [node["cores"] > 0 for node in nodes] == [True] * max(1, len(nodes))
            assert target.get_status().values["nodeStateCounts"]["runningNodeCount"] >= 1
            state = read_state(workspace.session.state_dir / "clusters" / target.name)
            assert state is not None
            assert state.n_clients == 1, "what keeps it from being deleted is not counted rightly"
            opened.touch()
            report = inbox.report(waiting)
        assert report.outcome is TrialOutcome.COMPLETED
        assert report.worker in {node["nodeId"] for node in nodes}
        tasks = [task(square, number) for number in range(6)]
        counted = task(count, 50)
        inbox.submit(*tasks, counted)
        assert [r.value for r in inbox.reports(tasks)] == [n * n for n in range(6)]
        assert inbox.report(counted).value == "counted"
        assert inbox.bodies(counted) == list(range(50))
    finally:
        executor.close()


def _check_scale(target: ComputeTarget) -> None:
    """Without work all nodes go; a higher minimum brings one."""

    def has(n_nodes: int) -> bool:
        return target.get_status().current_node_count == n_nodes

    wait_until(lambda: has(0), "nodes stay without work")
    target.update(min_nodes=1)
    target.wait_for_completion(min_node_count=1, timeout_in_minutes=WAIT_MINUTES)
    wait_until(lambda: has(1), "the one node that is asked for")


def _complete_one(executor: Executor) -> None:
    inbox, one = Inbox(executor), task(square, 4)
    inbox.submit(one)
    assert inbox.report(one).value == 16


def _described(mark: str) -> list[str]:
    lines = []
    for pid in processes_with(mark):
        try:
            lines.append(" ".join(psutil.Process(pid).cmdline())[:200])
        except psutil.Error:
            continue
    return lines


def free_port() -> int:
    """Return a port of the loopback address that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_lines(path: Path, *lines: str) -> Path:
    """Write a small configuration file; return its path."""
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
