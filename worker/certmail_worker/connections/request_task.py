"""Answering the gateway's enquiries: whatever it asks of Google about a connection, a worker does."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from certmail_config.admin.admin import Office
from certmail_config.admin.suspension import before_it_worked, take_up_again
from certmail_config.base.errors import CertmailError, Refused
from certmail_config.google.checklist import Step
from certmail_config.onboarding.worker_requests import Enquiries, Enquiry, Said, Wish
from certmail_config.tenants.models import ConnectionState
from certmail_worker.connections.probe import Probed, examine
from certmail_worker.connections.removal import Removed, remove_connection

log = logging.getLogger(__name__)

TRIES = 3
"""A worker looks after connections by itself, and may change one while it is being examined."""
GONE = "gone"


async def answer(office: Office, id_: str, worker: str) -> str:
    """Answer one enquiry, once, telling how far it has come; gives its stage. What cannot be done is an answer, too."""
    enquiries = Enquiries(office.redis, office.vault, time.time)
    enquiry = await asyncio.to_thread(enquiries.take, id_, worker)
    if enquiry is None:
        return GONE  # forgotten, or doubled on its way
    try:
        ended = await _carry_out(office.acting_as(enquiry.by), enquiries, enquiry)
    except CertmailError as error:
        ended = enquiry.refused(Said(error.code, error.message, error.remedy))
    except Exception:
        said = Said("worker_failed", "The worker failed at it.", "See the worker's log, then try again.")
        await asyncio.to_thread(enquiries.tell, enquiry.refused(said))
        raise
    await asyncio.to_thread(enquiries.tell, ended)
    log.info("enquiry", extra={"connection": enquiry.connection, "wish": enquiry.wish, "stage": ended.stage})
    return ended.stage


async def _carry_out(office: Office, enquiries: Enquiries, enquiry: Enquiry) -> Enquiry:
    if enquiry.wish is Wish.REMOVE:
        removed = await asyncio.to_thread(_remove, office, enquiries, enquiry)
        return enquiry.done(_removed(enquiry, removed))
    if enquiry.wish is Wish.RESUME and not await asyncio.to_thread(_taken_up_again, office, enquiry):
        return enquiry.done()
    probed = await _examine(office, enquiries, enquiry)
    return enquiry.found(*probed.steps).done()


async def _examine(office: Office, enquiries: Enquiries, enquiry: Enquiry) -> Probed:
    async def told(steps: Sequence[Step]) -> None:
        await asyncio.to_thread(enquiries.tell, enquiry.found(*steps))

    mail = enquiry.wish is Wish.MAIL
    for left in reversed(range(TRIES)):
        try:
            return await examine(office, enquiry.connection, mail=mail, told=told)
        except Refused as refused:
            if refused.code != "changed_meanwhile" or not left:
                raise
    raise AssertionError("the last try returns or raises")


def _taken_up_again(office: Office, enquiry: Enquiry) -> bool:
    """Take it up again; says whether it is to be tried out."""
    found = office.connection(enquiry.connection)
    if found.state is ConnectionState.DISABLED:
        found = take_up_again(office, found)
    return before_it_worked(found) is None


def _remove(office: Office, enquiries: Enquiries, enquiry: Enquiry) -> Removed:
    def progress(words: str) -> None:
        step = Step("remove", ok=False, code="removing", message=words, waiting=True)
        enquiries.tell(enquiry.found(step))

    return remove_connection(office, office.connection(enquiry.connection), progress)


def _removed(enquiry: Enquiry, done: Removed) -> Said:
    [given_back] = done.given_back
    message = f"{enquiry.tenant}/{given_back.name} is removed. {done.called_off}"
    if done.uncertain:
        message += f" Of {done.uncertain} nobody knows whether Gmail took them; the record says so."
    message = " ".join((message, given_back.sentence, *done.remains))
    return Said(f"access_{given_back.access}", message, given_back.remedy)
