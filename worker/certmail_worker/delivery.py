"""A reminder's life in a worker, from the doorbell to the settled record; read `deliver` from top to bottom.

Until begin, nothing has been sent, and every way out is a release. From begin on the request may have left, and the
only way out is to settle the attempt, for as long as it takes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from redis.exceptions import RedisError

from certmail_config.connections import Connection
from certmail_config.errors import SealBroken
from certmail_config.ids import JobId, uuid7
from certmail_config.ledger import Begun, Job, RefusedBy, Suspension, begin, claim, release, settle
from certmail_config.reminder import Reminder
from certmail_config.states import State
from certmail_config.token_errors import Blame, Denied
from certmail_worker import backoff
from certmail_worker.compose import ComposeError, Letter, compose
from certmail_worker.desk import Desk
from certmail_worker.failures import FailureClass, Verdict, judge
from certmail_worker.gmail import MOST_MESSAGE_BYTES
from certmail_worker.http import SendWindow, boottime
from certmail_worker.plan import MARGIN_SECONDS, Settlement, plan
from certmail_worker.tokens import Token

log = logging.getLogger(__name__)


async def deliver(desk: Desk, job_id: JobId) -> str:
    """Deliver one reminder; gives the state it ends in, or why there was nothing to do."""
    claimed = await desk.ledger(
        claim(job_id, worker=desk.worker, nonce=uuid7(0), lease_seconds=desk.lease_seconds)
    )
    if isinstance(claimed, RefusedBy):
        return f"refused: {claimed.why}"
    job = claimed.job

    prepared = await prepare(desk, job)
    if isinstance(prepared, Stop):
        return await put_back(desk, job, prepared)

    window = SendWindow(boottime() + desk.send_window_seconds)
    begun = await desk.ledger(begin(job, lease_seconds=desk.lease_seconds))
    if isinstance(begun, RefusedBy):
        return f"refused: {begun.why}"

    verdict = judge(await desk.gmail.send(prepared.raw, prepared.token.secret, window))
    if verdict.failure is FailureClass.TOKEN_EXPIRED:
        await forget_token(desk, prepared)
    if verdict.failure in {FailureClass.OPERATOR, FailureClass.PROJECT_DAY_FULL}:
        log.error("needs_operator", extra={"code": verdict.code, "remedy": verdict.remedy})
    settlement = plan(verdict, job, prepared.connection.version, time.time(), desk.rules)
    return await settle_surely(desk, job, begun, verdict, settlement)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that a request needs, and nothing sent yet."""

    connection: Connection
    token: Token
    raw: bytes


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a delivery ends before begin, and what follows."""

    to: State
    reason: str
    wait: float | None = None
    suspension: Suspension | None = None


async def prepare(desk: Desk, job: Job) -> Prepared | Stop:
    """Connection, token, message."""
    try:
        connection = await desk.directory.connection(job.connection)
        if connection is None or connection.mailbox is None:
            return Stop(State.FAILED, "connection_removed: the connection no longer exists")
        token = await desk.tokens.get(connection)
        if isinstance(token, Denied):
            return _without_token(token, job, connection)
        payload = await desk.directory.open(job.body, tenant=job.tenant, job=job.id)
        organisation = (await desk.directory.tenant(job.tenant)).organisation
        raw = write(Reminder.model_validate_json(payload), job, connection, organisation)
    except SealBroken as broken:
        return _sealed_off(broken, job)
    except ComposeError as error:
        return Stop(State.FAILED, f"compose_failed: {error}")
    if len(raw) > MOST_MESSAGE_BYTES:
        return Stop(
            State.FAILED, f"message_too_large: {len(raw)} bytes; certmail sends at most {MOST_MESSAGE_BYTES}"
        )
    return Prepared(connection, token, raw)


def write(reminder: Reminder, job: Job, connection: Connection, organisation: str) -> bytes:
    """Compose the message that this reminder becomes. Raises ComposeError."""
    assert connection.mailbox is not None, "checked when the connection was added"
    letter = Letter(
        job_id=job.id,
        kind=reminder.kind,
        sender=connection.mailbox,
        sender_name=organisation,
        reply_to=None,
        to=reminder.to,
        name=reminder.name,
        campaign_name=reminder.campaign_name or reminder.campaign,
        due_at=reminder.due_at,
        pending=reminder.pending,
        completed=reminder.completed,
        link=reminder.link,
        locale=reminder.locale,
        time_zone=reminder.time_zone,
        organisation=organisation,
        now=datetime.now(UTC),
    )
    return compose(letter).raw


def _without_token(denied: Denied, job: Job, connection: Connection) -> Stop:
    reason = f"{denied.code}: {denied.message} {denied.remedy}".rstrip()
    asked = 0 if denied.wait is None else denied.wait + MARGIN_SECONDS
    match denied.blame:
        case Blame.NOBODY:
            return Stop(
                State.SCHEDULED, reason, wait=max(backoff.seconds(backoff.JOB, job.failures + 1), asked)
            )
        case Blame.OPERATOR:
            log.error("needs_operator", extra={"code": denied.code, "remedy": denied.remedy})
            wait = max(backoff.seconds(backoff.OPERATOR, job.failures + 1), asked)
            return Stop(State.SCHEDULED, reason, wait=wait)
        case Blame.CUSTOMER if denied.settling and job.failures == 0:
            # One of Google's machines may not know yet of what was set up; nobody is troubled before it said so twice.
            return Stop(State.SCHEDULED, reason, wait=max(backoff.seconds(backoff.SETTLING, 1), asked))
        case Blame.CUSTOMER:
            message = f"{denied.message} {denied.remedy}".strip()
            return Stop(State.READY, reason, suspension=Suspension(denied.code, message, connection.version))


def _sealed_off(broken: SealBroken, job: Job) -> Stop:
    """A missing key is the operator's to bring back and ends nothing; an altered payload can never be read."""
    log.error("sealed_off", extra={"job": job.id, "code": broken.code, "remedy": broken.remedy})
    if broken.code.startswith("payload"):
        return Stop(State.FAILED, f"{broken.code}: {broken.message}")
    return Stop(
        State.SCHEDULED,
        f"{broken.code}: {broken.message}",
        wait=backoff.seconds(backoff.OPERATOR, job.failures + 1),
    )


async def put_back(desk: Desk, job: Job, stop: Stop) -> str:
    """Release a job that was not begun."""
    at = None if stop.wait is None else time.time() + stop.wait
    call = release(
        job, to=stop.to, reason=stop.reason, at=at, counts=stop.wait is not None, suspension=stop.suspension
    )
    released = await desk.ledger(call)
    log.info("released", extra={"job": job.id, "to": stop.to, "reason": stop.reason.partition(":")[0]})
    return f"refused: {released.why}" if isinstance(released, RefusedBy) else released


async def forget_token(desk: Desk, prepared: Prepared) -> None:
    """Drop a refused token, so that the next attempt gets another. Without Redis there is no next attempt yet."""
    try:
        await desk.tokens.drop(prepared.connection, prepared.token)
    except RedisError as error:
        log.warning("token_not_dropped", extra={"error": type(error).__name__})


async def settle_surely(desk: Desk, job: Job, begun: Begun, verdict: Verdict, then: Settlement) -> str:
    """Settle an attempt; what is known here is known nowhere else, so it is tried until Redis answers."""
    call = settle(
        job.id,
        begun.attempt,
        outcome=then.outcome,
        detail=_detail(verdict),
        to=then.to,
        reason=then.reason,
        at=then.at,
        counts=then.counts,
        cool_until=then.cool_until,
        named=then.named,
        suspension=then.suspension,
    )
    tries = 0
    while True:
        try:
            state = await desk.ledger(call)
        except RedisError as error:
            tries += 1
            log.warning("settle_waits", extra={"job": job.id, "tries": tries, "error": type(error).__name__})
            await asyncio.sleep(backoff.seconds(backoff.STORE, tries))
            continue
        log.info(
            "settled",
            extra={
                "job": job.id,
                "attempt": begun.attempt,
                "outcome": then.outcome,
                "state": state,
                "code": verdict.code,
            },
        )
        return state or "forgotten"


def _detail(verdict: Verdict) -> str:
    """What the record keeps of an attempt."""
    value = {
        "outcome": verdict.outcome,
        "ended_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "http_status": verdict.http_status,
        "google_reason": verdict.google_reason,
        "gmail_id": verdict.gmail_id,
        "gmail_thread_id": verdict.thread_id,
    }
    return json.dumps({name: item for name, item in value.items() if item is not None})
