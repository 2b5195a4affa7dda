"""Test mails that could not go when they were asked for: whether one still may, and sending it once it can."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from certmail_config.admin.admin import Office
from certmail_config.base.errors import CertmailError
from certmail_config.google.checklist import Step
from certmail_config.onboarding.promised_mail import promise_of
from certmail_config.onboarding.worker_requests import Enquiries, Said, Wish
from certmail_config.tenants.models import Connection
from certmail_worker.connections.probe.saving import examine


async def send_promised(office: Office, connection: Connection) -> bool:
    """Send what was promised, in an enquiry of its own, so that the connection's page shows it; says whether there was any.

    Raises RedisError.
    """
    found = await asyncio.to_thread(promise_of, office.strongbox, connection.id)
    if found is None or found.sent:
        return False
    enquiries = Enquiries(office.redis, office.vault, time.time)
    asked = await asyncio.to_thread(enquiries.ask, connection.tenant, connection.id, Wish.MAIL)
    enquiry = await asyncio.to_thread(enquiries.take, asked.id, "caretaker")
    if enquiry is None:
        return False

    async def told(steps: Sequence[Step]) -> None:
        await asyncio.to_thread(enquiries.tell, enquiry.found(*steps))

    try:
        probed = await examine(office, connection.id, told=told)
        ended = enquiry.found(*probed.steps).done()
    except CertmailError as error:
        ended = enquiry.refused(Said(error.code, error.message, error.remedy))
    await asyncio.to_thread(enquiries.tell, ended)
    return True
