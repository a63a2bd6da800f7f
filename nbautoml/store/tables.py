"""The tables of a workspace, as the code of this version uses them.

A change here needs a revision in `nbautoml.store.migrations.versions` and a new
`nbautoml.store.schema.SCHEMA_VERSION`; a test compares the two ways to the same schema.
Times are seconds since the epoch. JSON is kept as text, because PostgreSQL's own type
refuses the character U+0000 even when it is escaped.
"""

from __future__ import annotations

import json
from typing import Any  # Any: JSON values

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from nbautoml.domain.events import json_safe
from nbautoml.errors import ConfigError


class PlainText(sa.TypeDecorator[str]):
    """Text without U+0000, which PostgreSQL cannot keep and SQLite cuts off."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Check a value on its way in."""
        if value is not None and "\x00" in value:
            raise ConfigError(f"{value!r} holds the character U+0000, which cannot be stored.")
        return value


class Json(sa.TypeDecorator[Any]):
    """A JSON value as text; NaN and infinities become null."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """Write a value."""
        return json.dumps(json_safe(value), allow_nan=False, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Read a value."""
        return None if value is None else json.loads(value)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, *args: Any, **options: Any) -> sa.Column[str]:  # Any: as of sa.Column
    return sa.Column(name, PlainText, *args, **{"nullable": False, **options})


def _json(name: str, **options: Any) -> sa.Column[Any]:  # Any: as of sa.Column
    return sa.Column(name, Json, nullable=False, **options)


def _time(name: str, *, nullable: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=nullable)


def _run_id(**options: Any) -> sa.Column[str]:  # Any: as of sa.Column
    return _text("run_id", sa.ForeignKey("runs.id"), **options)


workspace_info = sa.Table(
    "workspace_info", metadata, _text("key", primary_key=True), _text("value")
)

datastores = sa.Table(
    "datastores",
    metadata,
    _text("name", primary_key=True),
    _text("url"),
    _text("kind"),
    sa.Column("is_default", sa.Boolean, nullable=False),
)

datasets = sa.Table(
    "datasets",
    metadata,
    _text("name", primary_key=True),
    sa.Column("latest_version", sa.Integer, nullable=False),
)

dataset_versions = sa.Table(
    "dataset_versions",
    metadata,
    _text("id", primary_key=True),
    _text("name", sa.ForeignKey("datasets.name"), nullable=True),  # null: not registered
    sa.Column("version", sa.Integer),
    _text("fingerprint"),
    _json("definition"),
    _time("created_at"),
    _text("description"),
    _json("tags"),
    sa.Column("n_rows", sa.BigInteger),
    sa.Column("n_columns", sa.Integer),
    sa.UniqueConstraint("name", "version"),
)

computes = sa.Table(
    "computes",
    metadata,
    _text("name", primary_key=True),
    _text("kind"),
    _json("options"),
    _time("created_at"),
)

experiments = sa.Table(
    "experiments",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _text("name", unique=True),
    _time("created_at"),
)

runs = sa.Table(
    "runs",
    metadata,
    _text("id", primary_key=True),
    _text("experiment", sa.ForeignKey("experiments.name")),
    _text("type"),
    _text("status"),
    _time("created_at"),
    _text("parent_id", sa.ForeignKey("runs.id"), nullable=True),
    sa.Column("number", sa.Integer),
    _text("display_name"),
    _time("started_at", nullable=True),
    _time("ended_at", nullable=True),
    _text("reason"),
    _json("settings"),
    _text("owner_host", nullable=True),
    sa.Column("owner_pid", sa.Integer),
    _time("owner_started_at", nullable=True),
    _time("heartbeat_at", nullable=True),
    sa.Index(None, "parent_id", "number"),
    sa.Index(None, "experiment", "created_at"),
    sa.Index(None, "status"),
)

run_labels = sa.Table(  # tags and properties
    "run_labels",
    metadata,
    _run_id(primary_key=True),
    _text("kind", primary_key=True),
    _text("key", primary_key=True),
    _text("value"),
)

run_counters = sa.Table(  # the last number given out in each log of a run
    "run_counters",
    metadata,
    _run_id(primary_key=True),
    sa.Column("n_events", sa.BigInteger, nullable=False),
    sa.Column("n_requests", sa.BigInteger, nullable=False),
)

events = sa.Table(
    "events",
    metadata,
    _run_id(primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    _time("time"),
    _text("kind"),
    _text("payload"),
)

requests = sa.Table(
    "requests",
    metadata,
    _run_id(primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    _time("time"),
    _text("kind"),
    _json("payload"),
)

metrics = sa.Table(
    "metrics",
    metadata,
    sa.Column("id", _ROW_ID, primary_key=True),
    _run_id(),
    _text("name"),
    sa.Column("step", sa.Integer, nullable=False),
    _time("time"),
    sa.Column("value", sa.Double),
    sa.Index(None, "run_id", "name", "step"),
)

metrics_last = sa.Table(  # the newest value of each name, for leaderboards
    "metrics_last",
    metadata,
    _run_id(primary_key=True),
    _text("name", primary_key=True),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("value", sa.Double),
)

artifacts = sa.Table(
    "artifacts",
    metadata,
    _text("owner", primary_key=True),
    _text("name", primary_key=True),
    _text("uri"),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    _text("sha256"),
    _time("created_at"),
)

models = sa.Table(
    "models",
    metadata,
    _text("name", primary_key=True),
    sa.Column("latest_version", sa.Integer, nullable=False),
)

model_versions = sa.Table(
    "model_versions",
    metadata,
    _text("name", sa.ForeignKey("models.name"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    _time("created_at"),
    _text("run_id", nullable=True),
    _text("description"),
    _text("framework"),
    _text("framework_version"),
    _json("tags"),
    _json("properties"),
    _text("stage", server_default="None"),
    _json("datasets", server_default="[]"),
    _json("samples", server_default="{}"),
    sa.Index(None, "run_id"),
)

model_aliases = sa.Table(  # a name of a model's version that can be moved to another
    "model_aliases",
    metadata,
    _text("name", sa.ForeignKey("models.name"), primary_key=True),
    _text("alias", primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
)

deployments = sa.Table(
    "deployments",
    metadata,
    _text("name", primary_key=True),
    _text("kind"),
    _time("created_at"),
    _time("updated_at"),
    sa.Column("revision", sa.Integer, nullable=False),
    _json("models"),
    _json("settings"),
    _text("description"),
    _json("tags"),
    _json("properties"),
    sa.Column("port", sa.Integer),
    _text("owner_host", nullable=True),
    sa.Column("owner_pid", sa.Integer),
    _time("owner_started_at", nullable=True),
)

published_pipelines = sa.Table(
    "published_pipelines",
    metadata,
    _text("id", primary_key=True),
    _text("name"),
    _text("version"),
    _text("description"),
    _time("created_at"),
    _time("updated_at"),
    _text("status"),
    _json("graph"),
    sa.Column("continue_on_step_failure", sa.Boolean, nullable=False),
    _json("tags"),
    _json("properties"),
    sa.Index(None, "name"),
)

pipeline_endpoints = sa.Table(
    "pipeline_endpoints",
    metadata,
    _text("id", primary_key=True),
    _text("name", unique=True),
    _text("description"),
    _text("status"),
    _text("default_version"),
    _time("created_at"),
)

pipeline_endpoint_versions = sa.Table(
    "pipeline_endpoint_versions",
    metadata,
    _text("endpoint_id", sa.ForeignKey("pipeline_endpoints.id"), primary_key=True),
    _text("version", primary_key=True),
    _text("pipeline_id", sa.ForeignKey("published_pipelines.id")),
)

pipeline_schedules = sa.Table(
    "pipeline_schedules",
    metadata,
    _text("id", primary_key=True),
    _text("name"),
    _text("description"),
    _text("status"),
    _text("pipeline_id", sa.ForeignKey("published_pipelines.id"), nullable=True),
    _text("endpoint_id", sa.ForeignKey("pipeline_endpoints.id"), nullable=True),
    _text("experiment"),
    _json("settings"),
    _time("created_at"),
    _time("next_at", nullable=True),
    _text("last_run_id", nullable=True),
    _json("state"),
    sa.Index(None, "status", "next_at"),
)

step_results = sa.Table(  # which run has what a step with this key would make
    "step_results",
    metadata,
    _text("key", primary_key=True),
    _text("run_id"),
    _time("created_at"),
)

api_tokens = sa.Table(
    "api_tokens",
    metadata,
    _text("id", primary_key=True),
    _text("sha256"),
    _text("name"),
    _json("scopes"),
    _time("created_at"),
    _time("expires_at", nullable=True),
    _time("last_used_at", nullable=True),
    _time("revoked_at", nullable=True),
)

service_processes = sa.Table(  # the scheduler, the service for outside callers: one of a name
    "service_processes",
    metadata,
    _text("name", primary_key=True),
    _text("owner_host"),
    sa.Column("owner_pid", sa.Integer, nullable=False),
    _time("owner_started_at"),
    _time("heartbeat_at"),
    _json("facts"),
)

submissions = sa.Table(  # requests that may be repeated without a second run
    "submissions",
    metadata,
    _text("key", primary_key=True),
    _text("fingerprint"),
    _text("run_id", nullable=True),
    _time("created_at"),
    sa.Index(None, "created_at"),
)
