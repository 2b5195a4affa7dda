"""Resolving uncertain reminders by hand: a person has looked, and says what became of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from redis import Redis
from sqlalchemy import Connection as Db
from sqlalchemy import func, select

from certmail_config.base import redis_keys
from certmail_config.base.ids import JobId
from certmail_config.base.redis_answers import field_of, hash_of
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Call, Settlement, close, run, settle
from certmail_config.sql import tables
from certmail_worker.uncertain.pending_checks import unknown_attempts

BATCH_SIZE: Final = 500


class Decision(StrEnum):
    """What the person found."""

    ARRIVED = "arrived"
    """It is in the mailbox's sent mail, or with the reviewer."""
    SEND_AGAIN = "send-again"
    """It did not arrive; it is sent again."""
    CLOSE = "close"
    """Nobody can say; it is left at that."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A job, whether the decision took effect, and its state then; None if it is forgotten."""

    id: str
    done: bool
    state: State | None


def list_uncertain(
    db: Db, redis: Redis, *, tenant: str | None, campaign: str | None, limit: int
) -> list[dict[str, Any]]:
    """The uncertain deliveries that are still open, the oldest first; raises RedisError.

    `waits_for` says who is to decide.
    """
    rows = uncertain_rows(db, tenant=tenant, campaign=campaign)
    still_open: list[dict[str, Any]] = []

    for start in range(0, len(rows), BATCH_SIZE):
        if len(still_open) >= limit:
            break
        still_open += _still_open(redis, rows[start : start + BATCH_SIZE])

    return still_open[:limit]


def uncertain_rows(db: Db, *, tenant: str | None, campaign: str | None) -> list[dict[str, Any]]:
    """The deliveries that are on record as uncertain, closed or not, the oldest first."""
    record = tables.deliveries.c
    names = ("job", "tenant", "campaign", "kind", "recipient", "reason", "possible_duplicate")
    connections = tables.connections.c

    # Of a request that nobody saw begin, the record has no mailbox: it is the connection's, as long
    # as there is one.
    mailbox = func.coalesce(record.mailbox, connections.mailbox).label("mailbox")
    query = (
        select(*(record[name] for name in names), mailbox, record.updated_at)
        .select_from(
            tables.deliveries.outerjoin(tables.connections, record.connection == connections.id)
        )
        .where(record.state == State.UNCERTAIN)
    )

    for column, value in ((record.tenant, tenant), (record.campaign, campaign)):
        if value is not None:
            query = query.where(column == value)

    return [dict(row) for row in db.execute(query.order_by(record.job)).mappings()]


def _still_open(redis: Redis, rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Those of the rows that nobody has decided about yet."""
    with redis.pipeline(transaction=False) as pipe:
        for row in rows:
            pipe.hmget(redis_keys.JOB + row["job"], ["state", "finished_at", "held"])
            pipe.zscore(redis_keys.UNSURE, row["job"])
        answers = pipe.execute()

    for row, (state, finished, held), looked_for in zip(
        rows, answers[0::2], answers[1::2], strict=True
    ):
        if state == State.UNCERTAIN.encode() and finished is None:
            yield row | {
                "waits_for": _waits_for(held=held == b"1", looked_for=looked_for is not None)
            }


def _waits_for(*, held: bool, looked_for: bool) -> str:
    if looked_for:
        return "looking among the sent mails"
    return "a person" if held else "the rule that sends it again"


def resolve(redis: Redis, jobs: Iterable[str], decision: Decision, reason: str) -> list[Resolved]:
    """Carry out a decision for each job; raises RedisError.

    What is no longer uncertain stays as it is.
    """
    return [_resolve(redis, JobId(job), decision, reason) for job in jobs]


def _resolve(redis: Redis, job: JobId, decision: Decision, reason: str) -> Resolved:
    fields = hash_of(redis, redis_keys.JOB + job)
    before = _state(fields.get(b"state"))
    if before is not State.UNCERTAIN:
        return Resolved(job, done=False, state=before)

    if decision is Decision.CLOSE:
        closed = run(redis, close(job, reason))
        return Resolved(job, closed, State.UNCERTAIN if closed else _state_of(redis, job))

    state: State | None = before
    for call in _settlements(job, fields, decision, reason):
        state = run(redis, call)

    # Somebody who looked may have been faster; and where no request is known, there is nothing to
    # settle.
    done = state is State.ACCEPTED if decision is Decision.ARRIVED else state is not State.UNCERTAIN
    return Resolved(job, done, state)


def _state_of(redis: Redis, job: JobId) -> State | None:
    return _state(field_of(redis, redis_keys.JOB + job, "state"))


def _state(found: bytes | None) -> State | None:
    return State(found.decode()) if found else None


def _settlements(
    job: JobId, fields: dict[bytes, bytes], decision: Decision, reason: str
) -> list[Call[State | None]]:
    """The settlements of the attempts whose outcome is unknown.

    Of the newest attempt, that it arrived; or of each, that it did not leave.
    """
    attempts = unknown_attempts({name.decode(): text.decode() for name, text in fields.items()})
    arrived = decision is Decision.ARRIVED
    outcome = AttemptOutcome.ACCEPTED if arrived else AttemptOutcome.NOT_SENT
    settlement = Settlement(outcome, State.ACCEPTED if arrived else State.READY, reason)
    detail = json.dumps({"outcome": outcome, "by_hand": True})

    concerned = attempts[-1:] if arrived else attempts
    return [settle(job, attempt, settlement, detail=detail) for attempt in concerned]
