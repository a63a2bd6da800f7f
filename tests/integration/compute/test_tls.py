"""A scheduler that asks for certificates: who has them is let in, nobody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbautoml import ComputeTarget, DaskCluster, Workspace
from nbautoml.compute import executor_of
from nbautoml.compute.cluster_state import TLS
from nbautoml.compute.credentials import CA, CERT, KEY, make_credentials
from nbautoml.errors import ComputeTargetException
from nbautoml.testing.executor_contract import Inbox, square, task
from tests.integration.compute.conftest import end, wait_for

pytestmark = pytest.mark.integration


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    make_credentials(tmp_path / "own")
    return tmp_path / "own" / TLS


@pytest.fixture
def scheduler(tmp_path: Path, certificates: Path) -> Iterator[str]:
    file = tmp_path / "scheduler.json"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    dask = [sys.executable, "-m", "dask"]
    tls = ["--tls-ca-file", certificates / CA, "--tls-cert", certificates / CERT]
    tls += ["--tls-key", certificates / KEY, "--scheduler-file", file, "--no-dashboard"]
    begin = ["scheduler", "--protocol", "tls", "--host", "127.0.0.1", "--port", "0"]
    commands = [
        [*dask, *begin, *map(str, tls)],
        [*dask, "worker", "--nthreads", "1", "--no-nanny", *map(str, tls)],
    ]
    processes = [subprocess.Popen(c, cwd=tmp_path, env=environment) for c in commands]
    wait_for(file.is_file, "the scheduler")
    yield str(json.loads(file.read_text())["address"])
    end(*reversed(processes))


def attach(workspace: Workspace, address: str, place: Path) -> ComputeTarget:
    config = DaskCluster.attach_configuration(
        address,
        tls_ca_file=str(place / CA),
        tls_client_cert=str(place / CERT),
        tls_client_key=str(place / KEY),
    )
    return ComputeTarget.attach(workspace, "secured", config)


def test_who_has_the_certificates_is_let_in_and_nobody_else(
    workspace: Workspace, scheduler: str, certificates: Path, tmp_path: Path
) -> None:
    assert scheduler.startswith("tls://")
    make_credentials(tmp_path / "other")
    with pytest.raises(ComputeTargetException, match="No Dask scheduler answers at tls://"):
        attach(workspace, scheduler, tmp_path / "other" / TLS)
    plain = DaskCluster.attach_configuration(scheduler.replace("tls://", "tcp://"))
    with pytest.raises(ComputeTargetException, match="No Dask scheduler answers at tcp://"):
        ComputeTarget.attach(workspace, "secured", plain)
    assert "secured" not in workspace.compute_targets
    target = attach(workspace, scheduler, certificates)
    wait_for(lambda: target.get_status().current_node_count == 1, "a worker")
    executor = executor_of(workspace.session, "secured", None)
    try:
        inbox, one = Inbox(executor), task(square, 5)
        inbox.submit(one)
        assert inbox.report(one).value == 25
    finally:
        executor.close()
