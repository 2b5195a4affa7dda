"""What it takes to write an attempt's message again: the moment it was written for, and the release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attempts", sa.Column("composed_at", sa.DateTime(timezone=True)))
    op.add_column("attempts", sa.Column("release", sa.String(80)))


def downgrade() -> None:
    op.drop_column("attempts", "release")
    op.drop_column("attempts", "composed_at")
