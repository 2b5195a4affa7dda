"""The Celery tasks, registered here and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certmail_config.base.ids import JobId
from certmail_config.stores.broker import DELIVER, PROBE
from certmail_worker.connections.answer_request import answer
from certmail_worker.delivery.deliver import deliver
from certmail_worker.delivery.task_states import End

if TYPE_CHECKING:
    from celery import Celery

    from certmail_worker.runtime.lifecycle import WorkerLife


def register(app: Celery, life: WorkerLife) -> None:
    """Register the tasks.

    They run on the pool's loop, with what the worker's life has prepared there.
    """

    async def certmail_deliver(job_id: str) -> End:
        """Deliver one reminder."""
        context, job = life.context, JobId(job_id)
        meters = context.meters
        meters.under_way += 1
        try:
            with context.tracing.delivery(job, context.worker) as span:
                end = await deliver(context, job, span)
        finally:
            meters.under_way -= 1
        meters.deliveries.add(end.state)
        return end

    async def certmail_probe(request_id: str) -> str:
        """Ask Google what the gateway wants to know of a connection."""
        return await answer(life.admin, request_id, life.context.worker)

    app.task(
        certmail_deliver,
        name=DELIVER,
        Request="certmail_worker.runtime.delivery_request:DeliveryRequest",
    )
    app.task(certmail_probe, name=PROBE)
