"""How much memory a tree of processes holds for itself.

Memory-mapped files do not count: their pages belong to the page cache, the kernel takes them
back when it needs them, and several trials read the same ones. Resident size would charge
them to each trial. What counts is anonymous and shared memory and swap, each page divided by
the number of processes that share it, as `/proc/<pid>/smaps_rollup` tells it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import psutil

PROC = Path("/proc")
_HELD = ("Pss_Anon:", "Pss_Shmem:", "SwapPss:")
_BOUND = ("RssAnon:", "RssShmem:", "VmSwap:")


def tree(pid: int) -> list[int]:
    """Return a process and all that descend from it; those that ended are left out."""
    found = [pid]
    for parent in found:
        found.extend(_children(parent))
    return found


def held_bytes(pids: Iterable[int]) -> int:
    """Return the memory that the processes hold; costs about 1 ms a process.

    Parameters
    ----------
    pids : iterable of int
        Processes that ended meanwhile count as nothing.
    """
    if sys.platform != "linux":
        return sum(_unique_bytes(pid) for pid in pids)
    return sum(_sum_lines(PROC / str(pid) / "smaps_rollup", _HELD) for pid in pids)


def bound_bytes(pids: Iterable[int]) -> int:
    """Return a number that `held_bytes` does not exceed, at a tenth of its cost."""
    if sys.platform != "linux":
        return held_bytes(pids)
    return sum(_sum_lines(PROC / str(pid) / "status", _BOUND) for pid in pids)


def free_bytes(root: Path = Path("/sys/fs/cgroup")) -> int:
    """Return the memory that processes here may still take: the machine's, or the group's.

    Parameters
    ----------
    root : Path
        Where control groups are mounted.
    """
    free = psutil.virtual_memory().available
    try:
        limit = int((root / "memory.max").read_text())
        used = int((root / "memory.current").read_text())
    except (OSError, ValueError):  # no group, or "max": it has no limit
        return free
    return max(0, min(free, limit - used))


def _children(pid: int) -> list[int]:
    if sys.platform != "linux":
        try:
            return [child.pid for child in psutil.Process(pid).children()]
        except psutil.NoSuchProcess:
            return []
    found: list[int] = []
    try:
        for thread in (PROC / str(pid) / "task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    except OSError:  # the process or the thread has ended
        pass
    return found


def _sum_lines(path: Path, names: tuple[str, ...]) -> int:
    """Add up the lines of that name, which the kernel writes in kB."""
    try:
        text = path.read_text()
    except OSError:  # the process has ended
        return 0
    total = 0
    for line in text.splitlines():
        if line.startswith(names):
            total += int(line.split()[1])
    return total * 1024


def _unique_bytes(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_full_info().uss)
    except psutil.Error:
        return 0
