"""The version of the schema: made at once in a fresh store, migrated in an older one.

A fresh store gets its tables from `nbautoml.store.tables` and is stamped with
`SCHEMA_VERSION`. At open one SELECT compares the stamp; Alembic is imported only when they
differ. One process at a time may change the schema; the others wait and find it changed.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from nbautoml.errors import StoreError
from nbautoml.store import tables
from nbautoml.store.engine import StoreEngine

SCHEMA_VERSION = "0004"
"""The newest revision in `nbautoml.store.migrations.versions`."""

_VERSION_TABLE = sa.table("alembic_version", sa.column("version_num", sa.String))


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrations:
    """A folder of Alembic scripts and the revision that this code works with."""

    folder: Path = Path(__file__).parent / "migrations"
    head: str = SCHEMA_VERSION


def create_schema(engine: StoreEngine, migrations: Migrations | None = None) -> None:
    """Make the tables where there are none, and migrate them where they are older.

    Parameters
    ----------
    engine : StoreEngine
        The store. Any number of processes may do this at once.
    migrations : Migrations, optional
        The scripts; by default those of the package.

    Raises
    ------
    StoreError
        When the store is newer than this code, or holds something else.
    """
    if _find_version(engine) is None:
        with engine.write(is_durable=True) as connection:
            engine.make_namespace(connection)
            if _read_version(connection) is None:  # nobody was faster
                _refuse_foreign_tables(engine, connection)
                tables.metadata.create_all(connection, checkfirst=False)
                _stamp(connection, SCHEMA_VERSION)
    check_schema(engine, migrations)


def check_schema(engine: StoreEngine, migrations: Migrations | None = None) -> None:
    """Make sure that the store's schema is the one of this code; an older one is migrated.

    Raises
    ------
    StoreError
        When the store is newer than this code, or is none at all.
    """
    migrations = migrations or Migrations()
    version = _find_version(engine)
    if version is None:
        raise StoreError(
            f"{engine.display_url} holds no workspace of that name. "
            "Create it: Workspace.create(name, exist_ok=True)."
        )
    if version != migrations.head:
        _migrate(engine, migrations)


def _find_version(engine: StoreEngine) -> str | None:
    with engine.read() as connection:
        return _read_version(connection)


def _read_version(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.select(_VERSION_TABLE.c.version_num)).scalar_one_or_none()


def _refuse_foreign_tables(engine: StoreEngine, connection: Connection) -> None:
    found = sa.inspect(connection).get_table_names()
    if found:
        raise StoreError(
            f"{engine.display_url} is a database of something else: it holds "
            f"{', '.join(sorted(found)[:5])}. Give the workspace a file or database of its own."
        )


def _stamp(connection: Connection, version: str) -> None:
    # The very table that Alembic makes.
    connection.exec_driver_sql(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
        "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    connection.execute(_VERSION_TABLE.insert().values(version_num=version))


def _migrate(engine: StoreEngine, migrations: Migrations) -> None:
    # Imported here: Alembic costs about as much as SQLAlchemy itself, and is rarely needed.
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(migrations.folder).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions("base", migrations.head)}
    with engine.migrate() as connection:
        version = _read_version(connection)
        if version == migrations.head:
            return  # another process did it while this one waited
        if version not in known:
            raise StoreError(
                f"The store at {engine.display_url} has schema {version}, which this version of "
                f"nbautoml (schema {migrations.head}) does not know: a newer one wrote it. "
                "Upgrade it: pip install -U nbautoml."
            )
        if engine.database_file is not None:
            _copy_database(engine.database_file, str(version))
        context = EnvironmentContext(
            config,
            scripts,
            # private in name only: what alembic.command.upgrade passes
            fn=lambda revision, _context: scripts._upgrade_revs(migrations.head, revision),
            destination_rev=migrations.head,
        )
        context.configure(
            connection=connection,
            target_metadata=tables.metadata,
            render_as_batch=True,
            transactional_ddl=True,
        )
        with context:
            context.run_migrations()


def _copy_database(file: Path, version: str) -> Path:
    """Copy a SQLite file that nobody writes to, with what is still in its WAL."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    target = file.with_name(f"{file.name}.schema-{version}.{stamp}.bak")
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    return target
