"""Events that could not be recorded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "set_aside",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("type", sa.String(32)),
        sa.Column("tenant", sa.String(63)),
        sa.Column("job", sa.String(36)),
        sa.Column("fields", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("set_aside")
