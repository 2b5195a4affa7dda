"""Test mails that could not go when they were asked for.

Whether one still may, and sending it once it can.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from certmail_config.admin.admin import Admin
from certmail_config.base.errors import CertmailError
from certmail_config.google.checklist import Step
from certmail_config.onboarding.promised_mail import promise_of
from certmail_config.onboarding.worker_requests import Remark, Wish, WorkerRequests
from certmail_config.tenants.models import Connection
from certmail_worker.connections.probe.saving import examine


async def send_promised(admin: Admin, connection: Connection) -> bool:
    """Send the test mail that was promised; says whether there was any. Raises RedisError.

    It is sent in a worker request of its own, so that the connection's page shows it.
    """
    found = await asyncio.to_thread(promise_of, admin.strongbox, connection.id)
    if found is None or found.sent:
        return False

    worker_requests = WorkerRequests(admin.redis, admin.vault, time.time)
    asked = await asyncio.to_thread(
        worker_requests.ask, connection.tenant, connection.id, Wish.MAIL
    )
    worker_request = await asyncio.to_thread(worker_requests.take, asked.id, "caretaker")
    if worker_request is None:
        return False

    async def on_steps(steps: Sequence[Step]) -> None:
        await asyncio.to_thread(worker_requests.tell, worker_request.found(*steps))

    try:
        probed = await examine(admin, connection.id, on_steps=on_steps)
        ended = worker_request.found(*probed.steps).done()
    except CertmailError as error:
        ended = worker_request.refused(Remark(error.code, error.message, error.remedy))

    await asyncio.to_thread(worker_requests.tell, ended)
    return True
