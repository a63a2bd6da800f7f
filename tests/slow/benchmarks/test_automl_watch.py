from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks.automl.watch import Watched, run_watched

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")

CORE = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0

BURN = "import time\nwhile time.process_time() < {seconds}: pass\n"

DAEMON = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open(sys.argv[1], "w").write(str(os.getpid()))
        {work}
    os._exit(0)
os.wait()
import time
while not os.path.exists(sys.argv[1]) or not open(sys.argv[1]).read(): time.sleep(0.01)
"""
"""A process that leaves a daemon behind: own session, parent gone."""


def watch(
    tmp_path: Path, code: str, limit: float = 60.0, grace: float = 1.0, **env: str
) -> Watched:
    return run_watched(
        [sys.executable, "-c", code, str(tmp_path / "pid")],
        env=env,
        cwd=tmp_path,
        log=tmp_path / "log",
        limit_seconds=limit,
        cpus=[CORE],
        grace_seconds=grace,
    )


def test_exit_code_output_and_environment_are_passed_on(tmp_path: Path) -> None:
    code = "import os, sys; print(os.environ['WORD'], os.sched_getaffinity(0)); sys.exit(3)"
    found = watch(tmp_path, code, WORD="hello")

    assert found.exit_code == 3
    assert (tmp_path / "log").read_text() == f"hello {{{CORE}}}\n"


def test_seconds_of_a_daemon_are_counted(tmp_path: Path) -> None:
    work = BURN.format(seconds=0.5).replace("\n", "\n        ")
    found = watch(tmp_path, DAEMON.format(work=work), grace=60.0)

    assert found.exit_code == 0
    assert found.cpu_seconds > 0.5
    assert found.n_left_running == 0


def test_memory_is_that_of_all_processes_together(tmp_path: Path) -> None:
    code = (
        "import os, time\n"
        "child = os.fork()\n"
        "held = bytearray(os.urandom(1)) * (100 << 20)\n"
        "time.sleep(3)\n"
        "os.waitpid(child, 0) if child else None\n"
    )
    found = watch(tmp_path, code)

    assert found.peak_n_processes == 2
    assert found.peak_rss_bytes > 200 << 20
    assert found.peak_pss_bytes > 200 << 20


def test_everything_is_killed_at_the_limit(tmp_path: Path) -> None:
    work = "import time; time.sleep(600)"
    found = watch(tmp_path, DAEMON.format(work=work) + "time.sleep(600)", limit=1.5)

    assert found.exit_code is None
    assert 1.5 <= found.wall_seconds < 30
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_what_a_command_leaves_behind_is_ended_and_counted(tmp_path: Path) -> None:
    work = "import time; time.sleep(600)"
    started = time.monotonic()
    found = watch(tmp_path, DAEMON.format(work=work))

    assert found.exit_code == 0
    assert found.n_left_running == 1
    assert found.wall_seconds < time.monotonic() - started
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_a_stopped_comparison_leaves_nothing_running(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.automl.watch", "--log", str(tmp_path / "log")]
    command += ["--cwd", str(tmp_path), "--limit", "600", "--cpus", str(CORE), "--env", "{}", "--"]
    work = DAEMON.format(work="import time; time.sleep(600)") + "time.sleep(600)"
    pid_file = tmp_path / "pid"
    root = Path(__file__).parents[3]
    with subprocess.Popen([*command, sys.executable, "-c", work, str(pid_file)], cwd=root) as one:
        deadline = time.monotonic() + 60
        while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        one.terminate()
        one.wait(timeout=60)

    assert not psutil.pid_exists(int(pid_file.read_text()))
