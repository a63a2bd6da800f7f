"""What the owner of tasks gives to workers that do not see its files: folders, piece by piece.

Workers ask through events, and pieces go to them over Dask's own connections, so that nothing else
has to listen on the owner's machine, and TLS holds where it was asked for. A piece is small, so
that the scheduler, through which it goes, never holds much.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any  # Any: events of Dask

from nbautoml.compute.connection import DaskClient
from nbautoml.compute.courier import deliver
from nbautoml.compute.task_folders import MARKER, TaskFolders
from nbautoml.errors import NotFoundError

PIECE_BYTES = 8 << 20
"""One answer. With about 20 ms for each, 500 MB come in less than two seconds of waiting, and the
scheduler, which copies a message a few times, needs some tens of megabytes."""

_SERVED_AT_ONCE = 2

_log = logging.getLogger(__name__)


class Shelf:
    """Folders that workers may ask for; nothing else of this machine is given away.

    Safe for use from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[Path, str] = {}
        self._folders: dict[str, Path] = {}
        self._manifests: dict[str, bytes] = {}

    def place(self, reads: Path, writes: Path | None) -> TaskFolders:
        """Return what a task is told of its folders; marks the first so that workers know it.

        Parameters
        ----------
        reads : Path
            Files directly in it may be asked for; they must not change any more.
        writes : Path or None
            Where the task's files are to be.
        """
        with self._lock:
            key = self._keys.get(reads)
            if key is None:
                key = self._keys[reads] = uuid.uuid4().hex
                self._folders[key] = reads
                (reads / f"{MARKER}{key}").touch()
        return TaskFolders(key=key, reads=str(reads), writes=str(writes or ""))

    def read(self, key: str, name: str, offset: int) -> bytes:
        """Return a piece of a file, or the list of a folder's files.

        Parameters
        ----------
        key : str
            Of the folder.
        name : str
            A name from the list; empty for the list, which is JSON with ``name``, ``size`` and
            ``sha256`` of each file.
        offset : int
            Where the piece begins.

        Raises
        ------
        NotFoundError
            When nobody put that folder on the shelf, or it lists no such file.
        """
        with self._lock:
            folder = self._folders.get(key)
            if folder is None:
                raise NotFoundError(f"No folder {key!r} is on the shelf.")
            if key not in self._manifests:
                self._manifests[key] = json.dumps(list_files(folder)).encode()
            manifest = self._manifests[key]
        if not name:
            return manifest
        if all(name != entry["name"] for entry in json.loads(manifest)):
            raise NotFoundError(f"The folder {folder} has no file {name!r} for workers.")
        with (folder / name).open("rb") as file:
            file.seek(offset)
            return file.read(PIECE_BYTES)


def list_files(folder: Path) -> list[dict[str, Any]]:
    """Return name, size and SHA-256 of the files directly in a folder, hidden ones left out."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            found.append({"name": path.name, "size": path.stat().st_size, "sha256": digest})
    return found


class Desk:
    """Answers what workers ask for, a few at a time, in threads of its own.

    Parameters
    ----------
    shelf : Shelf
        What there is.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._pool = ThreadPoolExecutor(_SERVED_AT_ONCE, thread_name_prefix="shelf")

    def serve(self, client: DaskClient, ask: Mapping[str, Any]) -> None:
        """Send what a worker asked for; returns at once."""
        self._pool.submit(self._serve, client, ask)

    def close(self) -> None:
        """Answer nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _serve(self, client: DaskClient, ask: Mapping[str, Any]) -> None:
        data, error = b"", ""
        try:
            data = self._shelf.read(ask["shelf"], ask["name"], ask["offset"])
        except (NotFoundError, OSError) as problem:
            error = str(problem)
        try:
            client.run(deliver, ask["ticket"], data, error, workers=[ask["worker"]])
        except Exception as problem:  # noqa: BLE001 - what the worker or the way to it raises
            _log.info("a worker did not get its data, it will ask again: %s", problem)
