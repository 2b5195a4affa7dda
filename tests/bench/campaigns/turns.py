"""The planner's turns over a large campaign: what they take, and how long another tenant waits."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, NamedTuple

from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_config.sql.campaigns.campaigns import touch
from certmail_worker.planning.turn import due_tenants, plan_slice
from certmail_worker.recording.decoding import read_event
from certmail_worker.recording.writer import read_cursor, write
from certmail_worker.services.planner import planned_intake

EVENTS = 500
"""As many as the recorder writes at once."""


class PlannerTurns(NamedTuple):
    """Seconds that planning took, mails that it made jobs of, and seconds of the longest turn.

    `waited` is how long the other tenant waited at most, `events` how many waited to be recorded.
    """

    planning: float
    enqueued: int
    longest: float
    waited: float
    recording: float


def plan_all(admin: Admin, tenant: str, other: tuple[str, str], now: datetime) -> PlannerTurns:
    """Plan all that is due, as the keeper does: some of each tenant in turn; and record it.

    Before each turn of `tenant` the whole campaign of the `other` is due again.
    """
    intake = planned_intake(admin, now=now.timestamp, clock=now.timestamp)
    planning, longest, waited, recording, enqueued = 0.0, 0.0, 0.0, 0.0, 0

    while tenant in due_tenants(admin, now):
        with admin.db() as db:
            touch(db, *other, now)
        asked = time.perf_counter()
        # The one that asks last, as it may be.
        due = due_tenants(admin, now)
        for each in sorted(due, key=lambda name: name == other[0]):
            begun = time.perf_counter()
            planned = plan_slice(admin, intake, each, due[each], lambda: now)
            took = time.perf_counter() - begun
            if each == tenant:
                planning, longest = planning + took, max(longest, took)
                enqueued += planned.enqueued
            else:
                waited = max(waited, time.perf_counter() - asked)
        begun = time.perf_counter()
        record_all(admin)
        recording += time.perf_counter() - begun

    return PlannerTurns(planning, enqueued, longest, waited, recording)


def record_all(admin: Admin) -> None:
    """Record what happened, as the recorder does, and let the server forget it."""
    while True:
        cursor = read_cursor(admin.engine)
        entries: Any = admin.redis.xrange(redis_keys.EVENTS, f"({cursor}", count=EVENTS)
        if not entries:
            return
        write(admin.engine, cursor, [read_event(id_.decode(), fields) for id_, fields in entries])
        admin.redis.xtrim(redis_keys.EVENTS, minid=entries[-1][0])
