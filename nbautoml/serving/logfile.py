"""A log that several threads write to, that does not grow without end. Standard library only."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from pathlib import Path

MAX_BYTES = 5 * 2**20
"""Size at which a log becomes the older one of two; twice this is kept at most."""


class LogFile:
    """Appends lines; a full file is renamed to ``<name>.1``, in place of an earlier one.

    Parameters
    ----------
    path : Path
        The file; made for its owner alone.
    max_bytes : int, default 5 MiB
        Size at which it is renamed.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        """Append one line."""
        with self._lock:
            self._rotate()
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write(text.rstrip("\n") + "\n")

    def say(self, text: str) -> None:
        """Append one line with the time before it."""
        self.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}")

    def _rotate(self) -> None:
        try:
            is_full = self._path.stat().st_size >= self._max_bytes
        except FileNotFoundError:
            return
        if is_full:
            self._path.replace(older(self._path))


def older(path: Path) -> Path:
    """Return the name that a full log gets."""
    return path.with_name(path.name + ".1")


def last_lines(path: Path, count: int) -> str:
    """Return the last lines of a log, those of the file before it too.

    Parameters
    ----------
    path : Path
        The log.
    count : int
        How many lines at most.

    Returns
    -------
    str
        Empty where there is no log.
    """
    kept: deque[str] = deque(maxlen=max(count, 0))
    for file in (older(path), path):
        try:
            with file.open(encoding="utf-8", errors="replace") as lines:
                kept.extend(lines)
        except FileNotFoundError:
            continue
    return "".join(kept)
