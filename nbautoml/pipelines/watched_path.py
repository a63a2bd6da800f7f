"""What is at a path of a datastore, and what has come or changed since somebody last looked."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from datetime import datetime
from typing import Any  # Any: fsspec is not typed

from fsspec.core import url_to_fs

from nbautoml.data.datastore import Datastore
from nbautoml.errors import DatasetError

MAX_FILES = 5_000
"""Files that a schedule watches; each of them is remembered by name, size and time."""
_TIMES = ("mtime", "LastModified", "last_modified", "ETag", "created")
"""What file systems call the time of a change; the first that there is counts."""

Listing = Mapping[str, tuple[str, float]]
"""Path in the datastore to a mark, which changes with the file, and the time of its change."""


def look(datastore: Datastore, path: str) -> Listing:
    """Return the files at a path, at any depth; none when nothing is there.

    Parameters
    ----------
    datastore : Datastore
        Where to look.
    path : str
        A file or a folder in it; empty for all of it.

    Raises
    ------
    DatasetError
        When there are too many files, or the place cannot be reached.
    """
    try:
        found = _find(datastore.resolve(path))
    except OSError as error:
        raise DatasetError(f"{datastore.name}/{path} cannot be looked at: {error}.") from error
    if len(found) > MAX_FILES:
        raise DatasetError(
            f"{datastore.name}/{path} has {len(found):,} files; a schedule watches {MAX_FILES:,} "
            "at most. Name a folder below it as path_on_datastore."
        )
    return {posixpath.join(path, name) if name else path: mark for name, mark in found.items()}


def newest_change(before: Listing, now: Listing) -> str | None:
    """Return the path that changed last; None where none has come or changed.

    Files that are gone are no change.

    Examples
    --------
    >>> newest_change({"a": ("1", 1.0)}, {"a": ("1", 1.0), "b": ("2", 2.0), "c": ("3", 1.5)})
    'b'
    """
    changed = [path for path, mark in now.items() if path not in before or before[path] != mark]
    return max(changed, key=lambda path: (now[path][1], path), default=None)


def as_json(listing: Listing) -> dict[str, list[Any]]:
    """Return a listing as JSON."""
    return {path: [mark, seconds] for path, (mark, seconds) in listing.items()}


def from_json(content: Mapping[str, Any]) -> Listing:
    """Return what `as_json` wrote."""
    return {path: (str(mark), float(seconds)) for path, (mark, seconds) in content.items()}


def _find(place: str) -> dict[str, tuple[str, float]]:
    fs, top = url_to_fs(place)
    top = str(top).rstrip("/")
    fs.invalidate_cache()
    found: Mapping[str, Mapping[str, Any]] = fs.find(top, detail=True)
    return {path.removeprefix(top).lstrip("/"): _mark(info) for path, info in found.items()}


def _mark(info: Mapping[str, Any]) -> tuple[str, float]:
    changed = next((info[name] for name in _TIMES if info.get(name) is not None), "")
    seconds = changed.timestamp() if isinstance(changed, datetime) else changed
    is_number = isinstance(seconds, int | float)
    return f"{info.get('size')}-{changed}", float(seconds) if is_number else 0.0
