"""Where the answers to a tenant's mails go, sealed; none means its mailbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tenants", sa.Column("reply_to", sa.LargeBinary))


def downgrade() -> None:
    # Not copied and dropped as a whole: others refer to this table.
    op.drop_column("tenants", "reply_to")
