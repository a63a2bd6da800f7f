"""Nodes on hosts that are reached by ssh, one on each.

The program ``ssh`` does it, so that its configuration, agent and known hosts hold. Each node is
`nbautoml.compute.node` at the end of a connection: it ends when the connection does.
"""

from __future__ import annotations

import json
import logging
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any  # Any: distributed is typed in part only

from distributed.security import Security

from nbautoml.compute.cluster_state import NODE_LOGS
from nbautoml.compute.credentials import make_credentials
from nbautoml.compute.gpus import RESOURCE
from nbautoml.compute.nodes._base import (
    ClusterNodes,
    Look,
    Setting,
    close_cluster,
    own_address,
    start_scheduler,
)
from nbautoml.compute.places import SshPlace
from nbautoml.store.detached import import_environment

NODE = "nbautoml.compute.node"
END_SECONDS = 10.0
"""How long a node may take to end before its connection is cut."""
LEAST_PAUSE_SECONDS, MOST_PAUSE_SECONDS = 2.0, 60.0
"""A host whose node has ended by itself is tried again after this, twice as long each time."""
STEADY_SECONDS = 60.0
"""A node that lived so long was a good one: the next pause is short again."""
# Nobody is there to answer a question; a machine that is gone is noticed within a minute.
_OPTIONS = ("BatchMode=yes", "ConnectTimeout=10", "ServerAliveInterval=15", "ServerAliveCountMax=4")
_TAIL_BYTES = 4096

logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Host:
    """A host, and its node if there is one."""

    name: str
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: float = LEAST_PAUSE_SECONDS
    not_before: float = field(default=-float("inf"))
    problem: str = ""


class SshNodes(ClusterNodes):
    """A scheduler in this process, and nodes on hosts.

    Parameters
    ----------
    setting : Setting
        What they are started from.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._place = SshPlace.from_dict(setting.options.place)
        logs = setting.folder / NODE_LOGS
        logs.mkdir(parents=True, exist_ok=True)
        self._hosts = [
            _Host(name=name, log=logs / f"{name.strip('[]')}.log") for name in self._place.hosts
        ]
        self._security = make_credentials(setting.folder)
        host = self._place.scheduler_host or own_address(self._place.hosts[0])
        super().__init__(start_scheduler(setting, host=host, security=self._security))

    def look(self) -> Look:
        """Return how things stand, after a look at which connections have ended."""
        for host in self._hosts:
            self._check(host)
        problem = "; ".join(f"{h.name}: {h.problem}" for h in self._hosts if h.problem)
        return replace(super().look(), problem=problem)

    def scale(self, n_nodes: int) -> None:
        """Have so many nodes: on the first hosts that answer."""
        now = time.monotonic()
        here = [host for host in self._hosts if host.process is not None]
        free = [host for host in self._hosts if host.process is None and host.not_before <= now]
        for host in free[: max(0, n_nodes - len(here))]:
            self._start(host)
        for host in here[n_nodes:]:
            _end(host, END_SECONDS)
            host.problem = ""

    def close(self) -> None:
        """End all nodes at a time, then the scheduler."""
        try:
            for host in self._hosts:
                if host.process is not None and host.process.stdin is not None:
                    host.process.stdin.close()
            until = time.monotonic() + END_SECONDS
            for host in self._hosts:
                _end(host, max(0.1, until - time.monotonic()))
        finally:
            close_cluster(self._cluster)

    def _start(self, host: _Host) -> None:
        logger.info("starting a node on %s", host.name)
        with host.log.open("ab") as log:
            host.process = subprocess.Popen(
                ssh_command(self._place, host.name),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        host.started_at = time.monotonic()
        settings = {
            "scheduler": self.address,
            "name": host.name,
            "cores": self._setting.shape.cores,
            "resources": {RESOURCE: self._setting.shape.gpus} if self._setting.shape.gpus else {},
            "tls": _texts(self._security),
        }
        assert host.process.stdin is not None
        try:
            host.process.stdin.write(json.dumps(settings).encode() + b"\n")
            host.process.stdin.flush()
        except BrokenPipeError:  # ssh has ended already: the next look says why
            logger.debug("the connection to %s was closed at once", host.name)

    def _check(self, host: _Host) -> None:
        """Notice that a connection has ended, and when the host may be tried again."""
        process, now = host.process, time.monotonic()
        if process is None:
            return
        is_steady = now - host.started_at >= STEADY_SECONDS
        if process.poll() is None:
            if is_steady:
                host.pause, host.problem = LEAST_PAUSE_SECONDS, ""
            return
        _close_input(process)
        host.process = None
        host.problem = _last_line(host.log) or f"ssh ended with code {process.returncode}"
        host.not_before = now + host.pause
        host.pause = min(2 * host.pause, MOST_PAUSE_SECONDS)
        logger.warning("the node on %s has ended: %s", host.name, host.problem)


def ssh_command(place: SshPlace, host: str) -> list[str]:
    """Return the command that starts a node on a host.

    Examples
    --------
    >>> place = SshPlace(hosts=("a",), user="me", port=2222, python="/opt/python")
    >>> command = ssh_command(place, "a")
    >>> command[-3:]
    ['me@a', '--', 'exec /opt/python -m nbautoml.compute.node']
    """
    options = [part for option in (*_OPTIONS, *place.ssh_options) for part in ("-o", option)]
    if place.port is not None:
        options += ["-p", str(place.port)]
    if place.key_file:
        options += ["-i", place.key_file, "-o", "IdentitiesOnly=yes"]
    target = f"{place.user}@{host}" if place.user else host
    if place.python:
        words = ["exec", place.python, "-m", NODE]
    else:  # the same files under the same paths, as those of the workspace
        path = f"PYTHONPATH={import_environment()['PYTHONPATH']}"
        words = ["exec", "env", path, sys.executable, "-m", NODE]
    return ["ssh", "-T", "-x", *options, target, "--", shlex.join(words)]


def _texts(security: Security) -> dict[str, str]:
    tls: Any = security.get_tls_config_for_role("worker")  # type: ignore[no-untyped-call]
    names = {"ca": "ca_file", "cert": "cert", "key": "key"}
    return {name: Path(tls[key]).read_text(encoding="utf-8") for name, key in names.items()}


def _end(host: _Host, seconds: float) -> None:
    """End a host's node: it ends when its input is closed, or with its connection."""
    process, host.process = host.process, None
    if process is None:
        return
    _close_input(process)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _close_input(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        try:
            process.stdin.close()
        except BrokenPipeError:  # it has ended
            logger.debug("ssh %d has ended", process.pid)


def _last_line(log: Path) -> str:
    """Return the last line that is there, which is why ssh or the node gave up."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def start(setting: Setting) -> SshNodes:
    """Start the scheduler."""
    return SshNodes(setting)
