"""Pausing, rotating a certificate, and since when Google refuses a connection."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "next_private_key": sa.LargeBinary(),
    "next_certificate": sa.Text(),
    "next_not_after": sa.DateTime(timezone=True),
    "refused_since": sa.DateTime(timezone=True),
}


def upgrade() -> None:
    op.add_column(
        "deployment", sa.Column("paused", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    for name, kind in COLUMNS.items():
        op.add_column("connections", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("connections") as batch:
        for name in reversed(COLUMNS):
            batch.drop_column(name)
    op.drop_column("deployment", "paused")
