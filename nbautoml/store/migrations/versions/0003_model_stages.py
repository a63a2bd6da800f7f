"""Models: stages, aliases, the data that they learned from, sample datasets."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OLD = "dataset."
"""What the names of properties began with that held the data of a model before."""


def upgrade() -> None:
    """Add columns and a table, and move what earlier versions kept as properties."""
    for name, default in (("stage", "None"), ("datasets", "[]"), ("samples", "{}")):
        op.add_column(
            "model_versions", sa.Column(name, sa.Text(), nullable=False, server_default=default)
        )
    op.create_table(
        "model_aliases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "alias", name="pk_model_aliases"),
        sa.ForeignKeyConstraint(["name"], ["models.name"], name="fk_model_aliases_name"),
    )
    _move_datasets()


def downgrade() -> None:
    """Remove the table and the columns."""
    op.drop_table("model_aliases")
    with op.batch_alter_table("model_versions") as batch:
        for name in ("samples", "datasets", "stage"):
            batch.drop_column(name)


def _move_datasets() -> None:
    table = sa.table(
        "model_versions",
        *(sa.column(name) for name in ("name", "version", "properties", "datasets")),
    )
    connection = op.get_bind()
    rows = connection.execute(sa.select(table.c.name, table.c.version, table.c.properties))
    for name, version, text in rows.all():
        properties = json.loads(text)
        old = {key: value for key, value in properties.items() if key.startswith(_OLD)}
        if not old:
            continue
        kept = {key: value for key, value in properties.items() if key not in old}
        datasets = [[key.removeprefix(_OLD), value] for key, value in old.items()]
        connection.execute(
            sa.update(table)
            .where(table.c.name == name, table.c.version == version)
            .values(properties=json.dumps(kept), datasets=json.dumps(datasets))
        )
