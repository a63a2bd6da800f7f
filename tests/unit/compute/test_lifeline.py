from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbautoml.compute import lifeline
from nbautoml.testing.executor_contract import is_gone, wait_until

# Holds a lifeline, starts a descendant, and loops in native code without leaving the interpreter.
HOLDER = """
import itertools, os, subprocess, sys
from nbautoml.compute import lifeline
below = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
print(below.pid, flush=True)
lifeline.hold(int(sys.argv[1]))
print("held", flush=True)
sum(itertools.repeat(0))
"""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    yield os.pipe()


def start(read_end: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(read_end)],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=[read_end],
        start_new_session=True,
    )


def test_group_ends_with_the_other_end_of_the_pipe(pipe: tuple[int, int]) -> None:
    read_end, write_end = pipe
    with start(read_end) as holder:
        os.close(read_end)
        assert holder.stdout is not None
        below = int(holder.stdout.readline())
        assert holder.stdout.readline() == "held\n"
        os.close(write_end)

        assert holder.wait(timeout=60) == -signal.SIGKILL
    wait_until(lambda: is_gone(below), "the descendant lives on")


def test_pipe_that_was_closed_before_ends_the_group_at_once(pipe: tuple[int, int]) -> None:
    read_end, write_end = pipe
    os.close(write_end)
    with start(read_end) as holder:
        os.close(read_end)
        assert holder.stdout is not None
        below = int(holder.stdout.readline())

        assert holder.wait(timeout=60) == -signal.SIGKILL
    wait_until(lambda: is_gone(below), "the descendant lives on")


def test_ending_what_has_ended_is_no_error() -> None:
    with subprocess.Popen([sys.executable, "-c", ""], start_new_session=True) as process:
        process.wait()

    lifeline.end_group(process.pid)
    lifeline.end_process(process.pid)
