"""Fresh stores, older ones, newer ones, and those of somebody else."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from nbautoml.errors import StoreError
from nbautoml.store import tables
from nbautoml.store.engine import StoreEngine, open_engine
from nbautoml.store.schema import SCHEMA_VERSION, Migrations, check_schema, create_schema

SECOND = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("experiments", recreate="always") as batch:
        batch.add_column(sa.Column("owner", sa.Text(), nullable=True))
    {more}
"""


@pytest.fixture
def engine(tmp_path: Path) -> StoreEngine:
    return open_engine(f"sqlite:///{tmp_path}/store.db", workspace="w")


def describe(connection: Connection) -> dict[str, object]:
    """Return all that can be seen of a schema."""
    look = sa.inspect(connection)
    return {
        table: {
            "columns": [
                (c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns(table)
            ],
            "key": look.get_pk_constraint(table),
            "references": sorted(map(str, look.get_foreign_keys(table))),
            "unique": sorted(map(str, look.get_unique_constraints(table))),
            "indexes": sorted(map(str, look.get_indexes(table))),
        }
        for table in sorted(look.get_table_names())
    }


def upgrade_from_nothing(engine: StoreEngine) -> None:
    """Make the tables by the revisions alone."""
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(Migrations().folder))
    with engine.write() as connection:
        engine.make_namespace(connection)
        context = MigrationContext.configure(connection)
        with Operations.context(context):
            for script in reversed(list(scripts.walk_revisions())):
                script.module.upgrade()
        connection.exec_driver_sql(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )


def next_migrations(folder: Path, more: str = "pass") -> Migrations:
    """Return migrations with one more revision than the package has."""
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    for script in (Migrations().folder / "versions").glob("0*.py"):
        (versions / script.name).write_text(script.read_text())
    (versions / "9999_next.py").write_text(SECOND.format(more=more, before=SCHEMA_VERSION))
    return Migrations(folder=folder / "migrations", head="9999")


def test_fresh_tables_equal_migrated_ones(engine: StoreEngine, tmp_path: Path) -> None:
    create_schema(engine)
    migrated = open_engine(f"sqlite:///{tmp_path}/migrated.db", workspace="w")
    upgrade_from_nothing(migrated)

    with engine.read() as one, migrated.read() as two:
        assert describe(one) == describe(two)
        assert set(describe(one)) == {*tables.metadata.tables, "alembic_version"}


def test_the_version_is_the_newest_revision() -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(Migrations().folder)).get_heads() == [SCHEMA_VERSION]


def test_creating_twice_changes_nothing(engine: StoreEngine) -> None:
    create_schema(engine)
    with engine.write() as connection:
        connection.execute(sa.insert(tables.workspace_info).values(key="k", value="v"))
    create_schema(engine)

    with engine.read() as connection:
        assert connection.execute(sa.select(tables.workspace_info.c.value)).scalar_one() == "v"


def test_an_older_store_is_copied_and_migrated(engine: StoreEngine, tmp_path: Path) -> None:
    create_schema(engine)
    with engine.write() as connection:
        connection.execute(sa.insert(tables.experiments).values(name="e", created_at=1.0))
        run = {"id": "r", "experiment": "e", "type": "t", "status": "Running", "created_at": 1.0}
        more = {"display_name": "", "reason": "", "settings": {}}
        connection.execute(sa.insert(tables.runs).values(**run, **more))

    check_schema(engine, next_migrations(tmp_path))
    check_schema(engine, Migrations(folder=tmp_path / "migrations", head="9999"))

    with engine.read() as connection:
        columns = {c["name"] for c in sa.inspect(connection).get_columns("experiments")}
        assert "owner" in columns
        # rebuilding the table took no rows of others with it
        assert connection.execute(sa.select(tables.runs.c.id)).scalar_one() == "r"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
    copies = list(tmp_path.glob(f"store.db.schema-{SCHEMA_VERSION}.*.bak"))
    assert len(copies) == 1
    with closing(sqlite3.connect(copies[0])) as copy:
        stamp = copy.execute("SELECT version_num FROM alembic_version").fetchone()
        assert stamp == (SCHEMA_VERSION,)
        assert copy.execute("SELECT id FROM runs").fetchone() == ("r",)


def test_data_of_models_moves_from_properties_to_a_column_of_its_own(engine: StoreEngine) -> None:
    """What version 0002 wrote as ``dataset.<word>`` among the properties."""
    create_schema(engine)
    with engine.write() as connection:
        connection.execute(sa.insert(tables.models).values(name="m", latest_version=1))
        properties = {"dataset.training": "a1", "kept": "yes"}
        row = {"name": "m", "version": 1, "created_at": 1.0, "description": ""}
        row |= {"framework": "", "framework_version": "", "tags": {}, "properties": properties}
        row |= {"stage": "None", "datasets": [], "samples": {}}
        connection.execute(sa.insert(tables.model_versions).values(row))
    _go_back(engine, "0002")

    check_schema(engine)

    with engine.read() as connection:
        found = connection.execute(sa.select(tables.model_versions)).one()
    assert (found.properties, found.datasets) == ({"kept": "yes"}, [["training", "a1"]])
    assert (found.stage, found.samples) == ("None", {})


def test_a_store_without_pipelines_gets_their_tables(engine: StoreEngine) -> None:
    create_schema(engine)
    _go_back(engine, "0003")
    with engine.read() as connection:
        assert not sa.inspect(connection).has_table("published_pipelines")

    check_schema(engine)

    with engine.read() as connection:
        assert set(sa.inspect(connection).get_table_names()) == {
            *tables.metadata.tables,
            "alembic_version",
        }


def _go_back(engine: StoreEngine, revision: str) -> None:
    """Bring a store to an earlier revision by the way back that each revision knows."""
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(Migrations().folder))
    with engine.migrate() as connection:
        context = MigrationContext.configure(connection, opts={"render_as_batch": True})
        with Operations.context(context):
            for script in scripts.iterate_revisions(SCHEMA_VERSION, revision):
                script.module.downgrade()
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ("raise RuntimeError('broken')", RuntimeError),
        ('op.execute("DELETE FROM experiments")', StoreError),
    ],
)
def test_a_migration_that_fails_changes_nothing(
    engine: StoreEngine, tmp_path: Path, more: str, error: type[Exception]
) -> None:
    create_schema(engine)
    with engine.write() as connection:
        connection.execute(sa.insert(tables.experiments).values(name="e", created_at=1.0))
        run = {"id": "r", "experiment": "e", "type": "t", "status": "Running", "created_at": 1.0}
        rest = {"display_name": "", "reason": "", "settings": {}}
        connection.execute(sa.insert(tables.runs).values(**run, **rest))
        before = describe(connection)

    with pytest.raises(error, match="broken"):
        check_schema(engine, next_migrations(tmp_path, more))

    with engine.read() as connection:
        assert describe(connection) == before
    check_schema(engine)


def test_a_newer_store_is_refused(engine: StoreEngine) -> None:
    create_schema(engine)
    with engine.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(StoreError, match=r"9999.*newer.*Upgrade"):
        check_schema(engine)


def test_a_database_of_something_else_is_left_alone(engine: StoreEngine) -> None:
    with engine.write() as connection:
        connection.exec_driver_sql("CREATE TABLE invoices (x INTEGER)")

    with pytest.raises(StoreError, match="invoices"):
        create_schema(engine)

    with engine.read() as connection:
        assert sa.inspect(connection).get_table_names() == ["invoices"]


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"not a database, but long enough to look at" * 100)
    engine = open_engine(f"sqlite:///{tmp_path}/store.db", workspace="w")

    with pytest.raises(StoreError, match=r"store\.db"):
        create_schema(engine)


def test_alembic_is_not_loaded_where_the_version_fits(tmp_path: Path) -> None:
    probe = (
        "import json, sys\n"
        "from nbautoml.domain.records import SessionAddress\n"
        "from nbautoml.store.session import create_session, open_session\n"
        f"a = SessionAddress(name='w', root={str(tmp_path)!r}, store_url='sqlite:///w.db',"
        " artifact_root='files')\n"
        "create_session(a).close()\n"
        "open_session(a).close()\n"
        "heavy = {'alembic', 'pandas', 'sklearn', 'numpy', 'psycopg'}\n"
        "print(json.dumps(sorted(heavy & set(sys.modules))))\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == []
