"""Published pipelines, endpoints, schedules, results of steps, and callers from outside."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _add_published_pipelines()
    _add_endpoints()
    _add_schedules()
    _add_results()
    _add_callers()


def downgrade() -> None:
    """Remove the tables."""
    for table in (
        *("submissions", "service_processes", "api_tokens", "step_results"),
        *("pipeline_schedules", "pipeline_endpoint_versions", "pipeline_endpoints"),
        "published_pipelines",
    ):
        op.drop_table(table)


def _add_published_pipelines() -> None:
    op.create_table(
        "published_pipelines",
        _text("id"),
        _text("name"),
        _text("version"),
        _text("description"),
        _time("created_at"),
        _time("updated_at"),
        _text("status"),
        _text("graph"),
        sa.Column("continue_on_step_failure", sa.Boolean(), nullable=False),
        _text("tags"),
        _text("properties"),
        sa.PrimaryKeyConstraint("id", name="pk_published_pipelines"),
    )
    op.create_index("ix_published_pipelines_name", "published_pipelines", ["name"])


def _add_endpoints() -> None:
    op.create_table(
        "pipeline_endpoints",
        _text("id"),
        _text("name"),
        _text("description"),
        _text("status"),
        _text("default_version"),
        _time("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_pipeline_endpoints"),
        sa.UniqueConstraint("name", name="uq_pipeline_endpoints_name"),
    )
    op.create_table(
        "pipeline_endpoint_versions",
        _text("endpoint_id"),
        _text("version"),
        _text("pipeline_id"),
        sa.PrimaryKeyConstraint("endpoint_id", "version", name="pk_pipeline_endpoint_versions"),
        _refers("pipeline_endpoint_versions", "endpoint_id", "pipeline_endpoints.id"),
        _refers("pipeline_endpoint_versions", "pipeline_id", "published_pipelines.id"),
    )


def _add_schedules() -> None:
    op.create_table(
        "pipeline_schedules",
        _text("id"),
        _text("name"),
        _text("description"),
        _text("status"),
        _text("pipeline_id", nullable=True),
        _text("endpoint_id", nullable=True),
        _text("experiment"),
        _text("settings"),
        _time("created_at"),
        _time("next_at", nullable=True),
        _text("last_run_id", nullable=True),
        _text("state"),
        sa.PrimaryKeyConstraint("id", name="pk_pipeline_schedules"),
        _refers("pipeline_schedules", "pipeline_id", "published_pipelines.id"),
        _refers("pipeline_schedules", "endpoint_id", "pipeline_endpoints.id"),
    )
    op.create_index(
        "ix_pipeline_schedules_status_next_at", "pipeline_schedules", ["status", "next_at"]
    )


def _add_results() -> None:
    op.create_table(
        "step_results",
        _text("key"),
        _text("run_id"),
        _time("created_at"),
        sa.PrimaryKeyConstraint("key", name="pk_step_results"),
    )


def _add_callers() -> None:
    op.create_table(
        "api_tokens",
        _text("id"),
        _text("sha256"),
        _text("name"),
        _text("scopes"),
        _time("created_at"),
        _time("expires_at", nullable=True),
        _time("last_used_at", nullable=True),
        _time("revoked_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
    )
    op.create_table(
        "service_processes",
        _text("name"),
        _text("owner_host"),
        sa.Column("owner_pid", sa.Integer(), nullable=False),
        _time("owner_started_at"),
        _time("heartbeat_at"),
        _text("facts"),
        sa.PrimaryKeyConstraint("name", name="pk_service_processes"),
    )
    op.create_table(
        "submissions",
        _text("key"),
        _text("fingerprint"),
        _text("run_id", nullable=True),
        _time("created_at"),
        sa.PrimaryKeyConstraint("key", name="pk_submissions"),
    )
    op.create_index("ix_submissions_created_at", "submissions", ["created_at"])


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double(), nullable=nullable)


def _refers(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}")
