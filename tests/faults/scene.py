"""A real run to do harm to: its processes, its workspace, and the moment that is chosen."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import psutil

from nbautoml.domain.events import EventRecord, TrialFinished
from nbautoml.domain.records import SessionAddress
from nbautoml.domain.status import RunStatus
from nbautoml.errors import NbAutoMLError
from nbautoml.store.session import Session, open_session
from nbautoml.workspace.config_file import address_for
from tests.faults.kernel import NAME

MARK = "NBAUTOML_FAULT_MARK"
ROOT = Path(__file__).parents[2]
T = TypeVar("T")

WORDS = {
    "controller": "nbautoml.runs.controller",
    "cluster": "nbautoml.compute.cluster",
    "kernel": "tests.faults.kernel",
    "scheduler": "dask scheduler",
    "nanny": "dask worker",
    "jupyter": "jupyter_server",
    "template": "template.main",
}
"""What the command line of each kind of process says."""


class Scene:
    """One run in a workspace of its own, submitted by a process that stands for a kernel.

    Parameters
    ----------
    folder : Path
        Empty; for everything that is written.
    rng : random.Random
        Chooses moments and victims.
    work : str
        ``"scripted"`` or ``"automl"``.
    settings : mapping
        The run's.
    is_short : bool
        Whether the run shall be over soon.
    """

    def __init__(
        self,
        folder: Path,
        *,
        rng: random.Random,
        work: str,
        settings: Mapping[str, Any],
        is_short: bool,
    ) -> None:
        self.folder = folder
        self.workspace = folder / "workspace"
        self.rng = rng
        self.work = work
        self.settings = dict(settings)
        self.is_short = is_short
        self.store_url: str | None = None
        self.variables: dict[str, str] = {}
        self.mark = uuid.uuid4().hex
        self.run_id = ""
        self.keeps_workers = False
        """Whether workers belong to somebody else, and live on after the run."""
        # What stages put around the run (tests.faults.stages).
        self.team: Any = None
        self.proxy: Any = None
        self.postgres: Any = None
        self._processes: list[subprocess.Popen[str]] = []
        self._session: Session | None = None

    @property
    def address(self) -> SessionAddress:
        """Where the workspace is."""
        return address_for(NAME, self.workspace, store_url=self.store_url)

    @property
    def session(self) -> Session:
        """The workspace, opened by this process to look at it."""
        if self._session is None:
            self._session = open_session(self.address)
        return self._session

    def start(self) -> None:
        """Submit the run."""
        self.workspace.mkdir(parents=True, exist_ok=True)
        given = {"work": self.work, "settings": self.settings}
        self.run_id = self._kernel(given)

    def reopen(self) -> None:
        """Open the workspace in another kernel, which waits for the run."""
        self._kernel({"work": self.work, "open": self.run_id})

    def spawn(self, *command: str, log: str) -> subprocess.Popen[str]:
        """Start a process that belongs to the scene."""
        with (self.folder / log).open("ab") as file:
            process = subprocess.Popen(
                [sys.executable, *command],
                env=self.environment(),
                cwd=ROOT,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=True,
            )
        self._processes.append(process)
        return process

    def environment(self) -> dict[str, str]:
        """Return the environment of the scene's processes, which hand the mark on to theirs."""
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        return os.environ | {
            MARK: self.mark,
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
            "OMP_NUM_THREADS": "1",
            "TMPDIR": str(temporary),
            "NBAUTOML_HOME": str(self.folder / "home"),
            **self.variables,
        }

    def records(self) -> list[EventRecord]:
        """Return the run's events so far; none while the store cannot be read."""
        try:
            with self.session.read() as tx:
                return tx.events.read(self.run_id)
        except NbAutoMLError:
            return []

    def n_ended(self) -> int:
        """Return how many trials have ended."""
        return sum(isinstance(r.event, TrialFinished) for r in self.records())

    def status(self) -> RunStatus:
        """Return the run's state."""
        with self.session.read() as tx:
            return tx.runs.get(self.run_id).status

    def wait_for_moment(self) -> str:
        """Wait for a random moment of the search; return what it was."""
        n_trials = int(self.settings.get("trials", self.settings.get("iterations", 4)))
        goal = self.rng.randint(0, n_trials // 3)
        self.until(
            lambda: self.n_ended() >= goal and bool(self.processes("template")),
            f"{goal} trials",
        )
        pause = self.rng.uniform(0.0, 0.4)
        time.sleep(pause)
        return f"{pause:.2f} s after {goal} trials"

    def until(self, check: Callable[[], T | None], what: str, seconds: float = 120.0) -> T:
        """Return the first true value of a check."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := check():
                return value
            time.sleep(0.05)
        raise AssertionError(f"waited {seconds:.0f} s for {what}; {self.log_tail()}")

    def all_processes(self) -> list[psutil.Process]:
        """Return the processes that carry the scene's mark."""
        found, mark = [], f"{MARK}={self.mark}".encode()
        for place in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError, psutil.Error):
                if mark in (place / "environ").read_bytes():
                    process = psutil.Process(int(place.name))
                    if process.status() != psutil.STATUS_ZOMBIE:
                        found.append(process)
        return found

    def processes(self, kind: str) -> list[psutil.Process]:
        """Return the scene's processes of a kind (see `WORDS`), or ``"worker"``."""
        found = []
        for process in self.all_processes():
            with contextlib.suppress(psutil.Error):
                words = " ".join(process.cmdline())
                if kind == "worker":
                    if "spawn_main" in words:
                        found.append(process)
                elif WORDS[kind] in words:
                    found.append(process)
        return found

    def one(self, kind: str) -> psutil.Process:
        """Return one process of a kind, chosen at random, once there is one."""
        found = self.until(lambda: self.processes(kind), f"a {kind}")
        return self.rng.choice(sorted(found, key=lambda p: p.pid))

    def kill(self, kind: str) -> str:
        """SIGKILL a process of a kind; return which."""
        process = self.one(kind)
        self.end([process])
        return f"{kind} {process.pid}"

    def end(self, processes: Sequence[psutil.Process]) -> None:
        """SIGKILL processes, and wait until they are gone: that takes a moment."""
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.until(lambda: all(map(_is_gone, processes)), "the end of what was killed", 20.0)

    def log_tail(self) -> str:
        """Return the ends of the logs of kernel and controller, for messages."""
        logs = [*self.folder.glob("kernel.log"), *self.workspace.glob(".nbautoml/runs/*/*.log")]
        return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-1500:]}" for log in logs)

    def stop(self) -> list[str]:
        """End what the scene itself started; return what is left of the run's processes."""
        for process in reversed(self._processes):
            if process.poll() is None:
                process.kill()
            process.wait(10)
        left = self._left_after(15.0)
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        if self._session is not None:
            self._session.close()
        return [_describe(process) for process in left]

    def _left_after(self, seconds: float) -> list[psutil.Process]:
        end = time.monotonic() + seconds
        while (left := self.all_processes()) and time.monotonic() < end:
            time.sleep(0.2)
        return left

    def _kernel(self, given: dict[str, Any]) -> str:
        given |= {"folder": str(self.workspace), "store_url": self.store_url}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.kernel", json.dumps(given)],
            env=self.environment(),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=(self.folder / "kernel.log").open("ab"),
            start_new_session=True,
            text=True,
        )
        self._processes.append(process)
        assert process.stdout is not None
        run_id = process.stdout.readline().strip()
        process.stdout.close()
        if not run_id:
            raise AssertionError((self.folder / "kernel.log").read_text()[-2000:])
        return run_id


def _is_gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _describe(process: psutil.Process) -> str:
    try:
        return f"{process.pid} {' '.join(process.cmdline())[:120]}"
    except psutil.Error:
        return str(process.pid)


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give an empty folder that is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="nbautoml-fault-", ignore_cleanup_errors=True) as name:
        yield Path(name)
