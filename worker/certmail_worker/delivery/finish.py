"""Closing a delivery: put the job back before begin, settle its attempt after."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from redis.exceptions import RedisError

from certmail_config.jobs.states import State
from certmail_config.ledger import Begun, Job, Pause, RefusedBy, Settlement, begin, release, settle
from certmail_worker.delivery.context import DeliveryContext
from certmail_worker.delivery.prepare import NotBegun, Prepared
from certmail_worker.delivery.send_failures import FailureClass, Verdict, judge
from certmail_worker.delivery.settlement import OnUncertain, plan
from certmail_worker.delivery.task_states import REFUSED, End
from certmail_worker.google import backoff
from certmail_worker.google.http import SendWindow
from certmail_worker.google.responses import Lost, NotSent

log = logging.getLogger(__name__)
LONG_SECONDS: Final = 90.0
_NOT_WELL: Final = frozenset({State.FAILED, State.UNCERTAIN, State.EXPIRED})


@dataclass(frozen=True, slots=True)
class Used:
    """What a request was made with, and how long it took from its first byte; `key_id` names the certificate, `token` its token."""

    token: str
    key_id: str | None
    connection_version: int
    latency_ms: int | None

    @classmethod
    def by(cls, prepared: Prepared, window: SendWindow) -> Self:
        """Read off after the request."""
        connection = prepared.connection
        latency = None if window.took is None else round(window.took * 1000)
        return cls(prepared.token.mark, connection.key_id, connection.version, latency)


async def put_back(context: DeliveryContext, job: Job, stop: NotBegun) -> End:
    """Release a job that was not begun."""
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
    code = stop.reason.partition(":")[0]
    log.log(_level(stop.to), "released", extra=_ids(job) | {"to": stop.to, "code": code})

    if isinstance(released, RefusedBy):
        return End(REFUSED, released.why)

    return End(released, code)


async def begin_until_answered(
    context: DeliveryContext, job: Job, on_uncertain: OnUncertain
) -> tuple[Begun | RefusedBy, bool]:
    """Make the write-ahead record; gives also whether it is durable enough.

    A call whose answer got lost may have made it: it is asked again until Redis answers, since
    nobody else will ever know that this request did not leave. The send window decides whether it
    still may.
    """
    context.unsettled.add(job.id)
    tries = 0

    while True:
        try:
            call = begin(job, lease_seconds=context.lease_seconds, resend_after=on_uncertain.resend)
            begun, durable = await context.durably(call)
        except RedisError as error:
            tries += 1
            log.warning(
                "begin_waits", extra={"job": job.id, "tries": tries, "error": type(error).__name__}
            )
            await asyncio.sleep(backoff.seconds(backoff.STORE, tries))
            continue
        return begun, durable


async def ask(
    context: DeliveryContext, job: Job, prepared: Prepared, window: SendWindow
) -> Verdict:
    """Make the request, and judge its answer.

    Whatever is raised on the way means something, too: else nobody would settle it.
    """
    try:
        return judge(await context.gmail.send(prepared.raw, prepared.token.secret, window))
    except Exception as error:  # noqa: BLE001 - as the sentence says; a cancellation is none
        name = type(error).__name__
        log.error("request_failed", extra={"job": job.id, "error": name})  # noqa: TRY400 - its words may quote the mail
        return judge(Lost(name) if window.open_wire else NotSent(name))


async def drop(context: DeliveryContext, job: Job, refused: RefusedBy) -> End:
    """End a delivery that may not begin; an attempt that was begun for it, and answered too late, was never sent."""
    if refused.attempt is None:
        context.unsettled.discard(job.id)
        return End(REFUSED, refused.why)
    verdict = judge(NotSent("Redis answered too late that it might leave"))
    settlement = plan(verdict, job, connection_version=0, now=time.time(), rules=context.rules)
    return await settle_until_answered(
        context, job, Begun(refused.attempt, at=0), verdict, settlement
    )


async def follow_up(context: DeliveryContext, prepared: Prepared, verdict: Verdict) -> None:
    """What a verdict asks for beside the job itself: another token, or the operator."""
    if verdict.failure is FailureClass.TOKEN_EXPIRED:
        await _forget_token(context, prepared)
    if verdict.failure in {FailureClass.OPERATOR, FailureClass.PROJECT_DAY_FULL}:
        connection = prepared.connection
        named = {"tenant": connection.tenant, "connection": connection.id}
        log.error("needs_operator", extra={"code": verdict.code, "remedy": verdict.remedy, **named})


async def _forget_token(context: DeliveryContext, prepared: Prepared) -> None:
    """Drop a refused token, so that the next attempt gets another.

    Without Redis there is no next attempt yet.
    """
    try:
        await context.tokens.drop(prepared.connection, prepared.token)
    except RedisError as error:
        log.warning("token_not_dropped", extra={"error": type(error).__name__})


async def settle_until_answered(
    context: DeliveryContext,
    job: Job,
    begun: Begun,
    verdict: Verdict,
    then: Settlement,
    used: Used | None = None,
) -> End:
    """Settle an attempt; what is known here is known nowhere else, so it is tried until Redis answers."""
    call = settle(job.id, begun.attempt, then, detail=_detail(verdict, used))

    tries = 0
    while True:
        try:
            state = await context.ledger(call)
        except RedisError as error:
            tries += 1
            log.warning(
                "settle_waits", extra={"job": job.id, "tries": tries, "error": type(error).__name__}
            )
            await asyncio.sleep(backoff.seconds(backoff.STORE, tries))
            continue
        context.unsettled.discard(job.id)
        if then.pause is not None:
            _tell_wait(job, verdict, then.pause)
        took = None if used is None else used.latency_ms
        told = {
            "attempt": begun.attempt,
            "outcome": then.outcome,
            "state": state,
            "code": verdict.code,
            "ms": took,
        }
        log.log(_level(then.to), "settled", extra=_ids(job) | told)
        return End(state or "forgotten", verdict.code)


def _ids(job: Job) -> dict[str, object]:
    """Whose it is: what every line about a delivery says."""
    named: dict[str, object] = {"job": job.id, "tenant": job.tenant, "connection": job.connection}
    return named | ({"campaign": job.campaign} if job.campaign else {})


def _level(state: str) -> int:
    """How loudly a delivery's end is said: somebody ought to know of what did not arrive, or may not have."""
    return logging.WARNING if state in _NOT_WELL else logging.INFO


def _tell_wait(job: Job, verdict: Verdict, pause: Pause) -> None:
    """Say what waits, and until when: with one line a minute for each connection, however many requests meet the same."""
    what = "project" if pause.project else "mailbox"
    until = datetime.fromtimestamp(pause.until, UTC).isoformat(timespec="seconds")
    said: dict[str, Any] = {
        "waits": what,
        "tenant": job.tenant,
        "connection": job.connection,
        "until": until,
    }

    said |= {
        "code": verdict.code,
        "error": verdict.message,
        "alike": f"{verdict.code} {what} {job.connection}",
    }
    long = pause.until > time.time() + LONG_SECONDS
    log.log(
        logging.WARNING if long else logging.INFO, "waiting", extra=said
    )  # a minute's limit is nothing to worry about


def _detail(verdict: Verdict, used: Used | None) -> str:
    """What the record keeps of an attempt; of a refused access token its mark, so that it is known again."""
    value = {
        "outcome": verdict.outcome,
        "ended_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "http_status": verdict.http_status,
        "google_reason": verdict.google_reason,
        "gmail_id": verdict.gmail_id,
        "gmail_thread_id": verdict.thread_id,
    }

    if used is not None:
        value |= {
            "latency_ms": used.latency_ms,
            "key_id": used.key_id,
            "connection_version": used.connection_version,
            "token": used.token if verdict.failure is FailureClass.TOKEN_EXPIRED else None,
        }

    return json.dumps({name: item for name, item in value.items() if item is not None})
