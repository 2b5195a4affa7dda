"""Ending a delivery: release the job before its attempt has begun, settle the attempt after."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Self

from redis.exceptions import RedisError

from certmail_config.ledger import Begun, Job, RefusedBy, Settlement, release, settle
from certmail_worker.delivery.context import DeliveryContext
from certmail_worker.delivery.delivery_log import Course, say_refused, say_released, say_settled
from certmail_worker.delivery.evidence import ContentEvidence
from certmail_worker.delivery.prepare import NotBegun, Prepared
from certmail_worker.delivery.send_failures import FailureClass, Verdict, judge
from certmail_worker.delivery.settlement import plan_settlement
from certmail_worker.delivery.task_states import REFUSED, End
from certmail_worker.google import backoff
from certmail_worker.google.http import SendWindow
from certmail_worker.google.responses import NotSent

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RequestDetail:
    """What a request was made with, and how long it took from its first byte.

    `key_id` names the certificate, `token` is the mark of the access token, `content` says what was
    sent.
    """

    token: str
    key_id: str | None
    connection_version: int
    seconds: float | None
    content: ContentEvidence

    @property
    def latency_ms(self) -> int | None:
        """How long it took, as the record says it."""
        return None if self.seconds is None else round(self.seconds * 1000)

    @classmethod
    def of(cls, prepared: Prepared, window: SendWindow) -> Self:
        """Read it off, after the request."""
        connection = prepared.connection
        return cls(
            prepared.token.mark,
            connection.key_id,
            connection.version,
            window.took,
            prepared.content,
        )


async def release_unbegun(
    context: DeliveryContext, job: Job, stop: NotBegun, course: Course
) -> End:
    """Release a claimed job whose attempt does not begin."""
    at = None if stop.wait is None else time.time() + stop.wait
    call = release(
        job,
        to=stop.to,
        reason=stop.reason,
        at=at,
        counts=stop.wait is not None,
        suspension=stop.suspension,
    )
    released = await context.ledger(call)
    course.passed("settle_ms")

    if isinstance(released, RefusedBy):
        say_refused(job, course, released.why)
        return End(REFUSED, released.why)

    say_released(job, course, stop, released)
    return End(released, stop.reason.partition(":")[0])


def note_lateness(context: DeliveryContext, job: Job, begun: Begun) -> None:
    """Note how much later the request leaves than it might have."""
    if job.leave_at is not None:
        context.meters.lateness.note(begun.at - job.leave_at)


async def end_refused_begin(
    context: DeliveryContext, job: Job, refused: RefusedBy, course: Course
) -> End:
    """End a delivery that the ledger does not let begin.

    An attempt that was begun for it, and answered too late, was never sent, and is settled so.
    """
    context.meters.begins_refused.add(refused.why)
    if refused.attempt is None:
        context.unsettled.discard(job.id)
        say_refused(job, course, refused.why)
        return End(REFUSED, refused.why)

    course.attempt = refused.attempt
    verdict = judge(NotSent("Redis answered too late that it might leave"))
    settlement = plan_settlement(
        verdict, job, connection_version=0, now=time.time(), rules=context.rules
    )
    return await settle_until_answered(
        context, job, Begun(refused.attempt, at=0), verdict, settlement, course
    )


async def drop_refused_token(
    context: DeliveryContext, prepared: Prepared, verdict: Verdict
) -> None:
    """Drop an access token that Gmail refused, so that the next attempt gets another.

    While Redis is away there is no next attempt.
    """
    if verdict.failure is not FailureClass.TOKEN_EXPIRED:
        return

    try:
        await context.tokens.drop(prepared.connection, prepared.token)
    except RedisError as error:
        log.warning("token_not_dropped", extra={"error": type(error).__name__})


async def settle_until_answered(
    context: DeliveryContext,
    job: Job,
    begun: Begun,
    verdict: Verdict,
    settlement: Settlement,
    course: Course,
    request: RequestDetail | None = None,
) -> End:
    """Settle an attempt, trying until Redis answers: what is known here is known nowhere else."""
    call = settle(job.id, begun.attempt, settlement, detail=_detail(verdict, request))

    tries = 0
    while True:
        try:
            state = await context.ledger(call)
            break
        except RedisError as error:
            tries += 1
            name = type(error).__name__
            log.warning("settle_waits", extra={"job": job.id, "tries": tries, "error": name})
            await asyncio.sleep(backoff.seconds(backoff.STORE, tries))

    context.unsettled.discard(job.id)

    took = None if request is None else request.seconds
    context.meters.sent(verdict.outcome, verdict.failure, took)
    if (pause := settlement.pause) is not None:
        named = "yes" if pause.named else "no"
        context.meters.cooldowns.add("project" if pause.project else "mailbox", named)

    course.passed("settle_ms")
    say_settled(job, course, verdict, settlement, state)

    return End(state or "forgotten", verdict.code)


def _detail(verdict: Verdict, request: RequestDetail | None) -> str:
    """What the record keeps of an attempt, as JSON.

    Of an access token its mark, and only of a refused one, so that it is known again.
    """
    value = {
        "outcome": verdict.outcome,
        "ended_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "http_status": verdict.http_status,
        "google_reason": verdict.google_reason,
        "gmail_id": verdict.gmail_id,
        "gmail_thread_id": verdict.thread_id,
    }

    if request is not None:
        value |= {
            "latency_ms": request.latency_ms,
            "key_id": request.key_id,
            "connection_version": request.connection_version,
            **asdict(request.content),
            "token": request.token if verdict.failure is FailureClass.TOKEN_EXPIRED else None,
        }

    return json.dumps({name: item for name, item in value.items() if item is not None})
