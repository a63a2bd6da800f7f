"""Deployments: models that answer over HTTP."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "deployments",
        _text("name"),
        _text("kind"),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        _text("models"),
        _text("settings"),
        _text("description"),
        _text("tags"),
        _text("properties"),
        sa.Column("port", sa.Integer(), nullable=True),
        _text("owner_host", nullable=True),
        sa.Column("owner_pid", sa.Integer(), nullable=True),
        sa.Column("owner_started_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_deployments"),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("deployments")


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)
