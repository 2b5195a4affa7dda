"""When each reviewer of a campaign is planned next, so that a change of one plans no other."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None
_REVIEWERS = "campaign_reviewers"
_DUE = "ix_campaign_reviewers_tenant_campaign_plan_at"
_JOB = "ix_campaign_moments_job"


def upgrade() -> None:
    op.add_column(_REVIEWERS, sa.Column("plan_at", sa.DateTime(timezone=True)))
    op.add_column(
        _REVIEWERS, sa.Column("changes", sa.BigInteger, nullable=False, server_default="0")
    )
    planned = sa.text("plan_at IS NOT NULL")
    op.create_index(
        _DUE,
        _REVIEWERS,
        ["tenant", "campaign", "plan_at"],
        postgresql_where=planned,
        sqlite_where=planned,
    )
    op.create_index(_JOB, "campaign_moments", ["job"])
    op.add_column(
        "campaigns",
        sa.Column("reviewers_removed", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.add_column("campaigns", sa.Column("retry_at", sa.DateTime(timezone=True)))

    # Who was planned with the whole campaign before is looked at once, by itself.
    reviewers = sa.table(_REVIEWERS, sa.column("plan_at", sa.DateTime(timezone=True)))
    at_once = sa.text("'1970-01-01 00:00:00+00:00'")
    if op.get_bind().dialect.name == "sqlite":
        at_once = sa.text("'1970-01-01 00:00:00.000000'")
    op.execute(reviewers.update().values(plan_at=at_once))


def downgrade() -> None:
    op.drop_column("campaigns", "retry_at")
    op.drop_column("campaigns", "reviewers_removed")
    op.drop_index(_JOB, "campaign_moments")
    op.drop_index(_DUE, _REVIEWERS)
    op.drop_column(_REVIEWERS, "changes")
    op.drop_column(_REVIEWERS, "plan_at")
