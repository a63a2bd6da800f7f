"""What the comparison ran on, and how busy that was with other work."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

MAX_BUSY_SHARE = 0.1
"""More than this of the cores in use by others, and figures would say more of them than of us."""

BUSY_SAMPLE_SECONDS = 3.0
"""The load average still remembers the run before, so the share in use right now decides."""

CALM_PATIENCE_SECONDS = 180.0


class BusyMachineError(RuntimeError):
    """Other work is using the cores that the comparison needs for itself."""


def describe(cpus: Sequence[int]) -> dict[str, object]:
    """Return the facts of the machine that a reader of figures needs."""
    return {
        "cpu": _cpu_name(),
        "n_cpus": psutil.cpu_count(),
        "cpus_used": list(cpus),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
    }


def busy_share(cpus: Sequence[int]) -> float:
    """Return the share of some cores that is in use now, 0 to 1."""
    shares = psutil.cpu_percent(interval=BUSY_SAMPLE_SECONDS, percpu=True)
    return sum(shares[number] for number in cpus) / len(cpus) / 100.0


def wait_for_calm(cpus: Sequence[int], patience: float = CALM_PATIENCE_SECONDS) -> float:
    """Wait until the cores are free, and return the share then in use.

    Raises
    ------
    BusyMachineError
        When they are still in use after the patience.
    """
    deadline = time.monotonic() + patience
    while (share := busy_share(cpus)) > MAX_BUSY_SHARE:
        if time.monotonic() > deadline:
            raise BusyMachineError(
                f"Other work uses {share:.0%} of cores {list(cpus)} (load {load():.1f}); at most "
                f"{MAX_BUSY_SHARE:.0%} is allowed. Stop it, or give --allow-busy to try things "
                "out: such runs are marked and mean nothing."
            )
    return share


def load() -> float:
    """Return the load average of the last minute."""
    return os.getloadavg()[0]


def commit(folder: Path) -> str:
    """Return the commit of a checkout, ``+`` appended when files differ from it, or ``""``."""

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "nbautoml")
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")


def _cpu_name() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.processor()
