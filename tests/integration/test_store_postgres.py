"""What only a PostgreSQL server can show."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from nbautoml.domain.records import SessionAddress
from nbautoml.errors import NotFoundError, StoreError
from nbautoml.store import engine as engine_module
from nbautoml.store import tables
from nbautoml.store.engine import open_engine
from nbautoml.store.events import EventTail
from nbautoml.store.schema import SCHEMA_VERSION, Migrations, check_schema, create_schema
from nbautoml.store.session import create_session, open_session
from nbautoml.testing.postgres import postgres_server
from nbautoml.testing.store_cases import add_run, log_line

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    try:
        with postgres_server() as url:
            yield url
    except NotFoundError as error:
        warnings.warn(f"POSTGRESQL IS NOT TESTED. {error}", stacklevel=1)
        pytest.skip(str(error))


@pytest.fixture
def address(url: str, tmp_path: Path) -> SessionAddress:
    return SessionAddress(
        name=tmp_path.name, root=str(tmp_path), store_url=url, artifact_root="files"
    )


def describe(connection: sa.Connection, schema: str) -> dict[str, object]:
    look = sa.inspect(connection)
    return {
        table: (
            [
                (c["name"], str(c["type"]), c["nullable"], bool(c["default"]))
                for c in look.get_columns(table, schema=schema)
            ],
            look.get_pk_constraint(table, schema=schema)["constrained_columns"],
            sorted(
                (f["name"], f["constrained_columns"], f["referred_table"])
                for f in look.get_foreign_keys(table, schema=schema)
            ),
            sorted(str(u["name"]) for u in look.get_unique_constraints(table, schema=schema)),
            sorted(
                (str(i["name"]), i["column_names"]) for i in look.get_indexes(table, schema=schema)
            ),
        )
        for table in sorted(look.get_table_names(schema=schema))
        if table != "alembic_version"
    }


def test_fresh_tables_equal_migrated_ones(url: str) -> None:
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    fresh, migrated = (open_engine(url, workspace=name) for name in ("fresh", "migrated"))
    create_schema(fresh)
    scripts = list(ScriptDirectory(str(Migrations().folder)).walk_revisions())
    with migrated.write() as connection:
        migrated.make_namespace(connection)
        with Operations.context(MigrationContext.configure(connection)):
            for script in reversed(scripts):
                script.module.upgrade()

    with fresh.read() as connection:
        tables_of_fresh = describe(connection, "nbautoml_fresh")
        assert tables_of_fresh == describe(connection, "nbautoml_migrated")
        assert set(tables_of_fresh) == set(tables.metadata.tables)


def test_an_older_store_is_migrated_in_one_transaction(
    address: SessionAddress, tmp_path: Path
) -> None:
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    for script in (Migrations().folder / "versions").glob("0*.py"):
        (versions / script.name).write_text(script.read_text())
    second = versions / "9999_next.py"
    head = f"from alembic import op\nrevision = '9999'\ndown_revision = {SCHEMA_VERSION!r}\n"
    change = "    op.execute('ALTER TABLE experiments ADD COLUMN owner TEXT')\n"
    migrations = Migrations(folder=versions.parent, head="9999")
    with create_session(address) as session:
        add_run(session)
        second.write_text(f"{head}def upgrade():\n{change}    raise RuntimeError('broken')\n")
        with pytest.raises(RuntimeError, match="broken"):
            check_schema(session.engine, migrations)
        second.write_text(f"{head}def upgrade():\n{change}")
        check_schema(session.engine, migrations)

        with session.engine.read() as connection:
            columns = {c["name"] for c in sa.inspect(connection).get_columns("experiments")}
        with session.read() as reader:
            assert reader.runs.exists("run")
    assert "owner" in columns
    with pytest.raises(StoreError, match=r"9999.*newer"):
        open_session(address)


def test_a_database_holds_several_workspaces(address: SessionAddress) -> None:
    other = replace(address, name=f'{address.name} OTHER "x"')
    with create_session(address) as one, create_session(other) as two:
        add_run(one, "of one")
        add_run(two, "of two")

        with one.read() as reader:
            assert [r.id for r in reader.runs.list()] == ["of one"]
    with pytest.raises(StoreError, match="holds no workspace of that name"):
        open_session(replace(address, name="third"))


def test_a_writer_that_waits_too_long_says_for_what(
    address: SessionAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_session(address).close()
    monkeypatch.setattr(engine_module, "BUSY_SECONDS", 0.05)
    with open_session(address) as one, open_session(address) as two, one.write() as tx:
        tx.experiments.get_or_create("e")
        with pytest.raises(StoreError, match="Another process kept it"), two.write():
            pass


def test_a_tail_comes_back_after_its_connection_was_cut(address: SessionAddress) -> None:
    with create_session(address) as session, EventTail(session, "run") as tail:
        add_run(session)
        tail.poll()
        with session.write() as tx:
            tx.events.append("run", [log_line("0")], 1.0)
        with session.engine.write() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        with pytest.raises(StoreError, match="could not be used"):
            tail.poll()

        assert [r.seq for r in tail.poll()] == [1]


def test_the_lock_of_a_writer_that_fell_asleep_is_taken_away(
    address: SessionAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_session(address).close()
    monkeypatch.setattr(engine_module, "_IDLE_SECONDS", 0.05)
    with open_session(address) as asleep, open_session(address) as awake:
        with pytest.raises(StoreError), asleep.write() as tx:
            tx.experiments.get_or_create("lost")
            with awake.write() as other:  # has to wait until the server ends the first
                other.experiments.get_or_create("kept")
            tx.experiments.list()
        with awake.read() as reader:
            assert [e.name for e in reader.experiments.list()] == ["kept"]
