"""The caretaker, one of the keeper's services: keeps connections healthy while nobody looks.

It renews the working copy where SQL is newer, and where somebody else has written into it, checks
what did not work and opens its lane once it does, lets a certificate take over that Google knows by
now, uses refresh tokens before they fall asleep, and warns of certificates that end. Without SQL it
waits: none of this is needed for a send.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from redis.exceptions import RedisError

from certmail_config.admin.admin import Admin
from certmail_config.admin.api_keys import publish_keys
from certmail_config.admin.working_copy_audit import TenantAudit
from certmail_config.base import redis_keys
from certmail_config.base.errors import CertmailError, Refused, StoresUnreachable
from certmail_config.base.redis_answers import ahash_of, aserver_time
from certmail_config.ledger import warn_expiry
from certmail_config.sql.campaigns.planning import count_failing, earliest_plan
from certmail_config.sql.registry import ConnectionHealth, tenant_versions
from certmail_config.sql.set_aside import summarise_set_aside
from certmail_config.sql.totals import count_uncertain
from certmail_config.sql.webhooks.endpoints import count_endpoints, longest_due
from certmail_config.status.lane_waits import WaitScope, counted, waits
from certmail_config.status.monitoring.samples import (
    DATABASE,
    RecordSample,
    tally_record,
    write_sample,
)
from certmail_config.status.stalls import WAITS
from certmail_config.tenants.models import ConnectionKind, ConnectionState
from certmail_config.tenants.working_copy import older
from certmail_worker.connections.probe import (
    only_mail_missing,
    probe,
    remember,
    save,
    send_promised,
)
from certmail_worker.delivery.context import DeliveryContext
from certmail_worker.health.progress import NoteProgress, no_notes
from certmail_worker.services.check_schedule import IDLE_SECONDS, CheckSchedule, warning_days

log = logging.getLogger(__name__)

COUNT_SECONDS = 60.0
"""The time between two counts of what waits.

With thousands of connections each count takes the server a good part of a second.
"""
SAMPLE_ROUNDS = 3
"""In so many rounds it is counted once, for metrics, what the database knows."""
MAX_AT_ONCE = 4
"""Connections checked side by side."""
MAX_IDLE = 20
"""Idle refresh tokens used in one round.

Nobody needs them at once, and the endpoint has limits.
"""


async def care_for_connections(
    context: DeliveryContext, admin: Admin, note_progress: NoteProgress = no_notes
) -> None:
    """Do one round after the other until cancelled; raises RedisError."""
    schedule, audit, away = CheckSchedule(admin.settings.care_seconds), TenantAudit(admin), False

    while True:
        try:
            await _round(context, admin, schedule, audit, note_progress)
            await note_progress()
            away = False
        except StoresUnreachable as error:
            if not away:
                log.warning("caretaker_waits", extra={"code": error.code, "error": error.message})
            away = True
        await asyncio.sleep(admin.settings.care_seconds)


async def _round(
    context: DeliveryContext,
    admin: Admin,
    schedule: CheckSchedule,
    audit: TenantAudit,
    note_progress: NoteProgress,
) -> None:
    """Do all that is due now, once."""
    copied = await asyncio.to_thread(admin.projector.copy_missing)
    copied += await asyncio.to_thread(audit.put_right)
    if await asyncio.to_thread(publish_keys, admin, ours=False) or copied:
        log.info("working_copy_renewed", extra={"written": copied})

    connections = await asyncio.to_thread(admin.connection_health)
    await _warn_of_expiry(context, connections)
    await _use_idle_tokens(context, connections)

    if schedule.count_at <= time.monotonic():
        schedule.count_at = time.monotonic() + COUNT_SECONDS
        await _count_waits(context, admin, connections)

    if schedule.sample_at <= time.monotonic():
        schedule.sample_at = time.monotonic() + SAMPLE_ROUNDS * schedule.round_seconds
        await _sample_record(context, admin, connections)

    due = schedule.due(connections, time.time())
    places = asyncio.Semaphore(MAX_AT_ONCE)
    await asyncio.gather(
        *(_check_connection(admin, health, places, note_progress) for health in due)
    )


async def _count_waits(
    context: DeliveryContext, admin: Admin, connections: Sequence[ConnectionHealth]
) -> None:
    """Count the mailboxes and projects that wait for a time.

    For whoever asks how things are without knowing the connections.
    """
    active = [health.id for health in connections if health.state is ConnectionState.ACTIVE]
    counts = counted((await asyncio.to_thread(waits, admin.redis, active)).values())
    found = f"{counts.get(WaitScope.MAILBOX, 0)}|{counts.get(WaitScope.PROJECT, 0)}"
    await context.redis.hset(redis_keys.PROGRESS, WAITS, found)


async def _sample_record(
    context: DeliveryContext, admin: Admin, connections: Sequence[ConnectionHealth]
) -> None:
    """Count for metrics what the database knows."""
    found = await asyncio.to_thread(_read_record, admin, connections)
    now = await aserver_time(context.redis)
    values = tally_record(found, datetime.now(UTC))
    await context.redis.hset(redis_keys.SAMPLE, DATABASE, write_sample(values, now))


def _read_record(admin: Admin, connections: Sequence[ConnectionHealth]) -> RecordSample:
    with admin.db() as db:
        held, unheld = count_uncertain(db)
        aside = summarise_set_aside(db).count
        tenants = tenant_versions(db)
        webhooks, due = count_endpoints(db), longest_due(db)
        unplannable, plan_due = count_failing(db), earliest_plan(db)

    versions = {str(health.id): health.version for health in connections}
    behind = {
        "connections": len(older(admin.redis, redis_keys.CONNECTION, versions)),
        "tenants": len(older(admin.redis, redis_keys.TENANT, tenants)),
    }
    return RecordSample(
        connections, held, unheld, aside, behind, webhooks, due, unplannable, plan_due
    )


async def _check_connection(
    admin: Admin, health: ConnectionHealth, places: asyncio.Semaphore, note_progress: NoteProgress
) -> None:
    """Probe one connection, and act on what is found."""
    async with places:
        await note_progress()

        try:
            await asyncio.to_thread(admin.check_vault, health.id)
            before = await asyncio.to_thread(admin.connection, health.id)
            probed = await probe(before, admin.settings, admin.vault)
            await asyncio.to_thread(remember, admin, before, probed)
            found = probed.connection

            first = before.before_it_worked() is not None and only_mail_missing(probed.steps)
            if first and await send_promised(admin, before):
                return  # that mail shows more than this check, and has decided

            if found == before or (
                before.state is ConnectionState.PENDING
                and found.state is not ConnectionState.ACTIVE
            ):
                return  # nothing new; somebody may be setting it up just now

            after = await asyncio.to_thread(save, admin, before, probed)
            if after.state is ConnectionState.ACTIVE:
                await send_promised(admin, after)
        except StoresUnreachable:
            raise
        except Refused:
            return  # a person was faster
        except CertmailError as error:
            log.warning("not_probed", extra={"connection": health.id, "code": error.code})
            return
        except RedisError:
            raise
        # One connection's trouble must not end the care for all; its words may quote a secret.
        except Exception as error:  # noqa: BLE001
            log.error("not_probed", extra={"connection": health.id, "error": type(error).__name__})  # noqa: TRY400
            return

    if after.state is not before.state:
        log.info(
            "connection", extra={"connection": after.id, "state": after.state, "code": after.code}
        )


async def _warn_of_expiry(
    context: DeliveryContext, connections: Sequence[ConnectionHealth]
) -> None:
    """Warn that a certificate ends, once each 30, 7 and 1 days before."""
    now = datetime.now(UTC)

    for health in connections:
        if health.not_after is None or health.state is ConnectionState.DISABLED:
            continue

        days = warning_days(health.not_after, now)
        if days is None:
            continue

        ends = health.not_after.isoformat(timespec="seconds")
        call = warn_expiry(health.id, health.tenant, health.version, not_after=ends, days=days)
        if await context.ledger(call):
            remedy = f"certmail connections rotate {health.id}"
            log.warning(
                "certificate_expiring",
                extra={"connection": health.id, "not_after": ends, "remedy": remedy},
            )


async def _use_idle_tokens(
    context: DeliveryContext, connections: Sequence[ConnectionHealth]
) -> None:
    """Ask for a token with refresh tokens that Google has not seen for long."""
    linked = [
        health
        for health in connections
        if health.kind is ConnectionKind.SERVICE_PROVIDER_APP
        and health.state is ConnectionState.ACTIVE
    ]
    if not linked:
        return

    granted = await ahash_of(context.redis, redis_keys.GRANTED)
    since = time.time() - IDLE_SECONDS
    idle = [health for health in linked if _granted_at(granted.get(health.id.encode())) < since]

    for health in idle[:MAX_IDLE]:
        try:
            connection = await context.directory.connection(health.id)
            if connection is not None:
                # A refusal stops the lane when the next reminder meets it.
                await context.tokens.get(connection, anew=True)
        except RedisError:
            raise
        # As above.
        except Exception as error:  # noqa: BLE001
            log.error("not_used", extra={"connection": health.id, "error": type(error).__name__})  # noqa: TRY400


def _granted_at(ms: bytes | None) -> float:
    """When Google last granted a token, in seconds; 0 where nobody knows."""
    return int(ms) / 1000 if ms is not None and ms.isdigit() else 0.0
