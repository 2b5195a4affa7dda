"""Calling off many reminders at once: page by page, so that the server is never held up."""

from __future__ import annotations

from dataclasses import dataclass

from redis import Redis

from certmail_config.ledger.ending import cancel_matching
from certmail_config.ledger.script import run


@dataclass(frozen=True, slots=True)
class Cancelled:
    """How many were called off, were under way already, and may be out in a copy."""

    cancelled: int
    already_sending: int
    uncertain: int


def cancel_pages(
    redis: Redis, tenant: str, campaign: str, connection: str, reason: str
) -> Cancelled:
    """Go through all unfinished reminders; raises RedisError."""
    cursor, cancelled, already_sending, uncertain = 0, 0, 0, 0

    while True:
        page = run(
            redis,
            cancel_matching(
                cursor, tenant=tenant, campaign=campaign, connection=connection, reason=reason
            ),
        )
        cancelled += page.cancelled
        already_sending += page.already_sending
        uncertain += page.uncertain
        cursor = page.cursor
        if cursor == 0:
            return Cancelled(cancelled, already_sending, uncertain)
