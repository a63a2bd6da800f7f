"""A temporary folder that is removed at the end, or by the next one after a sudden end."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
import time
from pathlib import Path
from types import TracebackType

PREFIX = "nbautoml-workers-"
_LOCK = "lock"
_YOUNG_SECONDS = 60.0


class ScratchFolder:
    """A folder under the system's temporary one, locked as long as this process lives.

    Parameters
    ----------
    parent : Path or None, default None
        Where to make it; None is the system's temporary folder.

    Examples
    --------
    >>> with ScratchFolder() as folder:
    ...     folder.path.is_dir()
    True
    >>> folder.path.exists()
    False
    """

    def __init__(self, parent: Path | None = None) -> None:
        self._parent = Path(tempfile.gettempdir()) if parent is None else parent
        remove_stale(self._parent)
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._parent))
        self._lock = (self.path / _LOCK).open("wb")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def __enter__(self) -> ScratchFolder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the folder and all in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def remove_stale(parent: Path, *, now: float | None = None) -> None:
    """Remove folders whose owners are dead: nobody holds their lock.

    Parameters
    ----------
    parent : Path
        Where to look.
    now : float or None, default None
        Seconds since the epoch. Younger folders than a minute may not be locked yet.
    """
    now = time.time() if now is None else now
    for folder in parent.glob(PREFIX + "*"):
        try:
            if now - folder.stat().st_mtime < _YOUNG_SECONDS:
                continue
            with (folder / _LOCK).open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # in use, another user's, or just removed
            continue
