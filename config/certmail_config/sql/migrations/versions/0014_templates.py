"""What a tenant writes in its mails itself, each version of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "templates",
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("own_words", sa.Text, nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name="fk_templates_tenant"),
        sa.PrimaryKeyConstraint("tenant", "version", name="pk_templates"),
    )


def downgrade() -> None:
    op.drop_table("templates")
