"""The deployment's signing key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deployment", sa.Column("signing_key", sa.LargeBinary()))


def downgrade() -> None:
    with op.batch_alter_table("deployment") as table:
        table.drop_column("signing_key")
