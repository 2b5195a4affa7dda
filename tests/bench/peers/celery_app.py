# mypy: ignore-errors
"""A Celery app as its documentation sets it up, with late acknowledgement.

So a killed worker loses as little as it can.
"""

from __future__ import annotations

from celery import Celery
from common import REDIS_URL, jobs

app = Celery("peer", broker=REDIS_URL)
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
)


def enqueue(task):
    """Feed a task."""
    for mailbox, raw in jobs():
        task.delay(mailbox, raw)
