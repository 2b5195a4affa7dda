"""Restoring the ledger from the record: reads both stores, lets `rollback` decide, and carries it out.

Pacing stands still meanwhile, because the server's run is unchecked; producers may go on. Interrupted, it is run again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar, cast

from redis import Redis
from sqlalchemy import Connection as Db
from sqlalchemy import select, tuple_

from certmail_config import keys
from certmail_config.connections import Connection
from certmail_config.ids import JobId
from certmail_config.ledger import run_many
from certmail_config.ledger.transitions import SEND_UNITS
from certmail_config.ledger.upkeep import KnownAttempt, KnownJob, Restored, restore
from certmail_config.office import Office
from certmail_config.sql import registry, tables
from certmail_config.states import State
from certmail_worker.lineage import Traces, order, run_id, vouch
from certmail_worker.record import START, Position, read_position, write_position
from certmail_worker.rollback import (
    Kind,
    Plan,
    Recorded,
    Step,
    Waiting,
    attempt_detail,
    could_have_left,
    decide,
    hold,
    lane_order,
)

T = TypeVar("T")
CHUNK = 500
ALWAYS = datetime.min.replace(tzinfo=UTC)


def make_plan(office: Office, *, stopped_at: datetime | None = None) -> Plan:
    """Find out what would have to be done; changes nothing. `stopped_at` is when the former server ended, if that is known."""
    position = read_position(office.engine)
    survived = _survived(office.redis, position.cursor)
    until = stopped_at or _started_at(office.redis)
    with office.db() as db:
        steps = {step.job: step for step in _touched(db, office.redis, survived, office.settings.dedupe_days)}
        connections = registry.list_connections(db)
        forgotten = list(_forgotten(db, [step for step in steps.values() if step.kind is Kind.LOSE]))
    for connection in connections:
        waiting = [
            each
            for each in _waiting(office.redis, connection, until)
            if each.job not in steps or steps[each.job].kind is Kind.KEEP
        ]
        waiting += [each for of, each in forgotten if of == connection.id]
        held = could_have_left(
            waiting,
            since=position.seen_at,
            until=until,
            per_minute=connection.limits.units_per_minute / SEND_UNITS,
            in_flight=connection.limits.in_flight,
        )
        for job in held:
            steps[job] = hold(job, steps.get(job))
    return Plan(survived, position.seen_at, until, tuple(steps.values()))


def carry_out(office: Office, plan: Plan) -> list[Restored]:
    """Do what the plan says, and let pacing go on."""
    run = run_id(office.redis)
    office.publish_missing()
    done: list[Restored] = []
    for steps in _chunks(plan.steps):
        calls = [
            restore(step.job, to=step.to, reason=step.reason, attempts=step.attempts, known=step.known)
            for step in steps
        ]
        done += run_many(office.redis, calls)[0]
    position = read_position(office.engine)
    now = replace(position, cursor=plan.survived)
    write_position(office.engine, position, now)
    vouch(office.redis, office.engine, _traces(office.redis, now), run)
    return done


def _traces(redis: Redis, position: Position) -> Traces:
    epoch = cast("bytes | None", redis.get(keys.EPOCH))
    return Traces(position, epoch.decode() if epoch else None, None, has_cursor=True)


def _survived(redis: Redis, cursor: str) -> str:
    """The newest event of the stream that was recorded; START if none is left."""
    found = cast("list[Any]", redis.xrevrange(keys.EVENTS, max=cursor, count=1))
    return str(found[0][0].decode()) if found else START


def _started_at(redis: Redis) -> datetime:
    """When this run of the server began: the one before had ended by then."""
    info = redis.info("server")
    seconds, micros = redis.time()
    return datetime.fromtimestamp(seconds + micros / 1e6, UTC) - timedelta(
        seconds=max(info["uptime_in_seconds"] - 1, 0)
    )


def _touched(db: Db, redis: Redis, survived: str, keep_days: int) -> Iterator[Step]:
    """A step for every job that something happened to since, as the record knows."""
    keep, now = timedelta(days=keep_days), datetime.now(UTC)
    events = tables.events
    later = tuple_(events.c.stream_ms, events.c.stream_n) > tuple_(*order(survived))
    jobs = db.execute(select(events.c.job).where(later, events.c.job.is_not(None)).distinct()).scalars()
    for chunk in _chunks(jobs.all()):
        with redis.pipeline(transaction=False) as pipe:
            for job in chunk:
                pipe.exists(keys.JOB + job)
            exist = dict(zip(chunk, pipe.execute(), strict=True))
        for recorded, updated_at in _recorded(db, chunk, keep):
            if exist[recorded.job] or updated_at > now - keep:
                step = decide(recorded, in_redis=bool(exist[recorded.job]))
                if step:
                    yield step


def _recorded(db: Db, jobs: Sequence[str], keep: timedelta) -> Iterator[tuple[Recorded, datetime]]:
    attempts: dict[str, list[KnownAttempt]] = {}
    query = select(tables.attempts).where(tables.attempts.c.job.in_(jobs)).order_by(tables.attempts.c.n)
    for row in db.execute(query).mappings():
        known = KnownAttempt(
            row["n"], row["begun_at"].timestamp(), row["outcome"] or "", attempt_detail(dict(row))
        )
        attempts.setdefault(row["job"], []).append(known)
    for row in db.execute(select(tables.deliveries).where(tables.deliveries.c.job.in_(jobs))).mappings():
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
        )
        yield recorded, row["updated_at"]


def _forgotten(db: Db, lost: Sequence[Step]) -> Iterator[tuple[str, Waiting]]:
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
    for chunk in _chunks(lost):
        for row in db.execute(query.where(deliveries.c.job.in_([step.job for step in chunk]))):
            place = lane_order(int(json.loads(row.data)["priority"]), row.enqueued_at.timestamp() * 1000)
            yield (
                row.connection,
                Waiting(JobId(row.job), place, from_=row.send_at or ALWAYS, until=row.expires_at),
            )


def _waiting(redis: Redis, connection: Connection, until: datetime) -> Iterator[Waiting]:
    """The connection's jobs that wait in the restored server and may leave by then."""
    scores = dict(
        cast("list[tuple[bytes, float]]", redis.zrange(keys.LANE + connection.id, 0, -1, withscores=True))
    )
    due = cast("list[bytes]", redis.zrangebyscore(keys.DUE, "-inf", round(until.timestamp() * 1000)))
    for chunk in _chunks(dict.fromkeys([*scores, *due])):
        with redis.pipeline(transaction=False) as pipe:
            for job in chunk:
                pipe.hmget(
                    keys.JOB + job.decode(),
                    "state",
                    "connection",
                    "priority",
                    "enqueued_at",
                    "not_before",
                    "expires_at",
                )
            answers = pipe.execute()
        for job, (state, of, priority, enqueued, not_before, expires) in zip(chunk, answers, strict=True):
            if state in {b"ready", b"dispatched", b"scheduled"} and of.decode() == connection.id:
                place = scores.get(job, lane_order(int(priority), int(enqueued)))
                yield Waiting(
                    JobId(job.decode()),
                    # What was on its way to a worker goes before all.
                    order=-1.0 if state == b"dispatched" else place,
                    from_=_time(not_before) if state == b"scheduled" and not_before else ALWAYS,
                    until=_time(expires),
                )


def _chunks(items: Iterable[T]) -> Iterator[tuple[T, ...]]:
    source = iter(items)
    while chunk := tuple(islice(source, CHUNK)):
        yield chunk


def _time(ms: bytes) -> datetime:
    return datetime.fromtimestamp(int(ms) / 1000, UTC)
