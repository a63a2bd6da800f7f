"""How much room a run has for its files: a search ends before there is none for its end."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path

LEAST_FREE_BYTES = 64 << 20
"""A search ends with less free space than this. The ensembles, the bundle and the log of an
ordinary run take less; a run on a disk that is full cannot even write down how it ended."""

_LOOK_SECONDS = 1.0


class DiskSpace:
    """Looks at the free space of a folder's disk, at most once a second.

    Parameters
    ----------
    folder : Path
        The run's working folder.
    clock : callable
        Returns seconds.
    """

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._clock = clock
        self._looked_at = -math.inf
        self._is_used_up = False

    def is_used_up(self) -> bool:
        """Whether there is too little space to go on."""
        now = self._clock()
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            self._is_used_up = shutil.disk_usage(self._folder).free < LEAST_FREE_BYTES
        return self._is_used_up
