"""Limits by day and by project, and warming up; what exists gets Google's defaults."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

DEFAULTS = {
    "per_day": "2000",
    "project_units_per_minute": "1200000",
    "project_units_per_day": "80000000",
    "warm_up_days": "0",
}


def upgrade() -> None:
    for name, default in DEFAULTS.items():
        op.add_column(
            "connections", sa.Column(name, sa.Integer(), nullable=False, server_default=default)
        )


def downgrade() -> None:
    with op.batch_alter_table("connections") as batch:
        for name in reversed(DEFAULTS):
            batch.drop_column(name)
