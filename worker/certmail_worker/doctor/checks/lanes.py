"""What stands still, lane by lane or by an operator's word.

It is read once, for the checks of both stores.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from redis import Redis
from sqlalchemy import Engine

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.base.redis_answers import field_of, fields_of
from certmail_config.sql.engine import reachable
from certmail_config.sql.pausing import read_pauses
from certmail_config.status.lane_waits import Wait, waits
from certmail_config.tenants.models import TenantState
from certmail_config.tenants.pauses import paused_in
from certmail_worker.doctor import pause_findings
from certmail_worker.doctor.checks.findings import Finding, Severity


@dataclass(frozen=True, slots=True)
class Lanes:
    """The connections whose reminders wait, and what is paused.

    `paused` is None where Redis was not reached.
    """

    stopped: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """With code and message: what delivery has found out is newer than what SQL knows."""
    waiting: Mapping[ConnectionId, Wait] = field(default_factory=dict)
    """Those that wait for a time; of all lanes, whatever SQL knows of them."""
    paused: frozenset[str] | None = None


def read_lanes(redis: Redis) -> Lanes:
    """Read it all."""
    return Lanes(_stopped_lanes(redis), _waiting_lanes(redis), paused_in(redis))


def in_force(redis: Redis, paused: frozenset[str]) -> Iterator[Finding]:
    """What an operator lets wait."""
    yield from _findings(pause_findings.in_force(paused, _suspended(redis, paused)))


def disagreements(engine: Engine, paused: frozenset[str]) -> Iterator[Finding]:
    """Where the stores do not agree on what is to wait."""
    with reachable(engine), engine.connect() as db:
        yield from _findings(pause_findings.disagreements(paused, read_pauses(db)))


def _stopped_lanes(redis: Redis) -> dict[str, tuple[str, str]]:
    """The suspended connections, with code and message.

    What delivery has found out is newer than what SQL knows.
    """
    found = {}

    for key in redis.scan_iter(redis_keys.LANE_INFO + "*", count=500):
        lane = fields_of(redis, key, ["state", "code", "message"])
        state, code, message = ((value or b"").decode() for value in lane)
        if state == "suspended":
            found[key.decode().removeprefix(redis_keys.LANE_INFO)] = (code, message)

    return found


def _waiting_lanes(redis: Redis) -> dict[ConnectionId, Wait]:
    """The connections that wait for a time; of all lanes, whatever SQL knows of them."""
    names = (
        key.decode().removeprefix(redis_keys.LANE_INFO)
        for key in redis.scan_iter(redis_keys.LANE_INFO + "*", count=500)
    )
    return waits(redis, [ConnectionId(name) for name in names])


def _suspended(redis: Redis, paused: Iterable[str]) -> set[str]:
    states = {name: field_of(redis, redis_keys.TENANT + name, "state") for name in paused}
    return {name for name, state in states.items() if state == TenantState.SUSPENDED.encode()}


def _findings(found: Iterable[pause_findings.PauseFinding]) -> Iterator[Finding]:
    for pause in found:
        yield Finding(
            pause.check,
            Severity.ERROR if pause.broken else Severity.WARNING,
            pause.message,
            pause.remedy,
        )
