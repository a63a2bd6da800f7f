"""URLs, pragmas and file systems."""

from __future__ import annotations

import importlib
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from nbautoml.errors import MissingExtraError, StoreError
from nbautoml.store import engine as engine_module
from nbautoml.store.engine import StoreEngine, open_engine, schema_name


@pytest.fixture
def engine(tmp_path: Path) -> StoreEngine:
    return open_engine(f"sqlite:///{tmp_path}/store.db", workspace="w")


def pragma(engine: StoreEngine, name: str) -> object:
    with engine.read() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


@pytest.mark.parametrize(
    ("name", "value"),
    [("journal_mode", "wal"), ("synchronous", 1), ("busy_timeout", 30_000), ("foreign_keys", 1)],
)
def test_a_file_is_opened_for_many_processes(engine: StoreEngine, name: str, value: object) -> None:
    assert pragma(engine, name) == value


@pytest.mark.parametrize("is_durable", [True, False])
def test_only_a_durable_write_flushes_at_commit(engine: StoreEngine, is_durable: bool) -> None:
    with engine.write(is_durable=is_durable) as connection:
        during = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()

    assert during == (2 if is_durable else 1)  # FULL or NORMAL
    assert pragma(engine, "synchronous") == 1


def test_a_durable_write_that_fails_leaves_the_connection_as_it_was(engine: StoreEngine) -> None:
    with pytest.raises(KeyError), engine.write(is_durable=True):
        raise KeyError("x")

    assert pragma(engine, "synchronous") == 1


def test_a_writer_has_the_lock_from_its_first_moment(
    engine: StoreEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "BUSY_SECONDS", 0.05)
    other = open_engine(
        str(engine.database_file and f"sqlite:///{engine.database_file}"), workspace="w"
    )
    with engine.write(), pytest.raises(StoreError, match=r"Another process kept it"), other.write():
        pass
    other.close()


def test_threads_write_one_after_another(engine: StoreEngine) -> None:
    with engine.write() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x INTEGER)")
    inside = threading.Semaphore(1)

    def write() -> None:
        for i in range(20):
            with engine.write() as connection:
                assert inside.acquire(blocking=False)
                connection.exec_driver_sql(f"INSERT INTO t VALUES ({i})")
                inside.release()

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with engine.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar_one() == 60


def test_many_readers_at_once_all_get_a_connection(engine: StoreEngine) -> None:
    blocks = [engine.read() for _ in range(40)]

    values = [block.__enter__().exec_driver_sql("SELECT 1").scalar_one() for block in blocks]
    for block in blocks:
        block.__exit__(None, None, None)

    assert values == [1] * 40


def test_a_follower_tells_of_commits_once(engine: StoreEngine) -> None:
    follower = engine.follow()
    assert follower.has_changed()
    assert not follower.has_changed()

    with engine.write() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x INTEGER)")

    assert follower.has_changed()
    assert not follower.has_changed()
    follower.close()


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("mysql://host/db", "cannot be kept in mysql"),
        ("nonsense", "cannot be read"),
        ("what://x/y", "sqlite:///"),
    ],
)
def test_other_urls_are_refused(url: str, text: str) -> None:
    with pytest.raises(StoreError, match=text):
        open_engine(url, workspace="w")


def test_a_password_is_not_shown() -> None:
    pytest.importorskip("psycopg")
    engine = open_engine("postgresql://me:secret@host/db", workspace="w")

    assert "secret" not in engine.display_url
    assert engine.display_url.startswith("postgresql+psycopg://me:***@host")


def test_a_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)  # importing it fails

    with pytest.raises(MissingExtraError, match=r"pip install 'nbautoml\[postgres\]'"):
        open_engine("postgresql+psycopg://me:secret@host/db", workspace="w")
    importlib.invalidate_caches()


def test_a_server_that_does_not_answer_is_a_store_error() -> None:
    pytest.importorskip("psycopg")
    engine = open_engine("postgresql+psycopg://me@127.0.0.1:1/db", workspace="w")

    with pytest.raises(StoreError, match="could not be used"), engine.read() as connection:
        connection.execute(sa.select(1))


def test_a_name_that_postgres_would_cut_is_refused() -> None:
    assert schema_name("é" * 27) == "nbautoml_" + "é" * 27
    with pytest.raises(StoreError, match="too long"):
        schema_name("é" * 28)


def test_memory_is_shared_by_threads_and_by_nobody_else() -> None:
    engine = open_engine("sqlite://", workspace="w")
    with engine.write() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x INTEGER)")
    found: list[bool] = []

    def look() -> None:
        with engine.read() as connection:
            found.append(sa.inspect(connection).has_table("t"))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()

    assert found == [True]
    assert engine.is_private
    with open_engine("sqlite://", workspace="w").read() as connection:
        assert not sa.inspect(connection).has_table("t")


def test_a_full_disk_is_told(engine: StoreEngine) -> None:
    with engine.write() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x BLOB)")
    with pytest.raises(StoreError, match="Free some space"), engine.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        connection.exec_driver_sql("INSERT INTO t VALUES (zeroblob(1000000))")


def test_a_damaged_file_is_told(engine: StoreEngine) -> None:
    with engine.write() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x BLOB)")
        connection.exec_driver_sql("INSERT INTO t VALUES (zeroblob(100000))")
    engine.close()
    assert engine.database_file is not None
    content = bytearray(engine.database_file.read_bytes())
    content[4096:] = b"x" * (len(content) - 4096)
    engine.database_file.write_bytes(content)

    with pytest.raises(StoreError, match="malformed"), engine.read() as connection:
        connection.exec_driver_sql("SELECT * FROM t").all()


def test_a_mistake_in_a_statement_is_not_called_a_broken_store(engine: StoreEngine) -> None:
    with pytest.raises(sa.exc.IntegrityError), engine.write() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
