"""A tenant's own rule for unknown outcomes; none means the deployment's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tenants", sa.Column("uncertain", sa.String(200), nullable=True))


def downgrade() -> None:
    # Not copied and dropped as a whole: others refer to this table.
    op.drop_column("tenants", "uncertain")
