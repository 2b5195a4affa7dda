"""Asking for jobs as they stand, many together: as many round trips as for one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, cast

from redis import Redis
from redis.exceptions import RedisError

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.forecast.forecaster import Forecaster, Waiting
from certmail_config.ledger.view import JobView, read_job
from certmail_config.stores.connect import wrong_type
from certmail_config.tenants.pauses import pause_of

Fields = Mapping[bytes, bytes]
UNREADABLE: Final = (KeyError, ValueError, TypeError, AttributeError, AssertionError)
"""What a hash raises that somebody else than the ledger has written."""
_NOTHING: Final[Fields] = {}


def look_up(
    redis: Redis, forecaster: Forecaster, ids: Sequence[str], now: float
) -> list[JobView | None]:
    """Each as it stands, in order; None where it is unknown, or cannot be read.

    `now` in seconds. Raises RedisError.
    """
    jobs = _hashes(redis, (redis_keys.JOB + id_ for id_ in ids))
    lanes = _hashes(
        redis,
        (redis_keys.LANE_INFO + of for job in jobs.values() if (of := _text(job, b"connection"))),
    )
    pauses = _hashes(redis, (name for lane in lanes.values() for name in _pausing(lane)))
    tenants = {_text(job, b"tenant") for job in jobs.values() if job}
    paused = {tenant: " ".join(pause_of(redis, tenant) or ()) for tenant in tenants}

    views: list[JobView | None] = []
    for id_ in ids:
        job = jobs[redis_keys.JOB + id_]
        lane = lanes.get(redis_keys.LANE_INFO + _text(job, b"connection"), _NOTHING)
        stops = [pauses.get(name, _NOTHING) for name in _pausing(lane)]
        stopped = paused.get(_text(job, b"tenant"), "")
        try:
            views.append(read_job(id_, job, lane, *stops, paused=stopped, now=now))
        except UNREADABLE:
            views.append(None)  # the ledger ends it by itself, and says so on record

    waiting = [
        Waiting(view.id, ConnectionId(view.connection), view.state, _seconds(view.send_at))
        for view in views
        if view is not None
    ]
    forecasts = iter(forecaster.of(waiting) if waiting else ())
    return [view and replace(view, forecast_at=next(forecasts)) for view in views]


def _hashes(redis: Redis, names: Iterable[str]) -> dict[str, Fields]:
    """Some hashes by their names, in one round trip.

    A name that somebody gave to anything but a hash is as if it were not there.
    """
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return {}

    with redis.pipeline(transaction=False) as pipe:
        for name in wanted:
            pipe.hgetall(name)
        answers = pipe.execute(raise_on_error=False)

    found: dict[str, Fields] = {}

    for name, answer in zip(wanted, answers, strict=True):
        if isinstance(answer, RedisError) and not wrong_type(answer):
            raise answer
        found[name] = _NOTHING if isinstance(answer, RedisError) else cast("Fields", answer)

    return found


def _pausing(lane: Fields) -> list[str]:
    """The keys that may say that a lane's mailbox, or its project, rests for a while."""
    kinds = ((redis_keys.MAILBOX, b"mailbox"), (redis_keys.PROJECT, b"project"))
    return [prefix + _text(lane, field) for prefix, field in kinds if lane.get(field)]


def _text(fields: Fields, name: bytes) -> str:
    return fields.get(name, b"").decode(errors="replace")


def _seconds(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()
