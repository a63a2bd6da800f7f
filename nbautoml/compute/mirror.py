"""Copies of data on a machine that does not see the files of the machine that owns them.

A folder is fetched once a machine, whichever of its workers needs it first: the others wait at a
lock. Files come in pieces, their hashes are checked, and all processes then map the same files, so
that their pages are in memory once. What nobody uses goes, the longest unused first, when a new
folder would take more than its share of the disk.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any  # Any: JSON values

from nbautoml.errors import ComputeError

Fetch = Callable[[str, int], bytes]
"""Takes a file's name and an offset, returns a piece; an empty name is the list of all files."""

ROOT_VARIABLE = "NBAUTOML_DATA_FOLDER"
"""Environment variable of a worker: where it keeps copies of data."""

LIMIT_SHARE = 0.25
"""Part of the disk that copies may fill, of what is free without them. A node's disk is shared with
logs and other people's work; a quarter holds several runs' data on any ordinary node."""

_LOOK_SECONDS = 0.2
_ATTEMPTS = 2
_MEGABYTE = 1e6


def default_root() -> Path:
    """Return the folder of this machine's copies: one for all workers of a user."""
    given = os.environ.get(ROOT_VARIABLE)
    return Path(given) if given else Path(tempfile.gettempdir()) / f"nbautoml-data-{os.getuid()}"


class Mirror:
    """The copies of one machine; any number of processes may use the same folder.

    Parameters
    ----------
    root : Path
        Where they are kept.
    limit_bytes : int or None, default None
        Most that they may take together; None is `LIMIT_SHARE` of the free disk. Folders in use
        are never removed, so that one that is larger than the limit is kept while it is used.
    """

    def __init__(self, root: Path, limit_bytes: int | None = None) -> None:
        self._root = root
        self._limit_bytes = limit_bytes

    @contextmanager
    def folder(
        self, key: str, fetch: Fetch, check: Callable[[], None] = lambda: None
    ) -> Iterator[Path]:
        """Give a folder's copy, fetched when it is not here; it stays for the length of the block.

        Parameters
        ----------
        key : str
            Of the folder; letters and digits.
        fetch : callable
            Gets pieces from the owner.
        check : callable
            Called while waiting; what it raises ends the waiting.

        Raises
        ------
        ComputeError
            When a file does not have the hash that its owner says, or the disk is too small.
        """
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        place = self._root / key
        while True:
            if place.is_dir():
                with _lock_now(self._lock_of(key), fcntl.LOCK_SH) as is_held:
                    if is_held and place.is_dir():  # nobody may remove it now
                        os.utime(place)
                        yield place
                        return
            else:
                with _lock_now(self._lock_of(key), fcntl.LOCK_EX) as is_held:
                    if is_held and not place.is_dir():
                        self._fill(place, fetch, check)
                        continue
            check()
            time.sleep(_LOOK_SECONDS)

    def used_bytes(self) -> int:
        """Return what all copies take."""
        return sum(_size(folder) for folder in self._folders())

    def _fill(self, place: Path, fetch: Fetch, check: Callable[[], None]) -> None:
        entries: list[dict[str, Any]] = json.loads(fetch("", 0))
        self._make_room(sum(entry["size"] for entry in entries), keep=place.name)
        draft = place.with_name(f"{place.name}.part")
        draft.mkdir(exist_ok=True, mode=0o700)
        for entry in entries:
            check()
            _fetch_file(draft / _plain(entry["name"]), entry, fetch)
        draft.rename(place)

    def _make_room(self, n_bytes: int, *, keep: str) -> None:
        """Remove the longest unused copies until a new one fits."""
        folders = [f for f in self._folders() if f.name.partition(".")[0] != keep]
        sizes = {folder: _size(folder) for folder in folders}
        used = sum(sizes.values())
        free = shutil.disk_usage(self._root).free
        limit = self._limit_bytes
        limit = int(LIMIT_SHARE * (free + used)) if limit is None else limit
        for folder in sorted(folders, key=_used_at):
            if used + n_bytes <= limit and n_bytes < free:
                return
            if self._remove(folder):
                used, free = used - sizes[folder], free + sizes[folder]
        if n_bytes >= free:
            raise ComputeError(
                f"The run's data take {n_bytes / _MEGABYTE:,.0f} MB, and {self._root} has "
                f"{free / _MEGABYTE:,.0f} MB free. Free some, or set {ROOT_VARIABLE} to a folder "
                "on a larger disk."
            )

    def _remove(self, folder: Path) -> bool:
        """Remove a copy unless somebody uses it; say whether it is gone."""
        path = self._lock_of(folder.name.partition(".")[0])
        with _lock_now(path, fcntl.LOCK_EX) as is_held:
            if is_held:
                shutil.rmtree(folder, ignore_errors=True)
                path.unlink(missing_ok=True)
        return is_held

    def _folders(self) -> list[Path]:
        return [path for path in self._root.iterdir() if path.is_dir()]

    def _lock_of(self, key: str) -> Path:
        return self._root / f"{key}.lock"


@contextmanager
def _lock_now(path: Path, kind: int) -> Iterator[bool]:
    """Hold a lock for the length of the block, if nobody else does; say whether it is held."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        is_held = False
        with contextlib.suppress(BlockingIOError, FileNotFoundError):
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
            # Whoever removed the copy removed the lock's name, too: then this one locks nobody.
            is_held = os.fstat(lock).st_ino == path.stat().st_ino
        yield is_held
    finally:
        os.close(lock)


def _fetch_file(path: Path, entry: dict[str, Any], fetch: Fetch) -> None:
    """Get one file; what an attempt that was lost left of it is not fetched again."""
    for _ in range(_ATTEMPTS):
        digest = hashlib.sha256()
        with path.open("ab+") as file:
            file.seek(0)
            while chunk := file.read(1 << 20):
                digest.update(chunk)
            while (offset := file.tell()) < entry["size"]:
                piece = fetch(entry["name"], offset)
                if not piece:
                    break
                file.write(piece)
                digest.update(piece)
        if digest.hexdigest() == entry["sha256"]:
            return
        path.unlink()
    raise ComputeError(
        f"The file {entry['name']} came with another content than its owner says (SHA-256 "
        f"{digest.hexdigest()[:12]}..., not {entry['sha256'][:12]}...). It is not used."
    )


def _plain(name: str) -> str:
    """Return a file's name if it leads nowhere else."""
    if not name or name != Path(name).name or name.startswith("."):
        raise ComputeError(f"Data cannot be kept under the name {name!r}.")
    return name


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # removed meanwhile
            total += path.stat().st_size if path.is_file() else 0
    return total


def _used_at(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0
