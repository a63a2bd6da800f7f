"""How long this process has been running."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import psutil

_STAT = Path("/proc/self/stat")
_START_FIELD = 19
"""Place of ``starttime`` behind the name of the program; see ``man 5 proc_pid_stat``."""


def process_age() -> float:
    """Return the seconds since this process was started, the start of Python included.

    On Linux it does not use the moment of the system's start, which the kernel tells in whole
    seconds, as `psutil.Process.create_time` does.

    Examples
    --------
    >>> process_age() > 0.0
    True
    """
    if not sys.platform.startswith("linux"):
        return time.time() - psutil.Process().create_time()
    fields = _STAT.read_text().rpartition(")")[2].split()
    started = int(fields[_START_FIELD]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started
