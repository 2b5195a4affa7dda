"""What is left in both stores after Redis was restored.

It is read for restore.py, which has restore_plan.py decide about it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final, TypeVar

from redis import Redis
from redis.exceptions import ResponseError
from sqlalchemy import Connection as Db
from sqlalchemy import select, tuple_

from certmail_config.base import redis_keys
from certmail_config.base.ids import JobId
from certmail_config.base.redis_answers import (
    field_of,
    from_ms,
    newest_entry,
    ranked,
    scored_up_to,
    server_time,
)
from certmail_config.jobs.states import State
from certmail_config.ledger.upkeep import KnownAttempt, KnownJob
from certmail_config.sql import tables
from certmail_config.stores.connect import wrong_type
from certmail_config.tenants.models import Connection
from certmail_worker.doctor.restore_plan import (
    Recorded,
    RestoreStep,
    WaitingJob,
    attempt_detail,
    decide,
    lane_order,
)
from certmail_worker.recording.consistency import order
from certmail_worker.recording.writer import START

T = TypeVar("T")
CHUNK = 500
ALWAYS = datetime.min.replace(tzinfo=UTC)
UNREADABLE: Final = (TypeError, ValueError, OverflowError, OSError)
"""What a job raises that is not in its form.

A field is missing or no number, or a time is beyond the calendar.
"""
FIELDS = ("state", "connection", "priority", "enqueued_at", "not_before", "expires_at", "held")


def newest_surviving_event(redis: Redis, cursor: str) -> str:
    """The newest recorded event that the stream still has; START if none is left."""
    newest = newest_entry(redis, redis_keys.EVENTS, until=cursor)
    return newest[0].decode() if newest else START


def server_ended_by(redis: Redis, since: datetime | None) -> datetime:
    """By when the former server had ended.

    When the present one began; or where it ran before already, when the loss was noticed.
    """
    info = redis.info("server")
    now = datetime.fromtimestamp(server_time(redis), UTC)
    began = now - timedelta(seconds=max(info["uptime_in_seconds"] - 1, 0))
    if since is None or began > since:
        return began

    noticed = field_of(redis, redis_keys.STOPPED, "at")
    return max(from_ms(noticed) if noticed else now, since)


def steps_since(db: Db, redis: Redis, survived: str, keep_days: int) -> Iterator[RestoreStep]:
    """A step for every job that something happened to since, as the record knows."""
    keep, now = timedelta(days=keep_days), datetime.now(UTC)
    events = tables.events
    later = tuple_(events.c.stream_ms, events.c.stream_n) > tuple_(*order(survived))
    jobs = db.execute(
        select(events.c.job).where(later, events.c.job.is_not(None)).distinct()
    ).scalars()

    for chunk in chunks(jobs.all()):
        with redis.pipeline(transaction=False) as pipe:
            for job in chunk:
                pipe.exists(redis_keys.JOB + job)
            exist = dict(zip(chunk, pipe.execute(), strict=True))

        for recorded, updated_at in _recorded(db, chunk, keep):
            if exist[recorded.job] or updated_at > now - keep:
                step = decide(recorded, in_redis=bool(exist[recorded.job]))
                if step:
                    yield step


def _recorded(db: Db, jobs: Sequence[str], keep: timedelta) -> Iterator[tuple[Recorded, datetime]]:
    attempts: dict[str, list[KnownAttempt]] = {}
    query = (
        select(tables.attempts).where(tables.attempts.c.job.in_(jobs)).order_by(tables.attempts.c.n)
    )
    for row in db.execute(query).mappings():
        known = KnownAttempt(
            row["n"], row["begun_at"].timestamp(), row["outcome"] or "", attempt_detail(dict(row))
        )
        attempts.setdefault(row["job"], []).append(known)

    for row in db.execute(
        select(tables.deliveries).where(tables.deliveries.c.job.in_(jobs))
    ).mappings():
        job = KnownJob(
            tenant=row["tenant"],
            connection=row["connection"],
            kind=row["kind"],
            campaign=row["campaign"] or "",
            dedupe=row["dedupe"] or f"{row['tenant']}:{row['job']}",
            fingerprint=row["fingerprint"] or "",
            enqueued_at=row["enqueued_at"].timestamp(),
            expires_at=row["expires_at"].timestamp(),
            keep_seconds=keep.total_seconds(),
        )

        recorded = Recorded(
            JobId(row["job"]),
            State(row["state"]),
            row["reason"] or "",
            tuple(attempts.get(row["job"], ())),
            job,
            decided=row["decided_by"] is not None,
        )

        yield recorded, row["updated_at"]


def forgotten_jobs(db: Db, lost: Sequence[RestoreStep]) -> Iterator[tuple[str, WaitingJob]]:
    """Jobs that the server has forgotten, as they waited before, with their connections."""
    events, deliveries = tables.events, tables.deliveries
    query = select(
        deliveries.c.job,
        deliveries.c.connection,
        deliveries.c.enqueued_at,
        deliveries.c.send_at,
        deliveries.c.expires_at,
        events.c.data,
    ).join(events, (events.c.job == deliveries.c.job) & (events.c.type == "enqueued"))

    for chunk in chunks(lost):
        for row in db.execute(query.where(deliveries.c.job.in_([step.job for step in chunk]))):
            place = lane_order(
                int(json.loads(row.data)["priority"]), row.enqueued_at.timestamp() * 1000
            )
            yield (
                row.connection,
                WaitingJob(
                    JobId(row.job), place, from_=row.send_at or ALWAYS, until=row.expires_at
                ),
            )


def waiting_jobs(
    redis: Redis, connections: Sequence[Connection], until: datetime
) -> Mapping[str, list[WaitingJob]]:
    """The jobs that wait in the restored server and may leave by then, by connection."""
    found: dict[str, list[WaitingJob]] = defaultdict(list)

    for chunk in chunks(_may_wait(redis, connections, until)):
        for job, answer in _read(redis, chunk):
            try:
                connection, each = _waiting(job, answer)
            except UNREADABLE:
                # It cannot be read, or is no hash: the ledger ends it, and it never leaves.
                continue
            if each is not None:
                found[connection].append(each)

    return found


def _may_wait(redis: Redis, connections: Sequence[Connection], until: datetime) -> list[bytes]:
    """The jobs of all lanes, and those that are to be looked at by then; each once."""
    due = scored_up_to(redis, redis_keys.DUE, round(until.timestamp() * 1000))
    ready: list[bytes] = []
    for connection in connections:
        ready += ranked(redis, redis_keys.LANE + connection.id, 0, -1)
    return list(dict.fromkeys([*ready, *due]))


def _read(redis: Redis, jobs: Sequence[bytes]) -> Iterator[tuple[bytes, Any]]:
    """Each job's FIELDS, or the error of one that is no hash; raises any other error."""
    with redis.pipeline(transaction=False) as pipe:
        for job in jobs:
            pipe.hmget(redis_keys.JOB + job.decode(errors="replace"), *FIELDS)
        answers = pipe.execute(raise_on_error=False)
    for job, answer in zip(jobs, answers, strict=True):
        if isinstance(answer, ResponseError) and not wrong_type(answer):
            raise answer
        yield job, answer


def _waiting(job: bytes, answer: Sequence[Any]) -> tuple[str, WaitingJob | None]:
    """A job's connection, and how it waits; None if it does not. Raises one of UNREADABLE."""
    state, of, priority, enqueued, not_before, expires, held = answer
    resend = state == b"uncertain" and held != b"1"
    if state not in {b"ready", b"dispatched", b"scheduled"} and not resend:
        return "", None

    place = lane_order(int(priority), int(enqueued))
    return str(of, "utf-8"), WaitingJob(
        JobId(job.decode()),
        # What was on its way to a worker, or due to be sent again, goes before all.
        order=-1.0 if resend or state == b"dispatched" else place,
        from_=from_ms(not_before) if state == b"scheduled" and not_before else ALWAYS,
        until=from_ms(expires),
    )


def chunks(items: Iterable[T]) -> Iterator[tuple[T, ...]]:
    """Some hundred at a time."""
    source = iter(items)
    while chunk := tuple(islice(source, CHUNK)):
        yield chunk
