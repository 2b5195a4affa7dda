"""The one mail that everybody sends: 8.8 KB with text and HTML.

It is what certmail composes for the reminder of the bench.

For contestants that get their message ready, it is made once; only the id differs from mail to
mail.
"""

from __future__ import annotations

from datetime import UTC, datetime

from certmail import Reminder
from certmail_config.compose import Letter, compose

ID = "00000000-0000-7000-8000-000000000000"
"""The id in the ready message, replaced in each."""


TENANTS = 100
"""They share the mailboxes evenly."""


def tenant(box: int) -> str:
    """Whose mailbox it is."""
    return f"tenant-{box % TENANTS:03}"


def connection(box: int) -> str:
    """What its tenant calls it."""
    return f"box-{box // TENANTS:03}"


def mailbox(box: int) -> str:
    """Its address."""
    return f"reviews-{box}@{tenant(box)}.example"


def reminder(number: int, box: int, *, key: str, priority: int = 5) -> Reminder:
    """One reminder as an upstream application gives it."""
    return Reminder(
        tenant=tenant(box),
        connection=connection(box),
        to=f"reviewer{number}@people.example",
        name=f"Réviewer Ñumber {number}",
        kind="reminder",
        campaign="q4-2026",
        campaign_name="Quarterly access review Q4",
        due_at=datetime(2099, 12, 11, 16, tzinfo=UTC),
        pending=number % 7 + 1,
        completed=3,
        link=f"https://iga.example/reviews/{number}",
        locale="en",
        time_zone="Europe/Berlin",
        key=key,
        priority=priority,
    )


def ready() -> bytes:
    """The message, composed."""
    given = reminder(7, 7, key="ready")
    letter = Letter(
        job_id=ID,
        kind=given.kind,
        sender=mailbox(7),
        sender_name=given.tenant,
        reply_to=None,
        to=given.to,
        name=given.name,
        campaign_name=given.campaign_name,
        due_at=given.due_at,
        pending=given.pending,
        completed=given.completed,
        link=given.link,
        locale=given.locale,
        time_zone=given.time_zone,
        organisation=given.tenant,
        now=datetime.now(UTC),
    )

    return compose(letter).raw
