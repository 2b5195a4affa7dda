"""One attempt to send: put on record that the request is about to leave, then make it."""

from __future__ import annotations

import asyncio
import logging

from redis.exceptions import RedisError

from certmail_config.ledger import Begun, Job, RefusedBy, begin
from certmail_worker.delivery.context import DeliveryContext
from certmail_worker.delivery.prepare import Prepared
from certmail_worker.delivery.send_failures import Verdict, judge
from certmail_worker.delivery.settlement import OnUncertain
from certmail_worker.google import backoff
from certmail_worker.google.http import SendWindow
from certmail_worker.google.responses import Lost, NotSent

log = logging.getLogger(__name__)


async def begin_until_answered(
    context: DeliveryContext, job: Job, on_uncertain: OnUncertain
) -> tuple[Begun | RefusedBy, bool]:
    """Make the write-ahead record; gives also whether it is durable enough.

    A call whose answer got lost may have made it: it is repeated until Redis answers, since nobody
    else will ever know that this request did not leave. The send window decides whether it still
    may.
    """
    context.unsettled.add(job.id)
    tries = 0

    while True:
        try:
            call = begin(job, lease_seconds=context.lease_seconds, resend_after=on_uncertain.resend)
            return await context.durably(call)
        except RedisError as error:
            tries += 1
            log.warning(
                "begin_waits", extra={"job": job.id, "tries": tries, "error": type(error).__name__}
            )
            await asyncio.sleep(backoff.seconds(backoff.STORE, tries))


async def send(
    context: DeliveryContext, job: Job, prepared: Prepared, window: SendWindow
) -> Verdict:
    """Make the request, and judge its answer.

    Whatever is raised on the way is judged, too: else nobody would settle it. (A cancellation is no
    `Exception`, and passes.)
    """
    try:
        answer = await context.gmail.send(prepared.raw, prepared.token.secret, window)
        return judge(answer)
    except Exception as error:  # noqa: BLE001
        name = type(error).__name__
        # Without the exception's own words, which may quote the mail.
        log.error("request_failed", extra={"job": job.id, "error": name})  # noqa: TRY400
        return judge(Lost(name) if window.open_wire else NotSent(name))
