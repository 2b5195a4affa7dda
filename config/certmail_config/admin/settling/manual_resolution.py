"""Resolving uncertain reminders by hand: a person has looked, and says what became of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from redis import Redis

from certmail_config.admin.settling.unknown_attempts import unknown_attempts
from certmail_config.base import redis_keys
from certmail_config.base.ids import JobId
from certmail_config.base.redis_answers import field_of, hash_of
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Call, Settlement, close, run, settle


class ManualDecision(StrEnum):
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


def resolve(
    redis: Redis, jobs: Iterable[str], decision: ManualDecision, reason: str
) -> list[Resolved]:
    """Carry out a decision for each job; raises RedisError.

    What is no longer uncertain stays as it is.
    """
    return [_resolve(redis, JobId(job), decision, reason) for job in jobs]


def _resolve(redis: Redis, job: JobId, decision: ManualDecision, reason: str) -> Resolved:
    fields = hash_of(redis, redis_keys.JOB + job)
    before = _state(fields.get(b"state"))
    if before is not State.UNCERTAIN:
        return Resolved(job, done=False, state=before)

    if decision is ManualDecision.CLOSE:
        closed = run(redis, close(job, reason))
        return Resolved(job, closed, State.UNCERTAIN if closed else _state_of(redis, job))

    state: State | None = before
    for call in _settlements(job, fields, decision, reason):
        state = run(redis, call)

    # Somebody who looked may have been faster; and where no request is known, there is nothing to
    # settle.
    done = (
        state is State.ACCEPTED
        if decision is ManualDecision.ARRIVED
        else state is not State.UNCERTAIN
    )
    return Resolved(job, done, state)


def _state_of(redis: Redis, job: JobId) -> State | None:
    return _state(field_of(redis, redis_keys.JOB + job, "state"))


def _state(found: bytes | None) -> State | None:
    return State(found.decode()) if found else None


def _settlements(
    job: JobId, fields: dict[bytes, bytes], decision: ManualDecision, reason: str
) -> list[Call[State | None]]:
    """The settlements of the attempts whose outcome is unknown.

    Of the newest attempt, that it arrived; or of each, that it did not leave.
    """
    attempts = unknown_attempts({name.decode(): text.decode() for name, text in fields.items()})
    arrived = decision is ManualDecision.ARRIVED
    outcome = AttemptOutcome.ACCEPTED if arrived else AttemptOutcome.NOT_SENT
    settlement = Settlement(outcome, State.ACCEPTED if arrived else State.READY, reason)
    detail = json.dumps({"outcome": outcome, "by_hand": True})

    concerned = attempts[-1:] if arrived else attempts
    return [settle(job, attempt, settlement, detail=detail) for attempt in concerned]
