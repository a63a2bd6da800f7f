"""From a URL to transactions: SQLite in WAL mode, SQLite in memory, PostgreSQL.

Readers and writers are told apart. A reader begins deferred and sees one state of the store
from its first statement to its last. Writers of a workspace come one after another, so that
what a writer has read stays true until it commits. On SQLite that is ``BEGIN IMMEDIATE``: a
deferred transaction that reads and then writes fails at once when another process wrote in
between, whatever the busy timeout. On PostgreSQL it is an advisory lock.

An engine is for the threads of one process. A forked child has to open its own.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol  # Any: DBAPI connections have no common type

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    InternalError,
    NoSuchModuleError,
    OperationalError,
    StatementError,
)
from sqlalchemy.pool import QueuePool, StaticPool

from nbautoml.errors import (
    DiskFullError,
    MissingExtraError,
    NbAutoMLError,
    ReadOnlyStoreError,
    StoreError,
    StoreUnavailableError,
)
from nbautoml.store.file_systems import has_no_space, refuse_network_file_system

BUSY_SECONDS = 30.0
"""How long a writer waits for another one before it gives up."""

_IDLE_SECONDS = 60.0
"""How long PostgreSQL leaves the lock to a writer that sends nothing (a laptop asleep)."""

_SERVER_LOOK_SECONDS = 0.2

_AWAY = ("connection", "starting up", "shutting down", "recovery mode", "administrator command")
"""What PostgreSQL and its driver say when the server is not there, or not yet."""

_BEGIN = "nbautoml_begin"

_OUTSIDE_ERRORS = (OperationalError, InternalError)
"""What a disk, a server or another process causes; a plain DatabaseError is a damaged file."""


class Follower(Protocol):
    """A cheap look at whether the store changed, for one thread at a time."""

    def has_changed(self) -> bool:
        """Whether something may have been committed since the last call."""

    def read(self) -> AbstractContextManager[Connection]:
        """Give a connection to read with."""

    def close(self) -> None:
        """Give back what is held."""


class StoreEngine(ABC):
    """Transactions on one store; safe for threads, never shared across a fork.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Where connections come from.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pid = os.getpid()
        self._thread = threading.local()

    @property
    def display_url(self) -> str:
        """The URL with its password hidden, for messages."""
        return self._engine.url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the store; nothing is kept of it."""
        self._check_process()
        with self._clear_errors(), self._reading() as connection:
            yield connection

    @contextmanager
    def write(self, *, is_durable: bool = False) -> Iterator[Connection]:
        """Give a connection for one transaction, committed at the end, rolled back on error.

        Parameters
        ----------
        is_durable : bool, default False
            When True the commit survives a loss of power once this returns. Otherwise
            SQLite may lose (never damage) what was committed in the last moments.

        Raises
        ------
        StoreError
            When the store cannot be written, or the thread is in a `write` already.
        """
        self._check_process()
        if getattr(self._thread, "is_writing", False):
            raise StoreError(
                "write() was called inside write() by the same thread, which would wait for "
                "itself. Use the writer that is open, or call it after the block."
            )
        self._thread.is_writing = True
        try:
            with self._clear_errors(), self._writing(is_durable) as connection:
                yield connection
        finally:
            self._thread.is_writing = False

    @abstractmethod
    def follow(self) -> Follower:
        """Return a new follower of changes."""

    def make_namespace(self, connection: Connection) -> None:  # noqa: B027 - SQLite needs none
        """Make the place for the tables, where they need one; call it in a `write`."""

    @property
    def database_file(self) -> Path | None:
        """The SQLite file, where there is one."""
        return None

    @property
    def is_private(self) -> bool:
        """Whether no other engine can see this store."""
        return False

    @property
    def is_read_only(self) -> bool:
        """Whether `write` always fails."""
        return False

    @contextmanager
    def migrate(self) -> Iterator[Connection]:
        """Give a connection for changing the schema in one transaction."""
        with self.write(is_durable=True) as connection:
            yield connection

    def close(self) -> None:
        """Close all connections; in a forked child they are only forgotten."""
        self._engine.dispose(close=os.getpid() == self._pid)

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Connection]: ...

    @abstractmethod
    def _writing(self, is_durable: bool) -> AbstractContextManager[Connection]: ...

    def _check_process(self) -> None:
        if os.getpid() != self._pid:
            raise StoreError(
                f"The store was opened by process {self._pid} and used in its child "
                f"{os.getpid()}. Open it there: open_session(session.address)."
            )

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except StatementError as error:
            if isinstance(error.orig, NbAutoMLError):  # raised by a column's type
                raise error.orig from None
            if isinstance(error, _OUTSIDE_ERRORS) or type(error) is DatabaseError:
                raise self.explain(error) from error
            raise

    def explain(self, error: StatementError) -> StoreError:
        """Return what an error of the driver means for those who use the store."""
        reason = str(error.orig)
        where = f"The store at {self.display_url} could not be used: {reason.strip()}."
        if "locked" in reason or "lock timeout" in reason:
            return StoreUnavailableError(
                f"{where} Another process kept it for more than {BUSY_SECONDS:.0f} s; "
                "end that process, or try again."
            )
        file = self.database_file
        # SQLite calls it an error of the disk, too, when a file cannot grow.
        if "is full" in reason or (file is not None and has_no_space(file.parent)):
            return DiskFullError(f"{where} Free some space, then try again.")
        if "readonly" in reason:
            return ReadOnlyStoreError(f"{where} Check the permissions of its folder.")
        is_lost = isinstance(error, DBAPIError) and error.connection_invalidated
        if is_lost or self._is_away(reason):
            return StoreUnavailableError(f"{where} Check that its server runs, or try again.")
        return StoreError(where)

    def _is_away(self, reason: str) -> bool:
        """Whether a message says that there is no server now."""
        return False


class FileEngine(StoreEngine):
    """SQLite in a file: many readers, one writer at a time, in any number of processes."""

    def __init__(self, url: URL) -> None:
        if not url.database:
            raise StoreError(f"{url} names no file.")
        self._path = Path(url.database)
        engine = sa.create_engine(
            url,
            poolclass=QueuePool,
            max_overflow=-1,
            connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
        )
        super().__init__(engine)
        # Threads queue here, in order and without polling, before they meet other processes.
        self._write_lock = threading.Lock()
        sa.event.listen(engine, "connect", _prepare_file_connection)
        sa.event.listen(engine, "begin", _emit_begin)

    @property
    def database_file(self) -> Path:
        """The SQLite file."""
        return self._path

    def follow(self) -> Follower:
        """Return a new follower of changes."""
        return _DataVersionFollower(self)

    @contextmanager
    def migrate(self) -> Iterator[Connection]:
        """Give a connection for changing the schema in one transaction."""
        # Rebuilding a table drops it, which would delete the rows that refer to it.
        self._check_process()
        with self._write_lock, self._clear_errors(), self._connect_immediate() as connection:
            raw = _raw(connection)
            raw.execute("PRAGMA foreign_keys=OFF")
            raw.execute("PRAGMA synchronous=FULL")
            try:
                with connection.begin():
                    yield connection
                    _check_foreign_keys(connection)
            finally:
                raw.execute("PRAGMA foreign_keys=ON")
                raw.execute("PRAGMA synchronous=NORMAL")

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self, is_durable: bool) -> Iterator[Connection]:
        with self._write_lock, self._connect_immediate() as connection:
            if not is_durable:
                with connection.begin():
                    yield connection
                return
            raw = _raw(connection)
            raw.execute("PRAGMA synchronous=FULL")  # not allowed inside a transaction
            try:
                with connection.begin():
                    yield connection
            finally:
                raw.execute("PRAGMA synchronous=NORMAL")

    def _connect_immediate(self) -> Connection:
        return self._engine.connect().execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})


class _MemoryEngine(StoreEngine):
    """SQLite in memory: one connection that the threads of this process use in turn."""

    def __init__(self) -> None:
        engine = sa.create_engine(
            "sqlite://",
            poolclass=StaticPool,
            connect_args={"check_same_thread": False},
        )
        super().__init__(engine)
        self._lock = threading.RLock()
        self._current: Connection | None = None
        self.n_commits = 0
        sa.event.listen(engine, "connect", _prepare_memory_connection)
        sa.event.listen(engine, "begin", _emit_begin)

    @property
    def is_private(self) -> bool:
        return True

    def follow(self) -> Follower:
        return _CommitFollower(self)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._lock:
            if self._current is not None:  # inside a block of the same thread
                yield self._current
                return
            with self._engine.connect() as connection, self._use(connection):
                try:
                    yield connection
                finally:
                    connection.commit()  # keeps what a write() inside this block wrote

    @contextmanager
    def _writing(self, is_durable: bool) -> Iterator[Connection]:
        with self._lock:
            if self._current is not None:  # inside a read() of the same thread
                with self._current.begin_nested():
                    yield self._current
            else:
                with (
                    self._engine.connect() as connection,
                    self._use(connection),
                    connection.begin(),
                ):
                    yield connection
            self.n_commits += 1

    @contextmanager
    def _use(self, connection: Connection) -> Iterator[None]:
        self._current = connection
        try:
            yield
        finally:
            self._current = None


class _PostgresEngine(StoreEngine):
    """PostgreSQL; each workspace has a schema of its own, so that a database holds many."""

    def __init__(self, url: URL, schema: str) -> None:
        try:
            engine = sa.create_engine(
                url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, max_overflow=20
            )
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                f"{url.render_as_string(hide_password=True)} needs the PostgreSQL driver "
                f"({error.name} is not installed). Install it: pip install 'nbautoml[postgres]'."
            ) from error
        super().__init__(engine)
        self._was_there = False
        self._schema = schema
        self._quoted_schema = engine.dialect.identifier_preparer.quote_identifier(schema)
        self._lock_statement = sa.select(
            sa.func.set_config(
                "idle_in_transaction_session_timeout", str(int(_IDLE_SECONDS * 1000)), True
            ),
            sa.func.pg_advisory_xact_lock(sa.func.hashtext("nbautoml"), sa.func.hashtext(schema)),
        )
        sa.event.listen(engine, "connect", self._prepare_connection)

    def follow(self) -> Follower:
        return _KeptConnectionFollower(self)

    def make_namespace(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {self._quoted_schema}")

    def connect_autocommit(self) -> Connection:
        """Return a connection whose statements are transactions of their own."""
        self._check_process()
        with self._clear_errors():
            return self._connect().execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._connect() as connection:
            yield connection.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def _writing(self, is_durable: bool) -> Iterator[Connection]:
        # Every commit is durable: a server that forgot the last ones at a crash, while its
        # clients live on, would give the numbers of events that were seen already to new ones.
        with self._connect() as connection, connection.begin():
            connection.execute(self._lock_statement)
            yield connection

    def _connect(self) -> Connection:
        """Return a connection; wait for a server that was there before: it may be restarted."""
        until = time.monotonic() + (BUSY_SECONDS if self._was_there else 0.0)
        while True:
            try:
                connection = self._engine.connect()
            except OperationalError:
                if time.monotonic() >= until:
                    raise
                time.sleep(_SERVER_LOOK_SECONDS)
            else:
                self._was_there = True
                return connection

    def _is_away(self, reason: str) -> bool:
        return any(words in reason for words in _AWAY)

    def _prepare_connection(self, raw: Any, _record: object) -> None:
        with raw.cursor() as cursor:
            cursor.execute(f"SET search_path TO {self._quoted_schema}")
            cursor.execute(f"SET lock_timeout TO {int(BUSY_SECONDS * 1000)}")
        raw.commit()


class _DataVersionFollower:
    """Asks SQLite whether another connection committed: some microseconds, no lock."""

    def __init__(self, engine: FileEngine) -> None:
        self._engine = engine
        # A connection of its own that never writes: data_version tells of others' commits.
        self._connection = sqlite3.connect(
            engine.database_file,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        self._version = -1

    def has_changed(self) -> bool:
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return False
        self._version = version
        return True

    def read(self) -> AbstractContextManager[Connection]:
        return self._engine.read()

    def close(self) -> None:
        self._connection.close()


class _CommitFollower:
    """Compares the number of commits, all of which happen in this process."""

    def __init__(self, engine: _MemoryEngine) -> None:
        self._engine = engine
        self._n_commits = -1

    def has_changed(self) -> bool:
        if self._engine.n_commits == self._n_commits:
            return False
        self._n_commits = self._engine.n_commits
        return True

    def read(self) -> AbstractContextManager[Connection]:
        return self._engine.read()

    def close(self) -> None:
        """Do nothing: nothing is held."""


class _KeptConnectionFollower:
    """Keeps one connection, so that a look costs a single statement."""

    def __init__(self, engine: _PostgresEngine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def has_changed(self) -> bool:
        return True

    @contextmanager
    def read(self) -> Iterator[Connection]:
        if self._connection is None:
            self._connection = self._engine.connect_autocommit()
        try:
            yield self._connection
        except DBAPIError as error:
            if error.connection_invalidated:  # the server went away; the next look reconnects
                self.close()
            raise self._engine.explain(error) from error

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def open_engine(url: str, *, workspace: str) -> StoreEngine:
    """Return the engine for a store URL; connects to nothing yet.

    Parameters
    ----------
    url : str
        ``sqlite:///<absolute path>``, ``sqlite://`` (memory) or ``postgresql+psycopg://...``.
    workspace : str
        Name of the workspace, which names its schema on PostgreSQL.

    Raises
    ------
    StoreError
        When the URL is not one of these, or leads to a network file system.
    MissingExtraError
        When the driver of PostgreSQL is not installed.

    Examples
    --------
    >>> engine = open_engine("sqlite://", workspace="w")
    >>> with engine.read() as connection:
    ...     connection.exec_driver_sql("SELECT 6 * 7").scalar_one()
    42
    """
    parsed = parse_url(url)
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return _PostgresEngine(parsed, schema_name(workspace))
    if not parsed.database or parsed.database == ":memory:":
        return _MemoryEngine()
    refuse_network_file_system(Path(parsed.database))
    return FileEngine(parsed)


def parse_url(url: str) -> URL:
    """Return the parsed URL of a store.

    Raises
    ------
    StoreError
        When it is not the URL of a SQLite or PostgreSQL database.
    """
    known = "Write sqlite:///<file>, sqlite:// (memory) or postgresql+psycopg://user@host/database."
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError) as error:
        raise StoreError(f"The store URL cannot be read ({error}). {known}") from error
    if backend not in ("sqlite", "postgresql"):
        raise StoreError(f"A store cannot be kept in {backend}. {known}")
    return parsed


def schema_name(workspace: str) -> str:
    """Return the PostgreSQL schema of a workspace; equal only for equal names.

    Examples
    --------
    >>> schema_name("team-a")
    'nbautoml_team-a'
    """
    if len(workspace.encode()) > 63 - len("nbautoml_"):
        raise StoreError(
            f"The workspace name {workspace!r} is too long for PostgreSQL; use at most 54 bytes."
        )
    return f"nbautoml_{workspace}"


def _prepare_file_connection(raw: Any, _record: object) -> None:
    raw.isolation_level = None  # transactions are begun by _emit_begin, not by the driver
    raw.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")
    _enter_wal(raw)
    raw.execute("PRAGMA synchronous=NORMAL")
    raw.execute("PRAGMA foreign_keys=ON")


def _enter_wal(raw: Any) -> None:
    """Switch the file to WAL, which the busy timeout does not cover when others open it too."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            raw.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _prepare_memory_connection(raw: Any, _record: object) -> None:
    raw.isolation_level = None
    raw.execute("PRAGMA foreign_keys=ON")


def _emit_begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))


def _raw(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise StoreError(f"The migration left a broken reference in {broken[0]}; nothing changed.")
