"""Files of the workspace: kept once by content, checked when they are read.

A file is written under a temporary name, flushed to the disk and then renamed to its hash:
a name is either missing or leads to the whole content. Which owner has it under which name
is a row in the store, written afterwards.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol  # Any: fsspec is not typed

import fsspec
from fsspec.implementations.local import LocalFileSystem

from nbautoml.errors import ConfigError, NotFoundError, StoreError

Source = Path | bytes | BinaryIO
"""A file to read, content, or something to read content from."""

_CHUNK_BYTES = 1 << 20
_STALE_SECONDS = 24 * 3600.0
"""Age from which a temporary file is left over from a process that died."""

_MOST_NAME_BYTES = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Stored content; `uri` is relative to the root of the artifacts, which may move."""

    uri: str
    size_bytes: int
    sha256: str


class BlobStore(Protocol):
    """Keeps content under its hash."""

    def put(self, source: Path | bytes) -> Blob:
        """Store content; it is durable when this returns."""

    def fetch(self, blob: Blob) -> Path:
        """Return a local file with the content.

        Raises
        ------
        StoreError
            When the content is gone, or is not what was stored.
        """


def open_blobs(root: str, *, base: Path, cache: Path) -> BlobStore:
    """Return the store for a folder or an fsspec URL.

    Parameters
    ----------
    root : str
        A folder (relative ones are taken from `base`) or a URL such as ``s3://bucket/x``.
    base : Path
        The workspace's folder.
    cache : Path
        Where content from elsewhere is kept when it is read.

    Raises
    ------
    StoreError
        When the URL's protocol is not known, or its package is missing.
    """
    if "://" not in root:
        return _FolderBlobs(base / root)
    try:
        system, path = fsspec.core.url_to_fs(root)
    except (ImportError, ValueError) as error:
        raise StoreError(f"Artifacts cannot be kept at {root}: {error}.") from error
    if isinstance(system, LocalFileSystem):
        return _FolderBlobs(Path(path))
    return _RemoteBlobs(system, path, cache)


class _FolderBlobs:
    """Content in a local folder; what is handed out is the stored file itself, read-only."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._temporary = root / "tmp"
        self._sweep()

    def put(self, source: Source) -> Blob:
        self._make_folders()
        temporary = self._temporary / uuid.uuid4().hex
        try:
            with _open(source) as reader, temporary.open("xb") as writer:
                size, digest = _copy(reader, writer)
                writer.flush()
                os.fsync(writer.fileno())
            temporary.chmod(0o444)
            blob = Blob(uri=_uri(digest), size_bytes=size, sha256=digest)
            self._move(temporary, self._root / blob.uri)
        finally:
            temporary.unlink(missing_ok=True)
        return blob

    def fetch(self, blob: Blob) -> Path:
        path = self._root / _checked_uri(blob)
        _verify(path, blob)
        return path

    def _make_folders(self) -> None:
        """Make all folders at once, so that no later file waits for a new one to be durable."""
        if self._temporary.is_dir():
            return
        blobs = self._root / "blobs"
        for prefix in range(256):
            (blobs / f"{prefix:02x}").mkdir(parents=True, exist_ok=True)
        _sync_folder(blobs)
        self._temporary.mkdir(parents=True, exist_ok=True)
        _sync_folder(self._root)

    def _move(self, temporary: Path, target: Path) -> None:
        """Give the file its name, also where the same content was there (it may be damaged)."""
        made = not target.parent.exists()
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(target)
        _sync_folder(target.parent)
        if made:
            for folder in list(target.parents)[1:3]:
                _sync_folder(folder)

    def _sweep(self) -> None:
        """Remove what processes that died have left half written."""
        if not self._temporary.is_dir():
            return
        oldest = time.time() - _STALE_SECONDS
        for path in self._temporary.iterdir():
            try:
                if path.stat().st_mtime < oldest:
                    path.unlink()
            except OSError:
                continue  # another process was faster, or the disk cannot be written


class _RemoteBlobs:
    """Content behind fsspec; read through a local cache."""

    def __init__(self, system: Any, root: str, cache: Path) -> None:
        self._system = system
        self._root = root.rstrip("/")
        self._cache = _FolderBlobs(cache)
        self._cache_root = cache

    def put(self, source: Path | bytes) -> Blob:
        with _open(source) as reader:
            size, digest = _copy(reader, None)
        blob = Blob(uri=_uri(digest), size_bytes=size, sha256=digest)
        target = f"{self._root}/{blob.uri}"
        if self._system.exists(target) and self._system.size(target) == size:
            return blob
        temporary = f"{self._root}/tmp/{uuid.uuid4().hex}"
        for path in (temporary, target):
            self._system.makedirs(path.rpartition("/")[0], exist_ok=True)
        with _open(source) as reader, self._system.open(temporary, "wb") as writer:
            _copy(reader, writer)
        self._system.mv(temporary, target)
        return blob

    def fetch(self, blob: Blob) -> Path:
        path = self._cache_root / _checked_uri(blob)
        if path.exists() and path.stat().st_size == blob.size_bytes and _hash(path) == blob.sha256:
            return path
        try:
            with self._system.open(f"{self._root}/{blob.uri}", "rb") as reader:
                found = self._cache.put(reader)
        except FileNotFoundError as error:
            raise StoreError(f"{self._root}/{blob.uri} is gone from the store.") from error
        if found.sha256 != blob.sha256:
            (self._cache_root / found.uri).unlink(missing_ok=True)
            raise _damaged(f"{self._root}/{blob.uri}", blob, found.sha256)
        return path


def check_name(name: str) -> str:
    r"""Return the name of an artifact if it cannot lead out of a folder.

    Raises
    ------
    ConfigError
        For absolute names, ``..``, empty parts, backslashes, drive letters and control
        characters.

    Examples
    --------
    >>> check_name("outputs/model.pkl")
    'outputs/model.pkl'
    """
    parts = name.split("/")
    if (
        any(part in ("", ".", "..") for part in parts)
        or re.search(r"[\x00-\x1f\x7f\\]", name)
        or re.match(r"[A-Za-z]:", name)
        or len(name.encode("utf-8", "replace")) > _MOST_NAME_BYTES
    ):
        raise ConfigError(
            f"A file cannot be stored under the name {name[:80]!r}. Use a relative path such as "
            "'outputs/model.pkl', without '..', backslashes or control characters."
        )
    return name


@contextmanager
def _open(source: Source) -> Iterator[BinaryIO]:
    if isinstance(source, bytes):
        yield BytesIO(source)
    elif isinstance(source, Path):
        try:
            reader = source.open("rb")
        except (FileNotFoundError, IsADirectoryError) as error:
            raise NotFoundError(f"There is no file {source} to store.") from error
        with reader:
            yield reader
    else:
        yield source


def _copy(reader: BinaryIO, writer: BinaryIO | None) -> tuple[int, str]:
    """Read to the end, writing along where asked; return size and SHA-256."""
    digest, size = hashlib.sha256(), 0
    while chunk := reader.read(_CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
        if writer is not None:
            writer.write(chunk)
    return size, digest.hexdigest()


def _uri(digest: str) -> str:
    return f"blobs/{digest[:2]}/{digest}"


def _checked_uri(blob: Blob) -> str:
    if blob.uri != _uri(blob.sha256):
        raise StoreError(f"{blob.uri!r} is not where content {blob.sha256} is kept.")
    return blob.uri


def _hash(path: Path) -> str:
    with path.open("rb") as reader:
        return hashlib.file_digest(reader, "sha256").hexdigest()


def _verify(path: Path, blob: Blob) -> None:
    try:
        found = _hash(path)
    except FileNotFoundError as error:
        raise StoreError(f"{path} is gone from the store.") from error
    if found != blob.sha256:
        raise _damaged(str(path), blob, found)


def _damaged(where: str, blob: Blob, found: str) -> StoreError:
    return StoreError(
        f"{where} is damaged: its SHA-256 is {found[:12]}..., stored was {blob.sha256[:12]}.... "
        "It is not used. Store the file again, or take it from a backup."
    )


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    if os.name == "nt":  # folders cannot be opened there; the file system keeps its own log
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
