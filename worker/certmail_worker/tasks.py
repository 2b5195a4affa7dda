"""The Celery tasks, registered here and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from certmail_config.ids import JobId
from certmail_worker.delivery import deliver

if TYPE_CHECKING:
    from celery import Celery

    from certmail_worker.lifecycle import WorkerLife

DELIVER: Final = "certmail.deliver"


def register(app: Celery, life: WorkerLife) -> None:
    """Register the tasks; they run on the pool's loop, with what the worker's life has prepared there."""

    async def certmail_deliver(job_id: str) -> str:
        """Deliver one reminder."""
        return await deliver(life.desk, JobId(job_id))

    app.task(certmail_deliver, name=DELIVER)
