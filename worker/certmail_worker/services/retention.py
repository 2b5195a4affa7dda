"""Retention, one of the keeper's services: forgets what has been kept for its period.

Payloads, addresses, records and webhooks each have their own.

A payload goes when its reminder ends. One that is uncertain does not end by itself: it is closed
after its period.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection as Db

from certmail_config.admin.admin import Admin
from certmail_config.ledger import close, run_many
from certmail_config.settings import Settings
from certmail_config.sql.retention import (
    forget_addresses,
    forget_events,
    forget_records,
    forget_set_aside,
    undecided,
)
from certmail_config.sql.webhooks.messages import forget_messages
from certmail_worker.connections.payloads import with_payload
from certmail_worker.health.progress import NoteProgress, no_notes

log = logging.getLogger(__name__)

BATCH: Final = 500
"""In one transaction: the recorder writes between them."""
PAUSE_SECONDS: Final = 3600.0
MAX_SECONDS: Final = 600.0
"""How long it may take to forget what is due."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much of each kind was forgotten."""

    payloads: int = 0
    addresses: int = 0
    records: int = 0
    webhooks: int = 0


async def forget_in_time(admin: Admin, note_progress: NoteProgress = no_notes) -> None:
    """Look each hour until cancelled; raises StoresUnreachable, RedisError."""
    while True:
        done = await asyncio.to_thread(forget, admin, datetime.now(UTC))
        await note_progress()

        if done != Forgotten():
            log.info(
                "forgotten",
                extra={
                    "payloads": done.payloads,
                    "addresses": done.addresses,
                    "records": done.records,
                    "webhooks": done.webhooks,
                },
            )

        await asyncio.sleep(PAUSE_SECONDS)


def forget(admin: Admin, now: datetime) -> Forgotten:
    """Forget what is due; raises StoresUnreachable, RedisError."""
    settings = admin.settings
    days = payload_days(settings)
    payloads = _close(admin, now - timedelta(days=days), days)
    with admin.db() as db:
        forget_set_aside(db, now - timedelta(days=days))

    addresses = records = 0
    if settings.address_days is not None:
        addresses = _all(admin, forget_addresses, now - timedelta(days=settings.address_days))

    if settings.record_days is not None:
        before = now - timedelta(days=settings.record_days)
        records = _all(admin, forget_records, before)
        _all(admin, forget_events, before)

    webhooks = _all(admin, forget_messages, now - timedelta(days=settings.webhook_days))
    return Forgotten(payloads, addresses, records, webhooks)


def payload_days(settings: Settings) -> int:
    """How long the content of an uncertain reminder is kept."""
    return settings.payload_days or settings.dedupe_days


def _close(admin: Admin, before: datetime, days: int) -> int:
    """Close uncertain reminders after their period.

    They were as good as settled: the next of their series came long ago.
    """
    with admin.db() as db:
        jobs = undecided(db, before)

    reason = f"retention: nobody settled it within {days} days"
    calls = [close(job, reason) for job in with_payload(admin.redis, jobs)]
    return sum(run_many(admin.redis, calls)[0])


def _all(admin: Admin, forget: Callable[[Db, datetime, int], int], before: datetime) -> int:
    total, count = 0, BATCH
    while count == BATCH:
        with admin.db() as db:
            count = forget(db, before, BATCH)
        total += count
    return total
