"""Run one command and account for all it starts: time, processor seconds, memory; end all of it.

A system may start servers that leave its process tree: daemons, sessions of their own, a Java
machine. So the command runs below a small watching process that is a *subreaper* (see
``man 2 PR_SET_CHILD_SUBREAPER``): whatever loses its parent becomes the watcher's child, nothing
escapes, and once all has ended the kernel's own count of processor seconds is complete.
Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

import psutil

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
"""Numbers of ``linux/prctl.h``."""

SAMPLE_SECONDS = 0.25
SHARED_SAMPLE_SECONDS = 1.0
"""Reading what processes share costs the kernel a walk over their pages: done less often."""

GRACE_SECONDS = 10.0
"""How long what the command leaves behind may take to end by itself."""


class NotLinuxError(RuntimeError):
    """The machine cannot account for processes as the comparison needs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What a command took, with all it started.

    ``peak_rss_bytes`` counts a page that processes share once for each of them;
    ``peak_pss_bytes`` shares it out, and is read less often.
    """

    exit_code: int | None
    """None when it was ended at its limit."""
    wall_seconds: float
    cpu_seconds: float
    other_cpu_seconds: float
    """What everything else got of the same cores in that time, the hypervisor included."""
    peak_rss_bytes: int
    peak_pss_bytes: int
    peak_n_processes: int
    n_left_running: int
    """Processes that had to be ended after the command's own end."""


def run_watched(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    log: Path,
    limit_seconds: float,
    cpus: Sequence[int],
    grace_seconds: float = GRACE_SECONDS,
) -> Watched:
    """Run a command on some cores only, within a limit, and return what it took.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    env : mapping of str to str
        Its whole environment.
    cwd : Path
        Its working directory.
    log : Path
        Gets what it prints.
    limit_seconds : float
        When it and all it started are killed.
    cpus : sequence of int
        Numbers of the cores it may use.
    grace_seconds : float
        How long what the command leaves behind may take to end by itself.
    """
    if not sys.platform.startswith("linux"):
        raise NotLinuxError("The comparison needs Linux: it pins cores and adopts orphans.")
    watcher = [sys.executable, "-m", "benchmarks.automl.watch"]
    watcher += ["--log", str(log), "--cwd", str(cwd), "--limit", str(limit_seconds)]
    watcher += ["--grace", str(grace_seconds)]
    watcher += ["--cpus", ",".join(map(str, cpus)), "--env", json.dumps(dict(env)), "--", *command]
    done = subprocess.run(
        watcher, stdout=subprocess.PIPE, check=True, text=True, cwd=Path(__file__).parents[2]
    )
    return Watched(**json.loads(done.stdout))


class _Peaks:
    """Largest sums over all processes below this one."""

    def __init__(self) -> None:
        self.rss = self.pss = self.n = 0
        self._next_shared = 0.0

    def sample(self) -> None:
        processes = descendants()
        self.n = max(self.n, len(processes))
        self.rss = max(self.rss, sum(map(_rss, processes)))
        if time.monotonic() >= self._next_shared:
            self.pss = max(self.pss, sum(map(_pss, processes)))
            self._next_shared = time.monotonic() + SHARED_SAMPLE_SECONDS


def descendants() -> list[psutil.Process]:
    """Return all living processes below this one; zombies are left out."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _rss(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def _pss(process: psutil.Process) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def watch(
    start: Callable[[], subprocess.Popen[bytes]], *, limit: float, grace: float, cpus: list[int]
) -> Watched:
    """Start a command, follow it to its end, and end what it left.

    To be called in a process that starts nothing else.

    Parameters
    ----------
    start : callable
        Starts the command.
    limit : float
        Seconds after which everything is killed.
    grace : float
        Seconds in which what is left after the command's end may end by itself.
    cpus : list of int
        The cores whose other users are counted.
    """
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    busy = _busy_seconds(cpus)
    peaks = _Peaks()
    started = time.monotonic()
    child = start()
    try:
        while child.poll() is None and time.monotonic() - started < limit:
            peaks.sample()
            _reap(except_for=child.pid)
            time.sleep(SAMPLE_SECONDS)
        is_over = child.returncode is not None
        wall = time.monotonic() - started
        n_left = _end_all(grace if is_over else 0.0, peaks, child)
    finally:
        _kill_all(child)
    cpu = _seconds(resource.RUSAGE_CHILDREN)
    others = _busy_seconds(cpus) - busy - cpu - _seconds(resource.RUSAGE_SELF)
    return Watched(
        exit_code=child.returncode if is_over else None,
        wall_seconds=wall,
        cpu_seconds=cpu,
        other_cpu_seconds=max(0.0, others),
        peak_rss_bytes=peaks.rss,
        peak_pss_bytes=peaks.pss,
        peak_n_processes=peaks.n,
        n_left_running=n_left,
    )


def _end_all(grace: float, peaks: _Peaks, child: subprocess.Popen[bytes]) -> int:
    """Wait for what is left, then kill it; return how many had to be killed."""
    deadline = time.monotonic() + grace
    while descendants() and time.monotonic() < deadline:
        peaks.sample()
        _reap(except_for=child.pid)
        time.sleep(SAMPLE_SECONDS)
    n_left = len(descendants())
    _kill_all(child)
    return n_left


def _kill_all(child: subprocess.Popen[bytes]) -> None:
    while alive := descendants():
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(0.05)
        _reap(except_for=child.pid)
        child.poll()
    child.wait()
    _reap(except_for=child.pid)


def _reap(*, except_for: int) -> None:
    """Collect adopted processes that have ended, so that their seconds are counted."""
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess, ChildProcessError):
            if process.pid != except_for and process.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(process.pid, os.WNOHANG)


def _seconds(whose: int) -> float:
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


def _busy_seconds(cpus: list[int]) -> float:
    """Return the seconds that some cores were not idle since the machine's start."""
    times = psutil.cpu_times(percpu=True)
    return sum(
        t.user + t.nice + t.system + t.irq + t.softirq + t.steal
        for t in (times[number] for number in cpus)
    )


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) was refused")


def _stop(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main() -> None:
    """Run the command of the command line, and print what it took as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--cwd", type=Path, required=True)
    parser.add_argument("--limit", type=float, required=True)
    parser.add_argument("--grace", type=float, default=GRACE_SECONDS)
    parser.add_argument("--cpus", required=True)
    parser.add_argument("--env", type=json.loads, required=True)
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # a killed comparison leaves nothing running
    with given.log.open("wb") as log:

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                ["taskset", "-c", given.cpus, *given.command],
                env=given.env,
                cwd=given.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

        cpus = [int(number) for number in given.cpus.split(",")]
        found = watch(start, limit=given.limit, grace=given.grace, cpus=cpus)
    sys.stdout.write(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
