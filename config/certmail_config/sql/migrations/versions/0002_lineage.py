"""What tells whether a ledger is the one that was recorded, and what its repair needs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("recorder", sa.Column("epoch", sa.String(length=36), nullable=True))
    op.add_column("recorder", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("deliveries", sa.Column("dedupe", sa.String(length=128), nullable=True))
    op.add_column("deliveries", sa.Column("fingerprint", sa.String(length=64), nullable=True))


def downgrade() -> None:
    for table, column in (
        ("deliveries", "fingerprint"),
        ("deliveries", "dedupe"),
        ("recorder", "seen_at"),
        ("recorder", "epoch"),
    ):
        # Not copied and dropped as a whole: attempts refer to deliveries.
        op.drop_column(table, column)
