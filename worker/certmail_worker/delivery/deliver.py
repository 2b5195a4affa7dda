"""A reminder's life in a worker, from the doorbell to the settled record.

Read `deliver` from top to bottom. Until begin, nothing has been sent, and every way out is a
release. From begin on the request may have left, and the only way out is to settle the attempt, for
as long as it takes.
"""

from __future__ import annotations

import time
from uuid import uuid4

from certmail_config.base.ids import JobId
from certmail_config.ledger import RefusedBy, claim
from certmail_config.tracing.spans import NO_SPAN, Span
from certmail_worker.delivery.attempt import begin_until_answered, send
from certmail_worker.delivery.context import DeliveryContext
from certmail_worker.delivery.delivery_log import Course
from certmail_worker.delivery.finish import (
    RequestDetail,
    drop_refused_token,
    end_refused_begin,
    note_lateness,
    release_unbegun,
    settle_until_answered,
)
from certmail_worker.delivery.prepare import NotBegun, prepare
from certmail_worker.delivery.send_failures import NOT_DURABLE
from certmail_worker.delivery.settlement import plan_settlement
from certmail_worker.delivery.task_states import REFUSED, End
from certmail_worker.google.http import SendWindow, boottime


async def deliver(context: DeliveryContext, job_id: JobId, span: Span = NO_SPAN) -> End:
    """Deliver one reminder; gives the state it ends in, or why there was nothing to do.

    What becomes of it is told to `span`.
    """
    course = Course(span)

    # Claim: from now on no other worker has this job.
    claimed = await context.ledger(
        claim(job_id, worker=context.worker, nonce=uuid4().hex, lease_seconds=context.lease_seconds)
    )
    if isinstance(claimed, RefusedBy):
        span.tell({"state": REFUSED, "code": claimed.why})
        return End(REFUSED, claimed.why)
    job = claimed.job
    course.passed("claim_ms")

    # Prepare: the connection, an access token, the message.
    prepared = await prepare(context, job)
    course.passed("prepare_ms")
    if isinstance(prepared, NotBegun):
        return await release_unbegun(context, job, prepared, course)

    # Begin: the point of no return, on record before the first byte leaves.
    window = SendWindow(boottime() + context.send_window_seconds)
    begun, durable = await begin_until_answered(context, job, prepared.on_uncertain)
    course.passed("begin_ms")
    if isinstance(begun, RefusedBy):
        return await end_refused_begin(context, job, begun, course)
    note_lateness(context, job, begun)
    course.begun(begun.attempt, begun.at)

    # Send, and judge what Gmail answers.
    verdict = NOT_DURABLE
    if durable:
        verdict = await send(context, job, prepared, window)
    course.passed("send_ms")
    await drop_refused_token(context, prepared, verdict)

    # Settle: the job's next state, and what waits or stops with it.
    settlement = plan_settlement(
        verdict,
        job,
        connection_version=prepared.connection.version,
        now=time.time(),
        rules=context.rules,
        on_uncertain=prepared.on_uncertain,
        token=prepared.token.mark,
    )
    request = RequestDetail.of(prepared, window)
    return await settle_until_answered(context, job, begun, verdict, settlement, course, request)
