"""Reading what is there after a storm: at Google, in the ledger, in SQL, and what doctor says."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from sqlalchemy import select

from certmail_config.base import redis_keys
from certmail_config.jobs.states import FINAL, AttemptOutcome, State
from certmail_config.ledger.view import read_job
from certmail_config.sql import tables
from chaos.facts import Attempt, Request, Standing
from support.deployment.deployment import Deployment

PAGE = 500


def ledger(redis: Redis) -> dict[str, Standing]:
    """Where every job of the ledger is."""
    names = [key.decode() for key in redis.scan_iter(f"{redis_keys.JOB}*", count=1_000)]
    ids = [name.removeprefix(redis_keys.JOB) for name in names]
    return {
        job: found
        for job, fields in _hashes(redis, ids)
        if (found := _standing(job, fields)) is not None
    }


def workers(redis_url: str) -> set[int] | None:
    """The processes that are at work; None while the server does not answer."""
    with Redis.from_url(redis_url, retry=Retry(NoBackoff(), 0), socket_timeout=1) as redis:
        try:
            names = cast("list[bytes]", redis.zrange(redis_keys.WORKERS, 0, -1))
        except RedisError:
            return None
    return {int(name.split(b":")[1]) for name in names}


def keeper(redis_url: str) -> set[int]:
    """The process that is the keeper, if there is one and the server answers."""
    with Redis.from_url(redis_url, retry=Retry(NoBackoff(), 0), socket_timeout=1) as redis:
        try:
            name = cast("bytes | None", redis.get(redis_keys.KEEPER))
        except RedisError:
            return set()
    return {int(name.split(b":")[1])} if name else set()


def preparing(redis: Redis) -> set[int]:
    """The processes that have claimed a job just now, and not begun it."""
    leased = [job.decode() for job in cast("set[bytes]", redis.smembers(redis_keys.LEASED))]
    found = (values for _, values in _some(redis, leased, "state", "worker"))
    return {
        int(worker.split(b":")[1])
        for state, worker in found
        if state == State.DISPATCHED.encode() and worker
    }


def unfinished(redis: Redis, jobs: Sequence[str]) -> tuple[set[str], set[str]]:
    """The jobs that still go somewhere by themselves, and those that are held."""
    moving, held = set(), set()
    for job, values in _some(redis, jobs, "state", "held"):
        state, is_held = (value.decode() if value else "" for value in values)
        if state == State.UNCERTAIN and is_held == "1":
            held.add(job)
        elif state not in FINAL:
            moving.add(job)
    return moving, held


def _standing(job: str, fields: Mapping[bytes, bytes]) -> Standing | None:
    view = read_job(job, fields, {})
    if view is None:
        return None
    outcomes = tuple(attempt.outcome for attempt in view.attempts)
    return Standing(str(view.state), view.held, view.possible_duplicate, outcomes)


def _hashes(redis: Redis, jobs: Sequence[str]) -> Iterable[tuple[str, dict[bytes, bytes]]]:
    for start in range(0, len(jobs), PAGE):
        page = jobs[start : start + PAGE]
        with redis.pipeline(transaction=False) as pipe:
            for job in page:
                pipe.hgetall(redis_keys.JOB + job)
            yield from zip(page, pipe.execute(), strict=True)


def _some(
    redis: Redis, jobs: Sequence[str], *names: str
) -> Iterable[tuple[str, list[bytes | None]]]:
    for start in range(0, len(jobs), PAGE):
        page = jobs[start : start + PAGE]
        with redis.pipeline(transaction=False) as pipe:
            for job in page:
                cast("Any", pipe).hmget(redis_keys.JOB + job, *names)
            yield from zip(page, pipe.execute(), strict=True)


def record(place: Deployment) -> tuple[dict[str, Standing], list[Attempt]]:
    """Where every job is by SQL, and all requests on record."""
    jobs, tries = tables.deliveries, tables.attempts

    with place.admin.db() as db:
        made = [
            Attempt(row.job, row.n, row.worker.split(":")[1], row.begun_at.timestamp(), row.outcome)
            for row in db.execute(select(tries).order_by(tries.c.job, tries.c.n))
        ]
        outcomes: dict[str, list[str | None]] = {}
        for attempt in made:
            outcomes.setdefault(attempt.job, []).append(attempt.outcome)
        rows = db.execute(
            select(jobs.c.job, jobs.c.state, jobs.c.held, jobs.c.possible_duplicate)
        ).all()

    found = {
        row.job: Standing(
            row.state, row.held, row.possible_duplicate, tuple(outcomes.get(row.job, ()))
        )
        for row in rows
    }
    return found, made


def delays(place: Deployment, jobs: Collection[str]) -> list[float]:
    """The delays of these reminders in seconds, the shortest first.

    A delay is from its time, which is its receipt or its send time, until Gmail took it, where it
    is known to have.
    """
    table, tries = tables.deliveries, tables.attempts
    query = (
        select(table.c.job, table.c.enqueued_at, table.c.send_at, tries.c.ended_at)
        .join(tries, tries.c.job == table.c.job)
        .where(tries.c.outcome == AttemptOutcome.ACCEPTED)
    )
    with place.admin.db() as db:
        rows = db.execute(query).all()

    due = (
        (row, row.send_at or row.enqueued_at) for row in rows if row.job in jobs and row.ended_at
    )
    return sorted(max((row.ended_at - at).total_seconds(), 0.0) for row, at in due)


def is_recorded(place: Deployment) -> bool:
    """Whether SQL has every event of the ledger."""
    newest = cast("dict[str, bytes]", place.admin.redis.xinfo_stream(redis_keys.EVENTS))[
        "last-generated-id"
    ]
    with place.admin.db() as db:
        return bool(db.execute(select(tables.recorder.c.cursor)).scalar_one() == newest.decode())


def copies(place: Deployment, mailboxes: Iterable[str]) -> list[str]:
    """The job of each message that arrived; mailbox by mailbox, because messages are large."""
    return [
        str(message["certmail_id"])
        for mailbox in mailboxes
        for message in place.control("GET", f"/messages?mailbox={mailbox}")
    ]


def requests(place: Deployment, path: str) -> list[Request]:
    """What was asked of Google's side under a path."""
    return [
        Request(
            datetime.fromisoformat(item["at"]).timestamp(),
            item["mailbox"] or "",
            item["certmail_id"],
            item["status"],
            item["fault"],
        )
        for item in place.control("GET", f"/requests?path={path}")
    ]


def doctor(place: Deployment) -> list[dict[str, str]]:
    """What `certmail doctor` finds; that it cannot say is a finding, too."""
    ran = place.run("doctor", "--json")

    try:
        return list(json.loads(ran.out)["findings"])
    except (ValueError, KeyError):
        return [
            {
                "check": "doctor",
                "severity": "error",
                "message": f"status {ran.status}: {ran.err[-500:]}",
            }
        ]
