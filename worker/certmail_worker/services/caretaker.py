"""The caretaker, one of the keeper's services: what keeps connections healthy while nobody looks.

It renews the working copy where SQL is newer, and where somebody else has written into it, tries out what did not work and opens its lane once it does, lets a
certificate take over that Google knows by now, uses refresh tokens before they fall asleep, and warns of certificates that end.
Without SQL it waits: none of this is needed for a send.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from redis.exceptions import RedisError

from certmail_config.admin.admin import Office
from certmail_config.admin.api_keys import publish_keys
from certmail_config.admin.suspension import before_it_worked
from certmail_config.admin.working_copy_audit import TenantAudit
from certmail_config.base import redis_keys
from certmail_config.base.errors import CertmailError, Refused, StoresUnreachable
from certmail_config.base.redis_answers import ahash_of
from certmail_config.ledger import warn_expiry
from certmail_config.sql.registry import Glance
from certmail_config.status.lane_waits import Scope, counted, waits
from certmail_config.status.stalls import WAITS
from certmail_config.tenants.models import ConnectionState, Kind
from certmail_worker.connections.probe import only_mail_missing, probe, remember, save, send_promised
from certmail_worker.delivery.context import Desk
from certmail_worker.health.progress import GotOn, unnoted
from certmail_worker.services.check_schedule import IDLE_SECONDS, Ward, warning_days

log = logging.getLogger(__name__)

COUNT_SECONDS = 60.0
"""Between two counts of what waits: with thousands of connections each takes the server a good part of a second."""
AT_ONCE = 4
"""Connections tried out side by side."""
MOST_IDLE = 20
"""Refresh tokens used in one round: nobody needs them at once, and the endpoint has limits."""


async def take_care(desk: Desk, office: Office, got_on: GotOn = unnoted) -> None:
    """Go round until cancelled; raises RedisError."""
    ward, audit, away = Ward(office.settings.care_seconds), TenantAudit(office), False
    while True:
        try:
            await _round(desk, office, ward, audit, got_on)
            await got_on()
            away = False
        except StoresUnreachable as error:
            if not away:
                log.warning("caretaker_waits", extra={"code": error.code, "error": error.message})
            away = True
        await asyncio.sleep(office.settings.care_seconds)


async def _round(desk: Desk, office: Office, ward: Ward, audit: TenantAudit, got_on: GotOn) -> None:
    copied = await asyncio.to_thread(office.publisher.copy_missing)
    copied += await asyncio.to_thread(audit.put_right)
    if await asyncio.to_thread(publish_keys, office, ours=False) or copied:
        log.info("working_copy_renewed", extra={"written": copied})
    glances = await asyncio.to_thread(office.glances)
    await _warn(desk, glances)
    await _use_idle(desk, glances)
    places = asyncio.Semaphore(AT_ONCE)
    if ward.count_at <= time.monotonic():
        ward.count_at = time.monotonic() + COUNT_SECONDS
        await _count_waits(desk, office, glances)
    due = ward.due(glances, time.time())
    await asyncio.gather(*(_look(office, glance, places, got_on) for glance in due))


async def _count_waits(desk: Desk, office: Office, glances: Sequence[Glance]) -> None:
    """How many mailboxes and projects wait for a time, for whoever asks how things are without knowing the connections."""
    active = [glance.id for glance in glances if glance.state is ConnectionState.ACTIVE]
    counts = counted((await asyncio.to_thread(waits, office.redis, active)).values())
    found = f"{counts.get(Scope.MAILBOX, 0)}|{counts.get(Scope.PROJECT, 0)}"
    await desk.redis.hset(redis_keys.PROGRESS, WAITS, found)


async def _look(office: Office, glance: Glance, places: asyncio.Semaphore, got_on: GotOn) -> None:
    """Try one connection out, and act on what is found."""
    async with places:
        await got_on()
        try:
            await asyncio.to_thread(office.check_vault, glance.id)
            before = await asyncio.to_thread(office.connection, glance.id)
            probed = await probe(before, office.settings, office.vault)
            await asyncio.to_thread(remember, office, before, probed)
            found = probed.connection
            first = before_it_worked(before) is not None and only_mail_missing(probed.steps)
            if first and await send_promised(office, before):
                return  # that mail shows more than this look, and has decided
            if found == before or (
                before.state is ConnectionState.PENDING and found.state is not ConnectionState.ACTIVE
            ):
                return  # nothing new; somebody may be setting it up just now
            after = await asyncio.to_thread(save, office, before, probed)
            if after.state is ConnectionState.ACTIVE:
                await send_promised(office, after)
        except StoresUnreachable:
            raise
        except Refused:
            return  # a person was faster
        except CertmailError as error:
            log.warning("not_probed", extra={"connection": glance.id, "code": error.code})
            return
        except RedisError:
            raise
        except Exception as error:  # noqa: BLE001 - one connection's trouble must not end the care for all
            log.error("not_probed", extra={"connection": glance.id, "code": type(error).__name__})  # noqa: TRY400 - its words may quote a secret
            return
    if after.state is not before.state:
        log.info("connection", extra={"connection": after.id, "state": after.state, "code": after.code})


async def _warn(desk: Desk, glances: Sequence[Glance]) -> None:
    """Say 30, 7 and 1 days before that a certificate ends, once each."""
    now = datetime.now(UTC)
    for glance in glances:
        if glance.not_after is None or glance.state is ConnectionState.DISABLED:
            continue
        days = warning_days(glance.not_after, now)
        if days is None:
            continue
        ends = glance.not_after.isoformat(timespec="seconds")
        call = warn_expiry(glance.id, glance.tenant, glance.version, not_after=ends, days=days)
        if await desk.ledger(call):
            remedy = f"certmail connections rotate {glance.id}"
            log.warning(
                "certificate_expiring", extra={"connection": glance.id, "not_after": ends, "remedy": remedy}
            )


async def _use_idle(desk: Desk, glances: Sequence[Glance]) -> None:
    """Ask for a token with refresh tokens that Google has not seen for long."""
    linked = [
        glance
        for glance in glances
        if glance.kind is Kind.SERVICE_PROVIDER_APP and glance.state is ConnectionState.ACTIVE
    ]
    if not linked:
        return
    seen = await ahash_of(desk.redis, redis_keys.GRANTED)
    late = time.time() - IDLE_SECONDS
    idle = [glance for glance in linked if _granted_at(seen.get(glance.id.encode())) < late]
    for glance in idle[:MOST_IDLE]:
        try:
            connection = await desk.directory.connection(glance.id)
            if connection is not None:
                await desk.tokens.get(
                    connection, anew=True
                )  # a refusal stops the lane when the next reminder meets it
        except RedisError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            log.error("not_used", extra={"connection": glance.id, "code": type(error).__name__})  # noqa: TRY400 - as above


def _granted_at(ms: bytes | None) -> float:
    """When Google last granted a token, in seconds; long ago where nobody knows."""
    return int(ms) / 1000 if ms is not None and ms.isdigit() else 0.0
