"""What some faults need around a run: a scheduler, a proxy, a small disk, a database, a server."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbautoml.compute.mirror import ROOT_VARIABLE
from nbautoml.compute.task_folders import NOT_SHARED_VARIABLE
from nbautoml.errors import NotFoundError
from nbautoml.testing.postgres import PostgresServer, find_programs
from tests.faults.scene import Scene

_LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


class Team:
    """A scheduler and a worker with its nanny, started as a team would.

    Parameters
    ----------
    scene : Scene
        Whose processes they are.
    is_far : bool, default False
        Whether the worker's machine does not see the files of the run's.
    """

    def __init__(self, scene: Scene, *, is_far: bool = False) -> None:
        self._scene = scene
        self._is_far = is_far
        self.port = free_port()

    @property
    def address(self) -> str:
        """Where the scheduler listens."""
        return f"tcp://{_LOOPBACK}:{self.port}"

    def start_scheduler(self) -> None:
        """Start the scheduler, and wait until it listens."""
        flags = ["--host", _LOOPBACK, "--port", str(self.port), "--no-dashboard", "--no-show"]
        self._scene.spawn("-m", "dask", "scheduler", *flags, log="scheduler.log")
        self._scene.until(lambda: _answers(self.port), "the scheduler")

    def start_worker(self) -> None:
        """Start a worker with two threads, under a nanny."""
        scratch = self._scene.folder / "far"
        scratch.mkdir(exist_ok=True)
        if self._is_far:
            data = str(scratch / "data")
            self._scene.variables |= {NOT_SHARED_VARIABLE: "1", ROOT_VARIABLE: data}
        flags = ["--nworkers", "1", "--nthreads", "2", "--no-dashboard", "--memory-limit", "0"]
        place = ["--local-directory", str(scratch)]
        command = ["-m", "dask", "worker", self.address, *flags, *place]
        self._scene.spawn(*command, log="worker.log")
        for name in (NOT_SHARED_VARIABLE, ROOT_VARIABLE):
            self._scene.variables.pop(name, None)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((_LOOPBACK, port), timeout=1):
        return True
    return False


@contextmanager
def with_team(scene: Scene) -> Iterator[None]:
    """Let the run use a scheduler of a team's."""
    yield from _team(scene, Team(scene))


@contextmanager
def with_far_team(scene: Scene) -> Iterator[None]:
    """The same, with a worker that does not see the run's files."""
    yield from _team(scene, Team(scene, is_far=True))


def _team(scene: Scene, team: Team) -> Iterator[None]:
    team.start_scheduler()
    team.start_worker()
    scene.settings["scheduler"] = team.address
    scene.keeps_workers = True
    scene.team = team
    yield


class Proxy:
    """Passes bytes on to a port, until it is told to break or to hold them.

    Parameters
    ----------
    target : int
        The port.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server((_LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._flow = threading.Event()
        self._flow.set()
        self._is_down = False
        threading.Thread(target=self._accept, daemon=True).start()

    def drop(self, seconds: float) -> None:
        """Break all connections, and take no new ones for a while."""
        self._is_down = True
        self._break()
        time.sleep(seconds)
        self._is_down = False

    def hold(self, seconds: float) -> None:
        """Pass nothing on for a while, as a network does that has a hole."""
        self._flow.clear()
        time.sleep(seconds)
        self._flow.set()

    def close(self) -> None:
        """Break everything for good."""
        self._listener.close()
        self._break()

    def _break(self) -> None:
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                ours, _ = self._listener.accept()
                if self._is_down:
                    ours.close()
                    continue
                try:
                    theirs = socket.create_connection((_LOOPBACK, self._target))
                except OSError:
                    ours.close()
                    continue
                self._pairs.append((ours, theirs))
                for source, sink in ((ours, theirs), (theirs, ours)):
                    threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                self._flow.wait()
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def with_proxy(scene: Scene) -> Iterator[None]:
    """Let the run reach a team's scheduler through a proxy."""
    team = Team(scene)
    team.start_scheduler()
    team.start_worker()
    proxy = Proxy(team.port)
    scene.settings["scheduler"] = f"tcp://{_LOOPBACK}:{proxy.port}"
    scene.keeps_workers = True
    scene.proxy = proxy
    try:
        yield
    finally:
        proxy.close()


DISK_BYTES = 160 << 20


@contextmanager
def with_small_disk(scene: Scene) -> Iterator[None]:
    """Keep the workspace on a disk of its own, of 160 MiB, in memory."""
    place = scene.folder / "disk"
    place.mkdir()
    options = f"size={DISK_BYTES}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True)
    scene.workspace = place / "workspace"
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def no_mount() -> str:
    """Return why no disk can be mounted here; empty when one can."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return "mounting a small disk needs root"
    probe = Path("/tmp") / f"nbautoml-mount-{os.getpid()}"
    probe.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(probe)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        subprocess.run(["umount", str(probe)], check=False)
    probe.rmdir()
    return "" if done.returncode == 0 else f"no disk can be mounted: {done.stderr.strip()}"


@contextmanager
def with_postgres(scene: Scene) -> Iterator[None]:
    """Keep the workspace's records in a PostgreSQL server of its own."""
    with PostgresServer() as server:
        scene.store_url = server.url
        scene.postgres = server
        yield


def no_postgres() -> str:
    """Return why there is no PostgreSQL server; empty when there is one."""
    try:
        find_programs()
    except NotFoundError as error:
        return str(error).partition(":")[0]
    return ""


@contextmanager
def with_cluster(scene: Scene) -> Iterator[None]:
    """Let the run use a managed cluster of its workspace."""
    scene.settings["compute_target"] = "nodes"
    scene.keeps_workers = True
    try:
        yield
    finally:
        # Without its options a cluster ends by itself.
        for options in scene.workspace.glob(".nbautoml/clusters/*/options.json"):
            options.unlink()
        with contextlib.suppress(AssertionError):
            scene.until(lambda: not scene.processes("cluster"), "the cluster's end", 30.0)


@contextmanager
def with_jupyter(scene: Scene) -> Iterator[None]:
    """Have a Jupyter server that may look into the run's workspace."""
    start_jupyter(scene)
    yield


def start_jupyter(scene: Scene) -> str:
    """Start a Jupyter server below the workspace's folder; return its address with its token."""
    port = free_port()
    scene.variables |= {
        "JUPYTER_CONFIG_DIR": str(scene.folder / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(scene.folder / "jupyter"),
    }
    scene.spawn(
        *("-m", "jupyter_server", "--no-browser", "--allow-root"),
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={scene.folder}",
        "--IdentityProvider.token=t",
        f"--ServerApp.jpserver_extensions={ {'nbautoml.labserver': True} }",
        log="jupyter.log",
    )
    scene.until(lambda: _answers(port), "the Jupyter server")
    return f"http://{_LOOPBACK}:{port}/nbautoml/v1"
