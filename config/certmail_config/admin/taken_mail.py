"""Whether Gmail has ever taken a mail from a connection's mailbox: a test mail, or a reminder.

Google may give the permission to send while Gmail takes nothing: the Gmail API is not enabled, the
mailbox has no Gmail. The record knows of reminders; of a test mail, which is none, it is noted
here, sealed as all that is said of a set-up.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import Connection as Db
from sqlalchemy import or_, select

from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_config.crypto.strongbox import Strongbox
from certmail_config.jobs.states import State
from certmail_config.sql import tables
from certmail_config.tenants.models import Connection

LIFE: Final = timedelta(days=90)
"""Where no reminder has gone for so long after the test mail, another one does no harm."""


def note_taken(box: Strongbox, connection: Connection) -> None:
    """Gmail has just taken a test mail; raises RedisError."""
    box.put(
        redis_keys.MAIL_TAKEN + connection.id,
        _sender(connection),
        seconds=int(LIFE.total_seconds()),
    )


def was_taken(admin: Admin, connection: Connection) -> bool:
    """Whether Gmail took one from its present mailbox; raises RedisError, StoresUnreachable."""
    if admin.strongbox.get(redis_keys.MAIL_TAKEN + connection.id) == _sender(connection):
        return True
    with admin.db() as db:
        return _reminder_taken(db, connection)


def _sender(connection: Connection) -> dict[str, str]:
    """From what it went: another mailbox or service account is another matter."""
    return {
        "mailbox": connection.mailbox or "",
        "service_account": connection.service_account or "",
    }


def _reminder_taken(db: Db, connection: Connection) -> bool:
    record = tables.deliveries.c
    taken = (record.tenant == connection.tenant) & (record.state == State.ACCEPTED)
    its = (record.connection == connection.id) & or_(
        record.mailbox.is_(None), record.mailbox == connection.mailbox
    )
    return db.execute(select(record.job).where(taken, its).limit(1)).first() is not None
