"""The domains that a tenant may send from; none means any."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "tenants", sa.Column("domains", sa.Text, nullable=False, server_default=sa.text("''"))
    )


def downgrade() -> None:
    # Not copied and dropped as a whole: others refer to this table.
    op.drop_column("tenants", "domains")
