"""Servers that the kinds of clusters need, started for the tests with files of their own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nbautoml import ComputeTarget, Workspace
from nbautoml.testing.compute_contract import free_port, write_lines

collect_ignore = ["recorded"]  # its modules have the names of packages that may not be there

PATIENCE_SECONDS = 30.0
IS_LONG = bool(os.environ.get("NBAUTOML_LONG_TESTS"))
"""NBAUTOML_LONG_TESTS=1 pytest tests/integration/compute: every check on every kind."""

long_form = pytest.mark.skipif(not IS_LONG, reason="long form: set NBAUTOML_LONG_TESTS=1")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    workspace = Workspace.create("w", path=tmp_path / "workspace")
    yield workspace
    for target in ComputeTarget.list(workspace)[1:]:
        target.delete()
    workspace.session.close()


@dataclass(frozen=True)
class Sshd:
    """An ssh server of this machine, and what it takes to be let in."""

    port: int
    key_file: Path
    options: tuple[str, ...]
    user: str


def skip_loudly(reason: str) -> None:
    sys.stderr.write(f"\n!!! SKIPPED: {reason} !!!\n")
    pytest.skip(reason)


def wait_for(is_so: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < until, what
        time.sleep(0.05)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def find_program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def end(*processes: subprocess.Popen[bytes]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """An ssh server with keys of its own on a high port."""
    program, keygen = find_program("sshd"), shutil.which("ssh-keygen")
    if program is None or keygen is None or shutil.which("ssh") is None:
        skip_loudly("clusters by ssh are not tested: install openssh-server")
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host", "user"):
        make = [keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(make, check=True, capture_output=True)
    shutil.copy(folder / "user.pub", folder / "authorized_keys")
    host_key = " ".join((folder / "host.pub").read_text().split()[:2])
    known = write_lines(folder / "known_hosts", f"nbautoml-test {host_key}")
    port = free_port()
    config = write_lines(
        folder / "sshd_config",
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {folder / 'host'}",
        f"AuthorizedKeysFile {folder / 'authorized_keys'}",
        "PidFile none",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        "PermitRootLogin yes",
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    log = (folder / "sshd.log").open("wb")
    process = subprocess.Popen(
        [program, "-D", "-e", "-f", str(config)], stdout=log, stderr=subprocess.STDOUT
    )
    wait_for(lambda: answers(port), f"sshd: {(folder / 'sshd.log').read_text()}")
    yield Sshd(
        port=port,
        key_file=folder / "user",
        user=getpass.getuser(),
        options=(
            f"UserKnownHostsFile={known}",
            "StrictHostKeyChecking=yes",
            "HostKeyAlias=nbautoml-test",
            "IdentityAgent=none",
        ),
    )
    end(process)
    log.close()


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Slurm on one node with two cores: its own munge, controller and daemon."""
    programs = {n: find_program(n) for n in ("munged", "mungekey", "slurmctld", "slurmd", "sbatch")}
    missing = [name for name, path in programs.items() if path is None]
    if missing:
        skip_loudly(f"Slurm clusters are not tested: no {', '.join(missing)} (slurm-wlm, munge)")
    if os.geteuid() != 0:
        skip_loudly("Slurm clusters are not tested: slurmd is started as root only")
    folder = tmp_path_factory.mktemp("slurm")
    munge, controller_port, daemon_port = folder / "munge.socket", free_port(), free_port()
    key = folder / "munge.key"
    subprocess.run(
        [str(programs["mungekey"]), "--create", f"--keyfile={key}"], check=True, capture_output=True
    )
    config = write_lines(
        folder / "slurm.conf", *slurm_lines(folder, munge, controller_port, daemon_port)
    )
    previous = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = str(config)
    log = (folder / "all.log").open("wb")

    def start(*command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    munged = start(
        str(programs["munged"]),
        "--foreground",
        "--force",
        f"--socket={munge}",
        f"--key-file={key}",
        f"--pid-file={folder / 'munged.pid'}",
        f"--log-file={folder / 'munged.log'}",
        f"--seed-file={folder / 'munged.seed'}",
    )
    wait_for(munge.exists, f"munged: {(folder / 'all.log').read_text()}")
    controller = start(str(programs["slurmctld"]), "-D", "-i", "-f", str(config))
    daemon = start(str(programs["slurmd"]), "-D", "-f", str(config), "-N", "here")
    wait_for(is_idle, f"slurmd: {(folder / 'all.log').read_text()[-2000:]}")
    yield config
    end(daemon, controller)
    end(munged)
    log.close()
    os.environ.pop("SLURM_CONF")
    if previous is not None:
        os.environ["SLURM_CONF"] = previous


def slurm_lines(folder: Path, munge: Path, controller_port: int, daemon_port: int) -> list[str]:
    state, spool = folder / "state", folder / "spool"
    for made in (state, spool):
        made.mkdir()
    return [
        "ClusterName=nbautoml",
        f"SlurmctldHost={socket.gethostname()}(127.0.0.1)",
        "AuthType=auth/munge",
        f"AuthInfo=socket={munge}",
        "SlurmUser=root",
        f"SlurmctldPort={controller_port}",
        f"SlurmdPort={daemon_port}",
        f"StateSaveLocation={state}",
        f"SlurmdSpoolDir={spool}",
        f"SlurmctldPidFile={folder / 'slurmctld.pid'}",
        f"SlurmdPidFile={folder / 'slurmd.pid'}",
        f"SlurmctldLogFile={folder / 'slurmctld.log'}",
        f"SlurmdLogFile={folder / 'slurmd.log'}",
        "SlurmdParameters=config_overrides",  # the machine may have fewer cores than the node
        "ProctrackType=proctrack/linuxproc",
        "TaskPlugin=task/none",
        "SelectType=select/cons_tres",
        "SelectTypeParameters=CR_CPU",
        "SchedulerParameters=batch_sched_delay=0,sched_min_interval=0",
        "MpiDefault=none",
        "ReturnToService=2",
        "KillWait=2",
        "NodeName=here NodeAddr=127.0.0.1 CPUs=2 RealMemory=16000 State=UNKNOWN",
        "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP",
    ]


def is_idle() -> bool:
    said = subprocess.run(["sinfo", "-h", "-o", "%T"], capture_output=True, text=True)
    return said.stdout.strip() == "idle"


@dataclass(frozen=True)
class GatewayServer:
    """A gateway of this machine."""

    address: str
    proxy_address: str


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayServer]:
    """A server of dask-gateway whose schedulers and workers are processes of this machine."""
    pytest.importorskip("dask_gateway_server")
    folder = tmp_path_factory.mktemp("gateway")
    public, private, proxy = free_port(), free_port(), free_port()
    dask = [sys.executable, "-m", "dask"]
    config = write_lines(
        folder / "config.py",
        "local = 'dask_gateway_server.backends.local'",
        "c.DaskGateway.backend_class = local + '.UnsafeLocalBackend'",
        "c.DaskGateway.authenticator_class = 'dask_gateway_server.auth.SimpleAuthenticator'",
        f"c.DaskGateway.address = '127.0.0.1:{private}'",
        f"c.Proxy.address = '127.0.0.1:{public}'",
        f"c.Proxy.tcp_address = '127.0.0.1:{proxy}'",
        f"c.UnsafeLocalBackend.clusters_directory = {str(folder)!r}",
        "c.UnsafeLocalBackend.sigint_timeout = 3",
        # The programs dask-scheduler and dask-worker, its defaults, are gone from Dask.
        f"c.LocalClusterConfig.scheduler_cmd = {[*dask, 'scheduler']!r}",
        f"c.LocalClusterConfig.worker_cmd = {[*dask, 'worker']!r}",
    )
    log = (folder / "server.log").open("wb")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    process = subprocess.Popen(
        [sys.executable, "-m", "dask_gateway_server", "-f", str(config)],
        cwd=folder,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    wait_for(lambda: answers(public), f"gateway: {(folder / 'server.log').read_text()}")
    wait_for(lambda: answers(private), f"gateway: {(folder / 'server.log').read_text()}")
    yield GatewayServer(f"http://127.0.0.1:{public}", f"gateway://127.0.0.1:{proxy}")
    end(process)
    log.close()
