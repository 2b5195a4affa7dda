"""Webhooks: endpoints, whose events they are told, and the messages that wait for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("types", sa.Text, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("previous_secret", sa.LargeBinary),
        sa.Column("previous_until", _TIME),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("code", sa.String(64)),
        sa.Column("since", _TIME),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failing_since", _TIME),
        sa.Column("next_at", _TIME),
        sa.Column("succeeded_at", _TIME),
        sa.Column("error", sa.Text),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_endpoints"),
    )

    op.create_table(
        "webhook_subscriptions",
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("endpoint", sa.String(36), nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint"], ["webhook_endpoints.id"], name="fk_webhook_subscriptions_endpoint"
        ),
        sa.PrimaryKeyConstraint("tenant", "endpoint", name="pk_webhook_subscriptions"),
    )
    op.create_index("ix_webhook_subscriptions_endpoint", "webhook_subscriptions", ["endpoint"])

    op.create_table(
        "webhook_messages",
        sa.Column("endpoint", sa.String(36), nullable=False),
        sa.Column("ms", sa.BigInteger, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(63)),
        sa.Column("job", sa.String(36)),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("endpoint", "ms", "n", name="pk_webhook_messages"),
    )
    op.create_index(
        "ix_webhook_messages_endpoint_state_due_at",
        "webhook_messages",
        ["endpoint", "state", "due_at"],
    )


def downgrade() -> None:
    for name in ("webhook_messages", "webhook_subscriptions", "webhook_endpoints"):
        op.drop_table(name)
