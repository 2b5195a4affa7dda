"""What each attempt sent: the version of the tenant's templates, the locale, and two hashes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
ADDED: dict[str, Any] = {
    "template_version": sa.Integer,
    "locale": sa.String(35),
    "message_sha256": sa.String(64),
    "subject_sha256": sa.String(64),
}


def upgrade() -> None:
    for name, of in ADDED.items():
        op.add_column("attempts", sa.Column(name, of))


def downgrade() -> None:
    for name in ADDED:
        op.drop_column("attempts", name)
