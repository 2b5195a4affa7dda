"""What Redis says of the deployment at once: two round trips, whatever it holds.

No key is searched for, and nothing is read whose size grows with reminders, tenants or connections.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError

from certmail_config.base import redis_keys
from certmail_config.status import stalls
from certmail_config.status.monitoring.samples import DATABASE, LEDGER, Sample, read_sample
from certmail_config.status.monitoring.values import Values, put
from certmail_config.status.stalls import Seen
from certmail_config.stores import capacity
from certmail_config.stores.capacity import Figures, StoreLimits

_CODE: Final = re.compile(r"[a-z_]{1,40}")
_STREAM_ID: Final = re.compile(r"([0-9]{1,15})-[0-9]{1,20}")


def look(redis: Redis, limits: StoreLimits) -> Values:
    """Ask; raises RedisError where the server does not answer.

    What somebody has made something else in Redis is missing, and nothing beside it.
    """
    with redis.pipeline(transaction=False) as pipe:
        stalls.ask(pipe)
        of_health = len(pipe)
        capacity.ask(pipe)
        of_store = len(pipe)
        _ask(pipe)
        answers = pipe.execute(raise_on_error=False)
    here = time.time()

    values: Values = {}
    health, store = answers[:of_health], answers[of_health:of_store]
    seen = None if _refused(health) else stalls.read(health)
    if seen is not None:
        _tell_health(values, seen)
        put(values, "certmail_clock_ahead_seconds", here - seen.now, "redis")
    if not _refused(store):
        _tell_store(values, capacity.read_figures(store), limits)
    _tell_rest(values, answers[of_store:])

    if seen is not None:
        recorded = health[3]
        with redis.pipeline(transaction=False) as pipe:
            pipe.zcount(redis_keys.WAKE, "-inf", f"{seen.now * 1000:.0f}")
            pipe.xrange(redis_keys.EVENTS, min=_after(recorded), count=1)
            due, oldest = pipe.execute(raise_on_error=False)
        _tell_by_time(values, seen, due, oldest, answers[of_store:])
    return values


def _ask(pipe: Any) -> None:
    """What stands nowhere else; read by `_tell_rest` and `_tell_by_time`."""
    pipe.zrange(redis_keys.WAKE, 0, 0, withscores=True)
    pipe.zrange(redis_keys.DUE, 0, 0, withscores=True)
    pipe.zcard(redis_keys.DUE)
    pipe.scard(redis_keys.LEASED)
    pipe.zcard(redis_keys.UNSURE)
    pipe.exists(redis_keys.KEEPER)
    pipe.sismember(redis_keys.PAUSED, "*")
    pipe.scard(redis_keys.PAUSED)
    pipe.exists(redis_keys.STOPPED)
    pipe.hget(redis_keys.STOPPED, "code")
    pipe.hlen(redis_keys.FORGED)
    pipe.hmget(redis_keys.SAMPLE, [LEDGER, DATABASE])


def _tell_health(values: Values, seen: Seen) -> None:
    put(values, "certmail_workers", seen.workers)
    put(values, "certmail_workers_capacity", seen.capacity)
    put(values, "certmail_doorbells_unanswered", seen.ringing)
    for note in seen.notes:
        late = 0.0 if note.service == "recorder" and not seen.behind else seen.now - note.until
        put(values, "certmail_service_age_seconds", max(0.0, seen.now - note.at), note.service)
        put(values, "certmail_service_late_seconds", max(0.0, late), note.service)


def _tell_store(values: Values, figures: Figures, limits: StoreLimits) -> None:
    limit = figures.memory_limit(limits)
    put(values, "certmail_redis_memory_used_bytes", figures.used)
    put(values, "certmail_redis_memory_limit_bytes", limit)
    if limit:
        put(values, "certmail_redis_memory_used_ratio", figures.used / limit)
    put(values, "certmail_redis_replicas", figures.online)
    put(values, "certmail_stream_events", figures.events)
    put(values, "certmail_stream_used_ratio", figures.events / limits.events_max)
    put(values, "certmail_tenants", figures.tenants)


def _tell_rest(values: Values, answers: Sequence[Any]) -> None:
    _, _, unfinished, leased, unsure, keeper, paused, tenants, stopped, code, forged, _ = answers

    for name, answer in (
        ("certmail_jobs_unfinished", unfinished),
        ("certmail_jobs_leased", leased),
        ("certmail_lookups_waiting", unsure),
        ("certmail_keeper_present", keeper),
        ("certmail_paused", paused),
        ("certmail_forged_places", forged),
    ):
        if isinstance(answer, int):
            put(values, name, answer)

    if isinstance(tenants, int) and isinstance(paused, int):
        put(values, "certmail_paused_tenants", tenants - int(paused))
    if isinstance(stopped, int):
        put(values, "certmail_pacing_stopped", stopped, _code(code) if stopped else "")


def _tell_by_time(
    values: Values, seen: Seen, due: Any, oldest: Any, answers: Sequence[Any]
) -> None:
    wake, first, *_, samples = answers
    if isinstance(due, int):
        put(values, "certmail_lanes_due", due)
    for name, found in (
        ("certmail_lane_due_age_seconds", wake),
        ("certmail_job_due_age_seconds", first),
    ):
        if isinstance(found, list):
            put(values, name, max(0.0, seen.now - found[0][1] / 1000) if found else 0.0)

    if not seen.behind:
        put(values, "certmail_recorder_lag_events", 0)
        put(values, "certmail_recorder_lag_seconds", 0)
    elif "certmail_stream_events" in values and isinstance(oldest, list):
        events = values["certmail_stream_events"][()]
        put(values, "certmail_recorder_lag_events", max(1, events - 1))
        put(values, "certmail_recorder_lag_seconds", _age(oldest, seen.now))

    for sample in _samples(samples):
        put(values, "certmail_sample_age_seconds", max(0.0, seen.now - sample.at), sample.of)
        values.update(sample.values)


def _samples(answers: Any) -> Iterator[Sample]:
    if isinstance(answers, list):
        for of, text in zip((LEDGER, DATABASE), answers, strict=True):
            if (found := read_sample(of, text)) is not None:
                yield found


def _age(entries: list[Any], now: float) -> float:
    """How old the first of some entries is; 0 where there is none."""
    found = _STREAM_ID.fullmatch(entries[0][0].decode()) if entries else None
    return max(0.0, now - int(found[1]) / 1000) if found else 0.0


def _after(recorded: bytes | None) -> str:
    """Where the entries begin that are not recorded yet."""
    text = (recorded or b"").decode(errors="replace")
    return f"({text}" if _STREAM_ID.fullmatch(text) else "-"


def _code(answer: Any) -> str:
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else ""
    return text if _CODE.fullmatch(text) else "other"


def _refused(answers: Sequence[Any]) -> bool:
    return any(isinstance(answer, RedisError) for answer in answers)
