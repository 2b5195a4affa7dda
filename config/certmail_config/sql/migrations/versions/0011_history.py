"""What happened to a tenant and its connections is found without reading what happened to its reminders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
INDEX = "ix_events_of_tenant"


def upgrade() -> None:
    few = sa.text("job IS NULL")
    columns = ["tenant", "stream_ms", "stream_n"]
    op.create_index(INDEX, "events", columns, sqlite_where=few, postgresql_where=few)


def downgrade() -> None:
    op.drop_index(INDEX, "events")
