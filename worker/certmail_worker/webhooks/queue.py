"""The sender's two steps in SQL: taking what is due, and writing what came of it."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection as Db
from sqlalchemy import Engine

from certmail_config.admin.webhooks.secrets import signing_secrets
from certmail_config.base.errors import Refused, SealBroken
from certmail_config.crypto.vault import Vault
from certmail_config.sql.webhooks.endpoints import (
    Endpoint,
    any_endpoint,
    deliverable,
    get_endpoint,
    neighbours,
    note_health,
)
from certmail_config.sql.webhooks.messages import TakenMessage, add_message, end_attempts, take
from certmail_config.webhooks.catalogue import WebhookType
from certmail_config.webhooks.health import EndpointState
from certmail_config.webhooks.schedule import wait_before
from certmail_config.webhooks.targets import host_of
from certmail_worker.webhooks.verdict import Random, Tried, Waits, end_of, health_after

log = logging.getLogger(__name__)

ENDPOINTS: Final = 50
"""That are looked at in one turn; the next turn goes on behind them."""
PER_ENDPOINT: Final = 8
"""Messages under way to one endpoint; one that backs off has one."""
HELD_SECONDS: Final = 60.0
"""For so long a message is the taker's: longer than an attempt can take, and what is written of it."""
SEEN_SECONDS: Final = timedelta(seconds=10)
"""A success that says nothing new is noted so often."""
_RESUME: Final = "certmail webhooks resume"


@dataclass(frozen=True, slots=True)
class Work:
    """A message that is to be sent: to where, and signed with what."""

    taken: TakenMessage
    url: str
    secrets: Sequence[str]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn has taken.

    `after` is the endpoint behind which the next goes on, empty at the end; `idle` says that there
    is no endpoint at all.
    """

    work: Sequence[Work]
    after: str = ""
    idle: bool = False


def take_turn(
    engine: Engine,
    vault: Vault,
    now: datetime,
    *,
    after: str,
    room: int,
    under_way: Mapping[str, int],
    held_seconds: float = HELD_SECONDS,
) -> Turn:
    """Take what is due, from each endpoint as much as it may have under way, `room` in all.

    Raises SQLAlchemyError.
    """
    with engine.begin() as db:
        found = deliverable(db, now, after, ENDPOINTS)
        if not found:
            return Turn([], idle=not after and not any_endpoint(db))

        work: list[Work] = []
        for endpoint in found:
            limit = PER_ENDPOINT if endpoint.health.state is EndpointState.ACTIVE else 1
            limit = min(limit - under_way.get(endpoint.id, 0), room - len(work))
            if limit > 0:
                work += _take(db, vault, endpoint, now, limit, held_seconds)

    return Turn(work, found[-1].id if len(found) == ENDPOINTS else "")


def _take(
    db: Db, vault: Vault, endpoint: Endpoint, now: datetime, limit: int, held_seconds: float
) -> list[Work]:
    try:
        secrets = signing_secrets(vault, endpoint, now)
    except SealBroken as broken:
        # Its sentence says it all; the messages wait until the key is back.
        extra = {"webhook": endpoint.id, "code": broken.code, "error": broken.message}
        log.error("webhook_unsigned", extra=extra | {"alike": endpoint.id})  # noqa: TRY400
        return []
    taken = take(db, endpoint.id, now, limit, held_seconds)
    return [Work(each, endpoint.url, secrets) for each in taken]


def write_tried(
    engine: Engine, tried: Sequence[Tried], random: Random, waits: Waits = wait_before
) -> None:
    """Write what came of attempts: of the messages, and of their endpoints. Raises SQLAlchemyError.

    An endpoint that changes its state says so once, in the log; one that is disabled is told to
    whoever else is told of its tenants, in the same transaction.
    """
    of: defaultdict[str, list[Tried]] = defaultdict(list)
    for each in tried:
        of[each.taken.endpoint].append(each)

    says: list[Callable[[], None]] = []
    with engine.begin() as db:
        end_attempts(db, [end_of(each, random, waits) for each in tried])
        for id_, tries in of.items():
            says += _note(db, id_, tries, random)

    for say in says:
        say()


def _note(db: Db, id_: str, tries: Sequence[Tried], random: Random) -> list[Callable[[], None]]:
    while True:
        try:
            before = get_endpoint(db, id_)
        except Refused:
            return []  # removed meanwhile

        # What came of an address that it no longer has says nothing of the one it has.
        here = [each for each in tries if each.url == before.url]
        health, error = health_after(before.health, before.error, here, random)
        after = replace(before, health=health, error=error)
        if _says_nothing_new(before, after):
            return []
        if note_health(db, before, after):
            break

    if after.health.state is before.health.state:
        return []
    if after.health.state is EndpointState.DISABLED:
        told = [each.id for each in neighbours(db, after, WebhookType.WEBHOOK_DISABLED)]
        data = {"webhook": id_, "code": after.health.code}
        add_message(db, told, WebhookType.WEBHOOK_DISABLED, tries[-1].at, data)
    return [lambda: _say(after)]


def _says_nothing_new(before: Endpoint, after: Endpoint) -> bool:
    was, now = before.health.succeeded_at, after.health.succeeded_at
    same = replace(after.health, succeeded_at=was) == before.health and after.error == before.error
    return same and (
        was == now or (was is not None and now is not None and now - was < SEEN_SECONDS)
    )


def _say(endpoint: Endpoint) -> None:
    """Say that an endpoint has come into another state."""
    extra = {"webhook": endpoint.id, "host": host_of(endpoint.url)}
    if endpoint.health.state is EndpointState.ACTIVE:
        log.info("webhook_active", extra=extra)
        return

    extra |= {"code": endpoint.health.code or "", "error": endpoint.error or ""}
    if endpoint.health.state is EndpointState.BACKING_OFF:
        log.warning("webhook_backing_off", extra=extra)
    else:
        log.error("webhook_disabled", extra=extra | {"remedy": f"{_RESUME} {endpoint.id}"})
