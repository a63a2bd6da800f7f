"""Files below a server's folder that look like tables, for a person to choose from."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any  # Any: JSON values

MOST_FILES = 200
MOST_SEEN = 5_000
"""Entries of folders that are looked at: below a home folder there can be millions."""
MOST_DEPTH = 4
_NO_DATA = frozenset({"node_modules", "site-packages", "__pycache__", "venv", "env"})


def table_files(root: Path, folder: Path, suffixes: Sequence[str]) -> list[dict[str, Any]]:
    """Return files that may be tables, those of `folder` first, then the newest.

    Hidden files and folders are left out, and links to folders are not followed.

    Parameters
    ----------
    root : pathlib.Path
        The server's folder.
    folder : pathlib.Path
        Where the notebook is.
    suffixes : sequence of str
        Ends of names, in lower case.

    Returns
    -------
    list of dict
        ``path`` (below `root`, with slashes) and ``bytes``.
    """
    ends = tuple(suffixes)
    found = [
        (Path(entry.path), status)
        for entry in _entries(root)
        if entry.name.lower().endswith(ends) and (status := _status(entry)) is not None
    ]
    found.sort(key=lambda pair: (pair[0].parent != folder, -pair[1].st_mtime))
    return [
        {"path": path.relative_to(root).as_posix(), "bytes": status.st_size}
        for path, status in found[:MOST_FILES]
    ]


def _entries(root: Path) -> Iterator[os.DirEntry[str]]:
    """Yield what is in a folder and below it, near things first, as far as is looked at."""
    folders, n_seen = [(root, 0)], 0
    while folders:
        folder, depth = folders.pop(0)
        for entry in _listing(folder):
            n_seen += 1
            if n_seen > MOST_SEEN:
                return
            if entry.name.startswith(".") or entry.name in _NO_DATA:
                continue
            if depth < MOST_DEPTH and entry.is_dir(follow_symlinks=False):
                folders.append((Path(entry.path), depth + 1))
            yield entry


def _listing(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:  # gone, or not ours to read
        return []


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    """Return size and time of a plain file; None for anything else."""
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:  # gone since the folder was listed
        return None
    return status if stat.S_ISREG(status.st_mode) else None
