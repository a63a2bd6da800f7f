"""Opening a workspace to look at it where it cannot be changed: a full or read-only disk.

SQLite in WAL mode writes even for a reader: a small file that its processes share. Where that file
cannot be made, the database and its log are copied to a place with room, and read there. What was
committed is all in these two files.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import NoReturn

from sqlalchemy.engine.url import URL

from nbautoml.errors import ReadOnlyStoreError, StoreError
from nbautoml.store.engine import FileEngine
from nbautoml.store.file_systems import has_no_space

_IN_MEMORY = Path("/dev/shm")
_LOG = logging.getLogger(__name__)


def cannot_be_written(folder: Path) -> bool:
    """Whether a folder is on a full or read-only disk, or forbidden to this process."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False  # there is no such folder: something else is wrong
    is_read_only = bool(found.f_flag & os.ST_RDONLY) or not os.access(folder, os.W_OK)
    return is_read_only or has_no_space(folder)


class ReadOnlyEngine(FileEngine):
    """Reads a copy of a SQLite store as it was when this was made; `write` raises an error.

    Parameters
    ----------
    path : Path
        The store's file.

    Raises
    ------
    StoreError
        When there is no room for a copy anywhere.
    """

    def __init__(self, path: Path) -> None:
        self._original = path
        self._folder = _copy(path)
        super().__init__(URL.create("sqlite", database=str(Path(self._folder.name) / path.name)))
        _LOG.warning("%s is on a full or read-only disk: the workspace can only be read.", path)

    @property
    def display_url(self) -> str:
        """The URL of the original."""
        return f"sqlite:///{self._original}"

    @property
    def is_read_only(self) -> bool:
        """Whether `write` always fails."""
        return True

    def close(self) -> None:
        """Close all connections and remove the copy."""
        super().close()
        self._folder.cleanup()

    def _writing(self, is_durable: bool) -> NoReturn:
        raise ReadOnlyStoreError(
            f"The workspace at {self._original.parent} can only be read: its disk is full, or may "
            "not be written. Free some space there, or change its permissions; then open it again."
        )


def _copy(path: Path) -> tempfile.TemporaryDirectory[str]:
    """Copy a store where there is most room."""
    files = [path, *(p for p in [path.with_name(f"{path.name}-wal")] if p.exists())]
    places = [p for p in (_IN_MEMORY, Path(tempfile.gettempdir())) if p.is_dir()]
    place = max(places, key=lambda p: shutil.disk_usage(p).free)
    try:
        folder = tempfile.TemporaryDirectory(prefix="nbautoml-read-", dir=place)
        for file in files:
            shutil.copyfile(file, Path(folder.name) / file.name)
    except OSError as error:
        raise StoreError(
            f"The workspace at {path.parent} cannot be written, and there is no room elsewhere to "
            f"read a copy of it: {error}. Free some space."
        ) from error
    return folder
