"""What the record keeps of an attempt, who decided, and the indexes that its pages are read by."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS: Final[dict[str, sa.types.TypeEngine[Any]]] = {
    "reason": sa.Text(),
    "latency_ms": sa.Integer(),
    "key_id": sa.String(64),
    "connection_version": sa.Integer(),
}
ORDER: Final = ("enqueued_at", "job")
ASKED_FOR: Final[tuple[tuple[str, ...], ...]] = (
    (),
    ("state",),
    ("recipient",),
    ("campaign",),
    ("campaign", "state"),
    ("tenant",),
    ("tenant", "state"),
    ("tenant", "campaign"),
    ("tenant", "campaign", "state"),
)
REPLACED: Final[tuple[tuple[str, ...], ...]] = (
    ("tenant", "campaign", "state"),
    ("tenant", "recipient"),
    ("updated_at",),
)


def upgrade() -> None:
    for name, kind in COLUMNS.items():
        op.add_column("attempts", sa.Column(name, kind, nullable=True))
    op.add_column("deliveries", sa.Column("decided_by", sa.Text(), nullable=True))
    # As they are looked for from now on.
    op.execute("UPDATE deliveries SET recipient = lower(recipient)")
    for columns in REPLACED:
        op.drop_index(_name("deliveries", columns), "deliveries")
    for columns in ASKED_FOR:
        op.create_index(_name("deliveries", columns + ORDER), "deliveries", columns + ORDER)
    op.create_index("ix_events_at", "events", ["at"])


def downgrade() -> None:
    op.drop_index("ix_events_at", "events")
    for columns in ASKED_FOR:
        op.drop_index(_name("deliveries", columns + ORDER), "deliveries")
    for columns in REPLACED:
        op.create_index(_name("deliveries", columns), "deliveries", columns)
    op.drop_column("deliveries", "decided_by")
    for name in reversed(COLUMNS):
        op.drop_column("attempts", name)


def _name(table: str, columns: tuple[str, ...]) -> str:
    return "_".join(("ix", table, *columns))
