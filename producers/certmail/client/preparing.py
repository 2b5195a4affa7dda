"""What an application gives, and what it is answered. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from certmail.client.receipt import Receipt
from certmail_config.base.errors import ReminderRejected
from certmail_config.jobs.languages import language_of, why_another
from certmail_config.jobs.reminder import Reminder, parse
from certmail_config.ledger import Enqueued

Given = Reminder | Mapping[str, Any] | ReminderRejected
"""A reminder as an application gives it: made already, its fields, or why it is none."""


def read_given(given: object) -> Reminder | ReminderRejected:
    """The reminder that is given, or why it is none.

    Raises TypeError for what could never be one.
    """
    if isinstance(given, Reminder | ReminderRejected):
        return given

    if not isinstance(given, Mapping):
        wanted = "a Reminder, or a mapping of its fields such as {'tenant': 'acme', 'to': 'anna@acme.example'}"
        message = f"certmail wants {wanted}, not {type(given).__name__}"
        raise TypeError(message)

    try:
        return parse(dict(given))
    except ReminderRejected as rejected:
        return rejected


def require_several(given: object) -> None:
    """Check that an application gave several reminders, not one; raises TypeError."""
    if isinstance(given, Reminder | Mapping | str):
        message = "send_many wants several reminders, such as a list of them; for one there is send"
        raise TypeError(message)


def read_answer(
    answer: Enqueued, reminder: Reminder, forecast_at: datetime | None, fallback: str | None
) -> Receipt | ReminderRejected:
    """What the ledger's answer means to whoever asked; `fallback` is the locale of the tenant."""
    if answer.code == "tenant_full":
        return ReminderRejected(
            "tenant_full",
            f"Redis has little room left, and the tenant {reminder.tenant!r} has its share of it; other tenants' reminders are still taken in",
            remedy="Send it again when there is more room: give Redis more memory (maxmemory, or CERTMAIL_REDIS_MEMORY_MAX), or wait; "
            "what ended is forgotten after CERTMAIL_DEDUPE_DAYS.",
        )

    if answer.code == "key_reused":
        message = (
            f"the same key was used before for a reminder with other content (job {answer.id})"
        )
        return ReminderRejected(
            "key_reused", message, field="key", remedy="Use a key of its own for each reminder."
        )
    if answer.code == "unknown_connection":
        return ReminderRejected(
            "unknown_connection", "the connection was removed meanwhile", field="connection"
        )

    assert answer.state is not None, "both remaining answers carry a state"
    return Receipt(
        answer.id,
        answer.state,
        duplicate=answer.code == "duplicate",
        forecast_at=forecast_at,
        language=language_of(reminder.locale, fallback),
        language_note=why_another(reminder.locale, fallback),
    )
