"""What a person wants to know of a connection's lane.

That is: how much waits, why it stands still, when the last of it leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.base.redis_answers import fields_of, ranked, score_of
from certmail_config.forecast.forecaster import Forecaster, Waiting
from certmail_config.jobs.states import State
from certmail_config.ledger import run
from certmail_config.ledger.survey import survey
from certmail_config.ledger.values import split_words

PLACE_RECOVERY_SECONDS = 300
"""After how long a mailbox may have one more request under way; as in meters.lua."""


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """The state of a lane: `ready` wait for their turn, `scheduled` for their time.

    Of a stopped lane it says why, and what to do.
    """

    ready: int
    scheduled: int
    stopped: bool
    message: str
    remedy: str

    @property
    def waiting(self) -> int:
        """All that wait."""
        return self.ready + self.scheduled


def read_lanes(redis: Redis, connections: Sequence[ConnectionId]) -> list[LaneStatus]:
    """Look at some lanes in one round trip; raises RedisError."""
    with redis.pipeline(transaction=False) as pipe:
        for id_ in connections:
            pipe.zcard(redis_keys.LANE + id_)
            pipe.zcard(redis_keys.LATER + id_)
            pipe.hmget(redis_keys.LANE_INFO + id_, ["state", "message"])
        answers = pipe.execute()
    return [_read(*answers[at : at + 3]) for at in range(0, len(answers), 3)]


def last_leaves_at(redis: Redis, connection: ConnectionId) -> datetime | None:
    """When the last that waits, for its turn or its time, will have left.

    None if nothing does, the lane stands, or it is too far off.
    """
    last = [
        Waiting(id_.decode(), connection, State.READY)
        for id_ in ranked(redis, redis_keys.LANE + connection, -1, -1)
    ]
    later = redis_keys.LATER + connection
    last += [
        Waiting(id_.decode(), connection, State.SCHEDULED, at / 1000)
        for id_ in ranked(redis, later, -1, -1)
        if (at := score_of(redis, later, id_)) is not None
    ]
    leave = Forecaster(redis).of(last) if last else []
    known = [at for at in leave if at is not None]
    return max(known) if known and len(known) == len(leave) else None


def at_once(redis: Redis, connection: ConnectionId) -> int | None:
    """How many requests a connection's mailbox may have under way at once for now.

    None unless they are fewer than it is set to, since Google said that it was too many.
    """
    info = fields_of(redis, redis_keys.LANE_INFO + connection, ["mailbox", "in_flight"])
    mailbox, configured = ((value or b"").decode() for value in info)
    if not mailbox:
        return None

    lowered = fields_of(redis, redis_keys.MAILBOX + mailbox, ["places", "places_at"])
    if lowered[0] is None or lowered[1] is None:
        return None

    now = redis.time()[0]
    places = int(lowered[0]) + int(max(0.0, now - int(lowered[1]) / 1000) // PLACE_RECOVERY_SECONDS)
    return places if places < int(configured) else None


def sent_today(redis: Redis, connection: ConnectionId) -> int:
    """How many messages its mailbox began in the last 24 hours; raises RedisError."""
    seen = run(redis, survey(connection))
    return sum(count for _, count in seen.day) if seen is not None else 0


def _read(ready: int, scheduled: int, info: Sequence[Any]) -> LaneStatus:
    state, words = ((value or b"").decode() for value in info)
    message, remedy = split_words(words)
    return LaneStatus(int(ready), int(scheduled), state == "suspended", message, remedy)
