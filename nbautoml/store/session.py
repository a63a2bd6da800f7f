"""One open workspace: its records, its files, and the address under which others open it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import sqlalchemy as sa

from nbautoml.domain.records import ArtifactRecord, SessionAddress
from nbautoml.errors import ConflictError, DiskFullError, StoreError
from nbautoml.store.artifacts import Blob, BlobStore, check_name, open_blobs
from nbautoml.store.engine import StoreEngine, open_engine, parse_url
from nbautoml.store.file_systems import is_disk_full
from nbautoml.store.read_only import ReadOnlyEngine, cannot_be_written
from nbautoml.store.records.groups import Reader, Writer
from nbautoml.store.records.scope import Scope
from nbautoml.store.schema import check_schema, create_schema
from nbautoml.store.tables import workspace_info

__all__ = [
    "HasSession",
    "Reader",
    "Session",
    "Writer",
    "create_session",
    "open_memory_session",
    "open_session",
]

# Waiting for a disk needs no core; more than a trial has files.
_FLUSHED_AT_ONCE = 6


class HasSession(Protocol):
    """A workspace, or anything else that holds an open session."""

    @property
    def session(self) -> Session:
        """The open session."""


class Session:
    """An open workspace; safe for the threads of one process, never shared across a fork.

    Made by `create_session` and `open_session`.

    Parameters
    ----------
    address : SessionAddress
        Where it is; another process opens it with this.
    engine : StoreEngine
        Its records.
    blobs : BlobStore
        Its files.
    clock : callable
        Returns the seconds since the epoch.
    """

    def __init__(
        self,
        address: SessionAddress,
        engine: StoreEngine,
        blobs: BlobStore,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.address = address
        self.engine = engine
        self._blobs = blobs
        self._clock = clock

    @property
    def root(self) -> Path:
        """Folder of the workspace."""
        return Path(self.address.root)

    @property
    def state_dir(self) -> Path:
        """Folder for what nbautoml keeps beside the user's files."""
        return self.root / ".nbautoml"

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """Read one state of the workspace; others may write meanwhile.

        Examples
        --------
        >>> with open_memory_session() as session, session.read() as tx:
        ...     tx.runs.list()
        []
        """
        with self.engine.read() as connection:
            yield Reader(Scope(connection=connection, clock=self._clock))

    @contextmanager
    def write(self, *, is_durable: bool = False) -> Iterator[Writer]:
        """Read and write in one transaction: committed at the end, rolled back on an error.

        One writer at a time on SQLite: keep the block short, and store files before it.

        Parameters
        ----------
        is_durable : bool, default False
            When True, what was written survives a loss of power once the block has ended.

        Raises
        ------
        StoreError
            When the store cannot be written, or this thread is in a `write` block already.
        """
        with self.engine.write(is_durable=is_durable) as connection:
            yield Writer(Scope(connection=connection, clock=self._clock))

    def save_artifact(self, owner: str, name: str, source: Path | bytes) -> ArtifactRecord:
        """Store a file under a name of an owner, replacing what had that name.

        Parameters
        ----------
        owner : str
            A run id, or ``model:<name>:<version>``.
        name : str
            Relative path, such as ``"outputs/model.pkl"``.
        source : Path or bytes
            The file, or its content.

        Returns
        -------
        ArtifactRecord
            The file is on the disk before its record is written.

        Raises
        ------
        ConfigError
            When the name could lead out of a folder.
        NotFoundError
            When there is no such file.
        """
        return self.save_artifacts(owner, {name: source})[0]

    def save_artifacts(
        self, owner: str, files: Mapping[str, Path | bytes]
    ) -> tuple[ArtifactRecord, ...]:
        """Store files of one owner; the same as one by one, but in the time of the slowest.

        Waiting for the disk is most of what storing a small file takes, so files are flushed
        side by side, and their records written in one transaction.

        Parameters
        ----------
        owner : str
            A run id, or ``model:<name>:<version>``.
        files : mapping of str to (Path or bytes)
            Name to file or content.
        """
        for name in files:
            check_name(name)
        with ThreadPoolExecutor(max_workers=_FLUSHED_AT_ONCE) as pool:
            parts = [(name, pool.submit(self._blobs.put, source)) for name, source in files.items()]
        records = tuple(self._record_of(owner, name, part) for name, part in parts)
        with self.write() as tx:
            for record in records:
                tx.artifacts.add(record)
        return records

    def _record_of(self, owner: str, name: str, part: Future[Blob]) -> ArtifactRecord:
        try:
            blob = part.result()
        except OSError as error:
            kind = DiskFullError if is_disk_full(error) else StoreError
            raise kind(
                f"{name} of {owner} could not be stored: {error}. Check the free space and the "
                f"permissions of {self.address.artifact_root}."
            ) from error
        return ArtifactRecord(
            owner=owner,
            name=name,
            uri=blob.uri,
            size_bytes=blob.size_bytes,
            sha256=blob.sha256,
            created_at=self._clock(),
        )

    def load_artifact(self, owner: str, name: str) -> Path:
        """Return a local file with the content of an artifact; treat it as read-only.

        Raises
        ------
        NotFoundError
            When the owner has no file of that name; the message lists those that it has.
        StoreError
            When the content is gone, or is not what was stored.
        """
        with self.read() as tx:
            record = tx.artifacts.get(owner, name)
        blob = Blob(uri=record.uri, size_bytes=record.size_bytes, sha256=record.sha256)
        return self._blobs.fetch(blob)

    def close(self) -> None:
        """Close all connections."""
        self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def create_session(address: SessionAddress, *, clock: Callable[[], float] = time.time) -> Session:
    """Open a workspace, making its folders and tables where they are missing.

    Any number of processes may do this at once.

    Parameters
    ----------
    address : SessionAddress
        Where it is to be; relative SQLite files and artifact folders lie in its root.
    clock : callable
        Returns the seconds since the epoch.

    Raises
    ------
    StoreError
        When the store cannot be used, or is newer than this code.
    ConflictError
        When the store holds a workspace of another name.
    """
    address = _absolute(address)
    engine = open_engine(address.store_url, workspace=address.name)
    try:
        if engine.database_file is not None:
            _make_folder(engine.database_file.parent)
        create_schema(engine)
        _check_name_of_workspace(engine, address)
    except BaseException:
        engine.close()
        raise
    return _session(address, engine, clock)


def open_session(address: SessionAddress, *, clock: Callable[[], float] = time.time) -> Session:
    """Open a workspace that exists; one on a full or read-only disk can only be read then.

    Parameters
    ----------
    address : SessionAddress
        Where it is.
    clock : callable
        Returns the seconds since the epoch.

    Raises
    ------
    StoreError
        When there is none, it cannot be used, or is newer than this code.
    ConflictError
        When the store holds a workspace of another name.
    """
    address = _absolute(address)
    engine = open_engine(address.store_url, workspace=address.name)
    try:
        if engine.database_file is not None and not engine.database_file.is_file():
            raise StoreError(
                f"There is no workspace at {engine.database_file}. "
                "Create it: Workspace.create(name, exist_ok=True)."
            )
        if engine.is_private:
            raise StoreError(
                "A workspace in memory (sqlite://) lives in the session that made it and cannot "
                "be opened again. Use that session, or a workspace in a file."
            )
        engine = _checked(engine, address)
    except BaseException:
        engine.close()
        raise
    return _session(address, engine, clock)


def _checked(engine: StoreEngine, address: SessionAddress) -> StoreEngine:
    """Return an engine whose store is what it should be: one to read only, where need be."""
    file = engine.database_file
    try:
        check_schema(engine)
        _check_name_of_workspace(engine, address)
    except StoreError:
        if file is None or not cannot_be_written(file.parent):
            raise
    else:
        return engine
    engine.close()
    copy = ReadOnlyEngine(file)
    check_schema(copy)
    _check_name_of_workspace(copy, address)
    return copy


def open_memory_session(
    name: str = "memory", root: str = ".", *, clock: Callable[[], float] = time.time
) -> Session:
    """Return a new workspace that is gone when it is closed, for tests and trials.

    Parameters
    ----------
    name : str
        Its name.
    root : str
        Its folder, used only for what has to be a local file.
    clock : callable
        Returns the seconds since the epoch.
    """
    address = SessionAddress(
        name=name,
        root=str(Path(root).resolve()),
        store_url="sqlite://",
        artifact_root=f"memory://nbautoml-{uuid.uuid4().hex}",
    )
    return create_session(address, clock=clock)


def _session(address: SessionAddress, engine: StoreEngine, clock: Callable[[], float]) -> Session:
    root = Path(address.root)
    cache = root / ".nbautoml" / "cache"
    blobs = open_blobs(address.artifact_root, base=root, cache=cache)
    return Session(address, engine, blobs, clock=clock)


def _absolute(address: SessionAddress) -> SessionAddress:
    """Return the address with nothing in it that depends on the working directory."""
    root = Path(address.root).expanduser().resolve()
    url = parse_url(address.store_url)
    store_url = address.store_url
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        file = root / Path(url.database).expanduser()
        store_url = url.set(database=str(file)).render_as_string(hide_password=False)
    artifact_root = address.artifact_root
    if "://" not in artifact_root:
        artifact_root = str(root / Path(artifact_root).expanduser())
    return replace(address, root=str(root), store_url=store_url, artifact_root=artifact_root)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"The folder {folder} cannot be made: {error}.") from error


def _check_name_of_workspace(engine: StoreEngine, address: SessionAddress) -> None:
    query = sa.select(workspace_info.c.value).where(workspace_info.c.key == "name")
    with engine.read() as connection:
        found = connection.execute(query).scalar_one_or_none()
    if found is None:
        with engine.write(is_durable=True) as connection:
            found = connection.execute(query).scalar_one_or_none()
            if found is None:
                row = {"key": "name", "value": address.name}
                connection.execute(sa.insert(workspace_info), row)
                return
    if found != address.name:
        raise ConflictError(
            f"{engine.display_url} holds the workspace {found!r}, not {address.name!r}. "
            "Open it under its name, or give the new workspace a store of its own."
        )
