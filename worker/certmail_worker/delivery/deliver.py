"""A reminder's life in a worker, from the doorbell to the settled record; read `deliver` from top to bottom.

Until begin, nothing has been sent, and every way out is a release. From begin on the request may have left, and the
only way out is to settle the attempt, for as long as it takes.
"""

from __future__ import annotations

import time
from uuid import uuid4

from certmail_config.base.ids import JobId
from certmail_config.ledger import RefusedBy, claim
from certmail_worker.delivery.context import Desk
from certmail_worker.delivery.finish import Used, ask, begin_surely, drop, heed, put_back, settle_surely
from certmail_worker.delivery.prepare import Stop, prepare
from certmail_worker.delivery.send_failures import NOT_DURABLE
from certmail_worker.delivery.settlement import plan
from certmail_worker.delivery.task_states import REFUSED, End
from certmail_worker.google.http import SendWindow, boottime


async def deliver(desk: Desk, job_id: JobId) -> End:
    """Deliver one reminder; gives the state it ends in, or why there was nothing to do."""
    claimed = await desk.ledger(
        claim(job_id, worker=desk.worker, nonce=uuid4().hex, lease_seconds=desk.lease_seconds)
    )
    if isinstance(claimed, RefusedBy):
        return End(REFUSED, claimed.why)
    job = claimed.job

    prepared = await prepare(desk, job)
    if isinstance(prepared, Stop):
        return await put_back(desk, job, prepared)

    window = SendWindow(boottime() + desk.send_window_seconds)
    begun, durable = await begin_surely(desk, job, prepared.doubt)
    if isinstance(begun, RefusedBy):
        return await drop(desk, job, begun)

    verdict = NOT_DURABLE
    if durable:
        verdict = await ask(desk, job, prepared, window)
    await heed(desk, prepared, verdict)
    settlement = plan(
        verdict,
        job,
        connection_version=prepared.connection.version,
        now=time.time(),
        rules=desk.rules,
        doubt=prepared.doubt,
        token=prepared.token.mark,
    )
    return await settle_surely(desk, job, begun, verdict, settlement, Used.by(prepared, window))
