"""The first schema.

Written out in full: a revision says what was, and never follows later changes of the code.
"""

from __future__ import annotations

from typing import Any  # Any: arguments of sa.Column

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables."""
    _add_workspace()
    _add_datasets()
    _add_runs()
    _add_logs()
    _add_metrics()
    _add_models()


def downgrade() -> None:
    """Remove all tables."""
    for table in (
        *("model_versions", "models", "artifacts", "metrics_last", "metrics", "requests"),
        *("events", "run_counters", "run_labels", "runs", "experiments", "computes"),
        *("dataset_versions", "datasets", "datastores", "workspace_info"),
    ):
        op.drop_table(table)


def _add_workspace() -> None:
    op.create_table(
        "workspace_info",
        _text("key"),
        _text("value"),
        sa.PrimaryKeyConstraint("key", name="pk_workspace_info"),
    )
    op.create_table(
        "datastores",
        _text("name"),
        _text("url"),
        _text("kind"),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_datastores"),
    )
    op.create_table(
        "computes",
        _text("name"),
        _text("kind"),
        _text("options"),
        _time("created_at"),
        sa.PrimaryKeyConstraint("name", name="pk_computes"),
    )
    op.create_table(
        "artifacts",
        _text("owner"),
        _text("name"),
        _text("uri"),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        _text("sha256"),
        _time("created_at"),
        sa.PrimaryKeyConstraint("owner", "name", name="pk_artifacts"),
    )


def _add_datasets() -> None:
    op.create_table(
        "datasets",
        _text("name"),
        _integer("latest_version"),
        sa.PrimaryKeyConstraint("name", name="pk_datasets"),
    )
    op.create_table(
        "dataset_versions",
        _text("id"),
        _text("name", nullable=True),
        _integer("version", nullable=True),
        _text("fingerprint"),
        _text("definition"),
        _time("created_at"),
        _text("description"),
        _text("tags"),
        sa.Column("n_rows", sa.BigInteger(), nullable=True),
        _integer("n_columns", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_dataset_versions"),
        sa.ForeignKeyConstraint(["name"], ["datasets.name"], name="fk_dataset_versions_name"),
        sa.UniqueConstraint("name", "version", name="uq_dataset_versions_name_version"),
    )


def _add_runs() -> None:
    op.create_table(
        "experiments",
        _integer("id"),
        _text("name"),
        _time("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_experiments"),
        sa.UniqueConstraint("name", name="uq_experiments_name"),
    )
    op.create_table(
        "runs",
        _text("id"),
        _text("experiment"),
        _text("type"),
        _text("status"),
        _time("created_at"),
        _text("parent_id", nullable=True),
        _integer("number", nullable=True),
        _text("display_name"),
        _time("started_at", nullable=True),
        _time("ended_at", nullable=True),
        _text("reason"),
        _text("settings"),
        _text("owner_host", nullable=True),
        _integer("owner_pid", nullable=True),
        _time("owner_started_at", nullable=True),
        _time("heartbeat_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.ForeignKeyConstraint(["experiment"], ["experiments.name"], name="fk_runs_experiment"),
        sa.ForeignKeyConstraint(["parent_id"], ["runs.id"], name="fk_runs_parent_id"),
    )
    op.create_index("ix_runs_parent_id_number", "runs", ["parent_id", "number"])
    op.create_index("ix_runs_experiment_created_at", "runs", ["experiment", "created_at"])
    op.create_index("ix_runs_status", "runs", ["status"])
    op.create_table(
        "run_labels",
        _text("run_id"),
        _text("kind"),
        _text("key"),
        _text("value"),
        sa.PrimaryKeyConstraint("run_id", "kind", "key", name="pk_run_labels"),
        _of_run("run_labels"),
    )


def _add_logs() -> None:
    op.create_table(
        "run_counters",
        _text("run_id"),
        sa.Column("n_events", sa.BigInteger(), nullable=False),
        sa.Column("n_requests", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_run_counters"),
        _of_run("run_counters"),
    )
    for name in ("events", "requests"):
        op.create_table(
            name,
            _text("run_id"),
            sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
            _time("time"),
            _text("kind"),
            _text("payload"),
            sa.PrimaryKeyConstraint("run_id", "seq", name=f"pk_{name}"),
            _of_run(name),
        )


def _add_metrics() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "metrics",
        sa.Column("id", row_id, nullable=False),
        _text("run_id"),
        _text("name"),
        _integer("step"),
        _time("time"),
        sa.Column("value", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_metrics"),
        _of_run("metrics"),
    )
    op.create_index("ix_metrics_run_id_name_step", "metrics", ["run_id", "name", "step"])
    op.create_table(
        "metrics_last",
        _text("run_id"),
        _text("name"),
        _integer("step"),
        sa.Column("value", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "name", name="pk_metrics_last"),
        _of_run("metrics_last"),
    )


def _add_models() -> None:
    op.create_table(
        "models",
        _text("name"),
        _integer("latest_version"),
        sa.PrimaryKeyConstraint("name", name="pk_models"),
    )
    op.create_table(
        "model_versions",
        _text("name"),
        _integer("version", autoincrement=False),
        _time("created_at"),
        _text("run_id", nullable=True),
        _text("description"),
        _text("framework"),
        _text("framework_version"),
        _text("tags"),
        _text("properties"),
        sa.PrimaryKeyConstraint("name", "version", name="pk_model_versions"),
        sa.ForeignKeyConstraint(["name"], ["models.name"], name="fk_model_versions_name"),
    )
    op.create_index("ix_model_versions_run_id", "model_versions", ["run_id"])


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double(), nullable=nullable)


def _integer(name: str, *, nullable: bool = False, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable, **options)


def _of_run(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=f"fk_{table}_run_id")
