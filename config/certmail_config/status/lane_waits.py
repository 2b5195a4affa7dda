"""What the reminders of a connection wait for that only time ends.

That is a pause that Google asked for, or a day that is used up.

The minute's pace is none of it: that is how reminders leave. What an operator paused, and a lane
that is stopped, are said elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.base.redis_answers import server_time
from certmail_config.ledger import run_each
from certmail_config.ledger.survey import LaneSurvey, survey

CHUNK: Final = 200


class WaitScope(StrEnum):
    """What waits."""

    MAILBOX = "mailbox"
    PROJECT = "project"


@dataclass(frozen=True, slots=True)
class Wait:
    """Why reminders wait, and until when.

    `key` tells one mailbox or project from another, `ready` counts those that wait for their turn.
    """

    scope: WaitScope
    key: str
    why: str
    until: datetime | None
    ready: int

    @property
    def sentence(self) -> str:
        """In words, for a person."""
        what = (
            "Its mailbox waits"
            if self.scope is WaitScope.MAILBOX
            else "Its Google Cloud project waits"
        )
        end = f" until {self.until.isoformat(timespec='seconds')}" if self.until else ""
        return f"{what}{end}; {self.ready:,} of its reminders are ready. {self.why}".strip()


@dataclass(frozen=True, slots=True)
class Pauses:
    """The pauses of a mailbox and of its project.

    Until when each lasts (seconds since 1970, 0 for none), and why.
    """

    mailbox: str
    until: float
    why: str
    project_until: float
    project_why: str


def waits(
    redis: Redis, connections: Sequence[ConnectionId], now: float | None = None
) -> dict[ConnectionId, Wait]:
    """Those of the connections that wait so. Raises RedisError."""
    found: dict[ConnectionId, Wait] = {}
    moment = server_time(redis) if now is None else now

    for start in range(0, len(connections), CHUNK):
        some = connections[start : start + CHUNK]
        surveys, _ = run_each(redis, [survey(each) for each in some])
        for each, seen, pauses in zip(some, surveys, _pauses(redis, some), strict=True):
            # One lane that somebody has altered so that it cannot be read hides no other's wait.
            wait = why_it_waits(seen, pauses, moment) if isinstance(seen, LaneSurvey) else None
            if wait is not None:
                found[each] = wait

    return found


def why_it_waits(seen: LaneSurvey, pauses: Pauses, now: float) -> Wait | None:
    """Decide; pure. A project's wait explains its mailboxes'."""
    if pauses.project_until > now:
        return _wait(
            WaitScope.PROJECT, seen.project, pauses.project_why, pauses.project_until, seen
        )

    used = sum(count for _, count in seen.day)
    if seen.project_day_used >= seen.project_per_day:
        why = f"It has sent the {seen.project_per_day:,} messages that it may in 24 hours."
        return _wait(WaitScope.PROJECT, seen.project, why, None, seen)
    if pauses.until > now:
        return _wait(WaitScope.MAILBOX, pauses.mailbox, pauses.why, pauses.until, seen)
    if seen.day and used >= seen.per_day:
        why = f"It has sent the {seen.per_day:,} messages that it may in 24 hours."
        return _wait(WaitScope.MAILBOX, pauses.mailbox, why, seen.day[0][0], seen)

    return None


def counted(found: Iterable[Wait]) -> dict[WaitScope, int]:
    """How many mailboxes and projects wait; several connections may share one."""
    by_scope: dict[WaitScope, set[str]] = defaultdict(set)
    for wait in found:
        by_scope[wait.scope].add(wait.key)
    return {scope: len(names) for scope, names in by_scope.items()}


def _wait(scope: WaitScope, key: str, why: str, until: float | None, seen: LaneSurvey) -> Wait:
    return Wait(scope, key, why, datetime.fromtimestamp(until, UTC) if until else None, seen.ready)


def _pauses(redis: Redis, connections: Sequence[ConnectionId]) -> list[Pauses]:
    with redis.pipeline(transaction=False) as pipe:
        for each in connections:
            pipe.hmget(redis_keys.LANE_INFO + each, ["mailbox", "project"])
        named = [tuple((value or b"").decode() for value in answer) for answer in pipe.execute()]
        for mailbox, project in named:
            pipe.hgetall(redis_keys.MAILBOX + mailbox)
            pipe.hgetall(redis_keys.PROJECT + project)
        found = pipe.execute()

    return [
        Pauses(mailbox, *_pause(found[2 * n]), *_pause(found[2 * n + 1]))
        for n, (mailbox, _) in enumerate(named)
    ]


def _pause(fields: Mapping[bytes, bytes]) -> tuple[float, str]:
    until = fields.get(b"cooling", b"")
    return int(until) / 1000 if until.isdigit() else 0.0, fields.get(b"cool_reason", b"").decode(
        errors="replace"
    )
