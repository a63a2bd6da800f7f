"""Space that a run holds back, so that it can write down how it ended when the disk is full."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

BALLAST_BYTES = 4 << 20
"""Enough for the last events, rows and the log of a run, and for SQLite's own log of them."""


class Ballast:
    """A file that takes space until it is dropped; where there is none to take, it does nothing.

    Parameters
    ----------
    folder : Path
        On the disk whose space is meant.

    Examples
    --------
    >>> import tempfile
    >>> with Ballast(Path(tempfile.mkdtemp())) as ballast:
    ...     before = ballast.path.stat().st_size
    ...     ballast.drop()
    >>> before, ballast.path.exists()
    (4194304, False)
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ballast"

    def __enter__(self) -> Self:
        with contextlib.suppress(OSError), self.path.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, BALLAST_BYTES)
            else:
                file.write(bytes(BALLAST_BYTES))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.drop()

    def drop(self) -> None:
        """Give the space back; a second call does nothing."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
