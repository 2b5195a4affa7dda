"""Messages of endpoints: which are due, what became of them, and sending some once more.

Whoever sends takes messages for a while. The number of their attempts is the fence: of a message
that was taken again meanwhile, or replayed, late news counts no more.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection as Db
from sqlalchemy import bindparam, delete, func, insert, select, tuple_, update

from certmail_config.sql import tables
from certmail_config.sql.tables import UtcDateTime
from certmail_config.webhooks.catalogue import WebhookType, payload
from certmail_config.webhooks.signing import message_id

_TABLE: Final = tables.webhook_messages
_KEY: Final = (_TABLE.c.endpoint, _TABLE.c.ms, _TABLE.c.n)


class MessageState(StrEnum):
    """What became of a message for one endpoint."""

    WAITING = "waiting"
    """It is due at a time, or waits until its endpoint is sent anything."""
    DELIVERED = "delivered"
    """The endpoint has taken it."""
    FAILED = "failed"
    """It was tried as often as it may be; it is kept, and can be replayed."""


@dataclass(frozen=True, slots=True)
class TakenMessage:
    """A message that somebody has taken to send; `attempt` is its number, and the fence."""

    endpoint: str
    ms: int
    n: int
    type: str
    body: str
    attempt: int

    @property
    def id(self) -> str:
        """Its id as the receiver has it."""
        return message_id(self.ms, self.n)


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of an attempt, and when the next one is due, if it waits for one."""

    taken: TakenMessage
    state: MessageState
    at: datetime
    due_at: datetime | None
    status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept for an endpoint: messages by state, and since when the longest is due."""

    waiting: int
    delivered: int
    failed: int
    oldest_due: datetime | None


def take(db: Db, endpoint: str, now: datetime, limit: int, seconds: float) -> list[TakenMessage]:
    """Take what is due for an endpoint, the longest due first, for so many seconds."""
    due = (_TABLE.c.state == MessageState.WAITING) & (_TABLE.c.due_at <= now)
    first = (
        select(*_KEY)
        .where(_TABLE.c.endpoint == endpoint, due)
        .order_by(_TABLE.c.due_at, _TABLE.c.ms, _TABLE.c.n)
        .limit(limit)
    )
    keys = [tuple(row) for row in db.execute(first)]
    if not keys:
        return []

    # Who comes second waits for the row, and then finds it no longer due.
    taking = (
        update(_TABLE)
        .where(tuple_(*_KEY).in_(keys), due)
        .values(attempts=_TABLE.c.attempts + 1, due_at=now + timedelta(seconds=seconds))
        .returning(*_KEY, _TABLE.c.type, _TABLE.c.body, _TABLE.c.attempts)
    )
    found = [TakenMessage(*row) for row in db.execute(taking)]
    return sorted(found, key=lambda each: (each.ms, each.n))


_END: Final = (
    update(_TABLE)
    .where(
        _TABLE.c.endpoint == bindparam("of"),
        _TABLE.c.ms == bindparam("at_ms"),
        _TABLE.c.n == bindparam("at_n"),
        _TABLE.c.attempts == bindparam("attempt"),
        _TABLE.c.state == MessageState.WAITING,
    )
    .values(
        state=bindparam("becomes"),
        due_at=func.coalesce(bindparam("again", type_=UtcDateTime), _TABLE.c.due_at),
        ended_at=bindparam("end", type_=UtcDateTime),
        status=bindparam("answered"),
        error=bindparam("why"),
    )
)


def end_attempts(db: Db, ended: Sequence[Ended]) -> None:
    """Write what became of attempts, as far as nobody else knows better."""
    if not ended:
        return
    rows = [
        {
            "of": each.taken.endpoint,
            "at_ms": each.taken.ms,
            "at_n": each.taken.n,
            "attempt": each.taken.attempt,
            "becomes": each.state,
            "again": each.due_at,
            "end": None if each.state is MessageState.WAITING else each.at,
            "answered": each.status,
            "why": each.error,
        }
        for each in ended
    ]
    db.execute(_END, rows)


def add_message(
    db: Db, endpoints: Sequence[str], kind: WebhookType, at: datetime, data: Mapping[str, Any]
) -> None:
    """Let endpoints be told of something that is no event of the stream."""
    own = {
        "ms": int(at.timestamp() * 1000),
        "n": NO_STREAM + secrets.randbelow(1 << 20),
        "type": str(kind),
        "body": payload(kind, at, dict(data)),
        "state": MessageState.WAITING,
        "attempts": 0,
        "due_at": at,
    }
    for endpoint in endpoints:
        db.execute(insert(_TABLE).values(endpoint=endpoint, **own))


NO_STREAM: Final = 1 << 40
"""From here on are the numbers of messages that are no event of the stream."""


def replay_message(db: Db, endpoint: str, key: tuple[int, int], now: datetime) -> int:
    """Let one message be sent (again) at once; gives how many that are, 0 or 1."""
    ms, n = key
    where = (_TABLE.c.endpoint == endpoint) & (_TABLE.c.ms == ms) & (_TABLE.c.n == n)
    return _replay(db, where, now)


def replay_since(db: Db, endpoint: str, since: datetime, now: datetime) -> int:
    """Let all of what happened since a time be sent (again), delivered or not; gives how many."""
    ms = int(since.timestamp() * 1000)
    return _replay(db, (_TABLE.c.endpoint == endpoint) & (_TABLE.c.ms >= ms), now)


def replay_failed(db: Db, endpoint: str, now: datetime) -> int:
    """Let all that failed be sent again; gives how many that are."""
    failed = _TABLE.c.state == MessageState.FAILED
    return _replay(db, (_TABLE.c.endpoint == endpoint) & failed, now)


def _replay(db: Db, where: Any, now: datetime) -> int:
    # One more than any attempt under way knows; its schedule begins anew (`BASE`).
    values = {"state": MessageState.WAITING, "due_at": now, "ended_at": None, "error": None}
    base = (_TABLE.c.attempts // BASE + 1) * BASE
    return db.execute(update(_TABLE).where(where).values(**values, attempts=base)).rowcount


BASE: Final = 100
"""Attempts are counted from a multiple of this on: each replay begins at the next one."""


def kept_of(db: Db, endpoint: str) -> Kept:
    """What is kept for an endpoint."""
    query = (
        select(_TABLE.c.state, func.count(), func.min(_TABLE.c.due_at))
        .where(_TABLE.c.endpoint == endpoint)
        .group_by(_TABLE.c.state)
    )
    counts, oldest = dict.fromkeys(MessageState, 0), None
    for state, count, due_at in db.execute(query):
        counts[MessageState(state)] = count
        oldest = due_at if state == MessageState.WAITING else oldest

    return Kept(**counts, oldest_due=oldest)


def count_waiting(db: Db, endpoint: str, most: int) -> int:
    """How many messages wait for an endpoint; so many are counted at `most`."""
    waits = (_TABLE.c.endpoint == endpoint) & (_TABLE.c.state == MessageState.WAITING)
    some = select(_TABLE.c.ms).where(waits).limit(most).subquery()
    return int(db.execute(select(func.count()).select_from(some)).scalar_one())


def newest_messages(db: Db, endpoint: str, limit: int) -> list[dict[str, Any]]:
    """The newest messages of an endpoint, without their bodies, the newest first."""
    shown = ("ms", "n", "type", "state", "attempts", "due_at", "ended_at", "status", "error")
    query = (
        select(*(_TABLE.c[name] for name in shown))
        .where(_TABLE.c.endpoint == endpoint)
        .order_by(_TABLE.c.ms.desc(), _TABLE.c.n.desc())
        .limit(limit)
    )
    return [
        {"id": message_id(row.pop("ms"), row.pop("n")), **row, "attempts": row["attempts"] % BASE}
        for row in (dict(each) for each in db.execute(query).mappings())
    ]


def forget_messages(db: Db, before: datetime, limit: int) -> int:
    """Delete messages of what happened before a time, and what is nobody's; gives how many.

    Endpoint by endpoint: their keys begin with it.
    """
    ms, left = int(before.timestamp() * 1000), limit
    known = list(db.execute(select(tables.webhook_endpoints.c.id)).scalars())
    places = [(_TABLE.c.endpoint == id_) & (_TABLE.c.ms < ms) for id_ in known]
    places.append(_TABLE.c.endpoint.not_in(select(tables.webhook_endpoints.c.id)))

    for place in places:
        if left <= 0:
            break
        keys = [tuple(row) for row in db.execute(select(*_KEY).where(place).limit(left))]
        if keys:
            db.execute(delete(_TABLE).where(tuple_(*_KEY).in_(keys)))
            left -= len(keys)
    return limit - left
