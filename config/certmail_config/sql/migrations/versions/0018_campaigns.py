"""Campaigns that run: what they are, their reviewers, and the mails that were planned for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("connection", sa.String(63), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changes", sa.BigInteger, nullable=False),
        sa.Column("next_plan_at", _TIME),
        sa.Column("planned_at", _TIME),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name="fk_campaigns_tenant"),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_campaigns"),
    )
    op.create_index("ix_campaigns_next_plan_at", "campaigns", ["next_plan_at"])

    op.create_table(
        "campaign_reviewers",
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("campaign", sa.String(200), nullable=False),
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("fingerprint", sa.String(32), nullable=False),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("roster", sa.String(64)),
        sa.Column("pending", sa.Integer),
        sa.Column("completed", sa.Integer),
        sa.Column("progress_at", _TIME),
        sa.Column("progress_sequence", sa.BigInteger),
        _of_campaign("campaign_reviewers"),
        sa.PrimaryKeyConstraint("tenant", "campaign", "id", name="pk_campaign_reviewers"),
    )
    op.create_index(
        "ix_campaign_reviewers_tenant_person", "campaign_reviewers", ["tenant", "person"]
    )

    op.create_table(
        "campaign_moments",
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("campaign", sa.String(200), nullable=False),
        sa.Column("reviewer", sa.String(200), nullable=False),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("job", sa.String(36)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(64)),
        _of_campaign("campaign_moments"),
        sa.PrimaryKeyConstraint(
            "tenant", "campaign", "reviewer", "rule", "ordinal", name="pk_campaign_moments"
        ),
    )


def _of_campaign(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant", "campaign"], ["campaigns.tenant", "campaigns.id"], name=f"fk_{table}_tenant"
    )


def downgrade() -> None:
    for name in ("campaign_moments", "campaign_reviewers", "campaigns"):
        op.drop_table(name)
