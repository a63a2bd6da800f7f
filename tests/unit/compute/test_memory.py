from __future__ import annotations

import mmap
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from nbautoml.compute import memory

MEGABYTE = 1 << 20
# Runs its first argument, says so, and stays until its input ends.
CHILD = "import sys; exec(sys.argv[1]); print(flush=True); sys.stdin.read()"


@contextmanager
def running(code: str) -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process.pid
        finally:
            process.kill()


def test_own_memory_counts() -> None:
    with running("pass") as empty, running(f"x = bytearray(b'x' * {100 * MEGABYTE})") as full:
        difference = memory.held_bytes([full]) - memory.held_bytes([empty])

    assert 95 * MEGABYTE < difference < 110 * MEGABYTE


def test_mapped_file_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "data"
    with path.open("wb") as file:
        file.truncate(100 * MEGABYTE)
    code = (
        f"import mmap; m = mmap.mmap(open({str(path)!r}, 'rb').fileno(), 0, prot=mmap.PROT_READ);"
        f"sum(m[i] for i in range(0, len(m), {mmap.PAGESIZE}))"
    )
    with running("import mmap") as empty, running(code) as full:
        difference = memory.held_bytes([full]) - memory.held_bytes([empty])

    assert difference < 20 * MEGABYTE


def test_bound_is_never_below_what_is_held() -> None:
    with running(f"x = bytearray(b'x' * {20 * MEGABYTE})") as pid:
        assert memory.bound_bytes([pid]) >= memory.held_bytes([pid]) > 20 * MEGABYTE


def test_tree_holds_descendants() -> None:
    code = (
        "import subprocess; p = subprocess.Popen([sys.executable, '-c', 'input()'],"
        "stdin=subprocess.PIPE)"
    )
    with running(code) as pid:
        below = memory.tree(pid)
        assert below[0] == pid
        assert len(below) == 2
        assert below[1] not in memory.tree(below[0])[:1]
        assert set(below) < set(memory.tree(os.getpid()))


def test_process_that_ended_counts_as_nothing() -> None:
    with running("pass") as pid:
        pass

    found = (memory.tree(pid), memory.held_bytes([pid]), memory.bound_bytes([pid]))
    assert found == ([pid], 0, 0)


def test_what_is_free_is_bounded_by_the_control_group(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    assert memory.free_bytes(tmp_path) == 600_000


@pytest.mark.parametrize("limit", ["max\n", None])
def test_without_a_limit_the_machine_says_what_is_free(tmp_path: Path, limit: str | None) -> None:
    if limit is not None:
        (tmp_path / "memory.max").write_text(limit)
    assert 0 < memory.free_bytes(tmp_path) <= psutil.virtual_memory().total
