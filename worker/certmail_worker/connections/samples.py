"""The sample that somebody has asked for in the console: one of a tenant's mails, sent to them.

It leaves the tenant's own mailbox, in the words that were asked with, and says in its subject that
it is a sample. It is no reminder: nothing is recorded of it, and it is never repeated.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime

from certmail_config.admin.admin import Admin
from certmail_config.admin.taken_mail import note_taken
from certmail_config.base.errors import Refused
from certmail_config.base.ids import uuid7
from certmail_config.compose import ComposeError
from certmail_config.compose.own.tenant_words import read_words
from certmail_config.compose.samples import SampleSender, letter_of, mail_of, written_at
from certmail_config.google.checklist import Step
from certmail_config.jobs.recipients import OnlyTo
from certmail_config.jobs.states import AttemptOutcome
from certmail_config.onboarding.sample_wanted import SampleWanted
from certmail_config.onboarding.worker_requests import Remark, WorkerRequest
from certmail_config.settings.oauth_client import oauth_client
from certmail_config.sql import registry
from certmail_config.tenants.models import Connection, ConnectionKind, ConnectionState
from certmail_config.tenants.sealed_fields import open_from
from certmail_worker.connections.probe.grants import token
from certmail_worker.connections.probe.saving import LedgerAllowance
from certmail_worker.connections.probe.trial_mail import Waits, hand_over
from certmail_worker.delivery.failure_table import FailureClass
from certmail_worker.delivery.send_failures import Verdict
from certmail_worker.google.gmail import Gmail
from certmail_worker.google.http import new_session
from certmail_worker.google.token_client import Purpose, TokenClient

_AGAIN = "Try again in a minute."


async def send_sample(admin: Admin, asked: WorkerRequest) -> WorkerRequest:
    """Compose the sample and hand it to Gmail; gives the worker request, answered.

    Raises Refused, SealBroken, StoresUnreachable, RedisError.
    """
    wanted = asked.sample
    if wanted is None:
        raise Refused("no_sample", "The request names no mail.", "Ask again, from its page.")
    if not OnlyTo.parse(admin.settings.only_to or "").allows(wanted.to):
        message = "CERTMAIL_ONLY_TO does not name this address, so no mail leaves to it."
        raise Refused("not_among_only_to", message, "Send it to an address that is named there.")
    connection = await asyncio.to_thread(_sending, admin, asked)
    raw = await asyncio.to_thread(_composed, admin, connection, wanted)

    settings = admin.settings
    async with new_session(
        ca_file=settings.google_ca_file,
        timeout_seconds=settings.http_timeout_seconds,
        proxy=settings.proxy,
    ) as session:
        own_app = connection.kind is ConnectionKind.CUSTOMER_OWNED_APP
        url, client = settings.google_token_url, oauth_client(settings)
        token_client = TokenClient(session, url, admin.vault, client, own_app)
        step, granted = await token(connection, token_client, Purpose.SEND)
        if granted is None:
            return asked.refused(_no_token(step))

        gmail = Gmail(session, settings.gmail_url)
        allowance = LedgerAllowance(admin, connection)
        found = await hand_over(raw, granted.access_token, gmail, allowance)

    if isinstance(found, Waits) or found.failure is not FailureClass.NONE:
        return asked.refused(_not_sent(found))
    await asyncio.to_thread(note_taken, admin.strongbox, connection)
    message = f"Gmail took it, from {connection.mailbox} to {wanted.to} (message {found.gmail_id})."
    return asked.done(Remark("sample_accepted", message))


def _sending(admin: Admin, asked: WorkerRequest) -> Connection:
    """The connection that it is to leave by; raises Refused where none of the tenant's works."""
    found = admin.connection(asked.connection)
    if found.tenant != asked.tenant:
        raise Refused("unknown_connection", "There is no such connection.", "Go back to the list.")
    if found.state is not ConnectionState.ACTIVE:
        message = f"The connection {found.name!r} of {found.tenant} does not work at present."
        raise Refused("connection_not_working", message, "See its page for what is missing.")
    return found


def _composed(admin: Admin, connection: Connection, wanted: SampleWanted) -> bytes:
    """The mail; raises Refused where none can be made of what was asked for."""
    with admin.db() as db:
        tenant = registry.get_tenant(db, connection.tenant)
    sealed = tenant.reply_to
    reply_to = open_from(admin.vault, sealed, tenant.id, "reply_to").decode() if sealed else ""
    sender = SampleSender(tenant.organisation, connection.mailbox or "", reply_to)

    words = read_words(0, wanted.document.encode(), (), admin.settings.logo_hosts)
    letter = letter_of(sender, words, wanted.kind, wanted.locale, wanted.sample)
    id_ = uuid7(int(time.time() * 1000))
    letter = written_at(replace(letter, job_id=id_, to=wanted.to), datetime.now(UTC))
    try:
        mail = mail_of(letter, words, marked=True)
    except ComposeError as error:
        raise Refused("sample_not_composed", str(error), "Change the words.") from None

    if words.failed:
        place, why = next(iter(words.failed.items()))
        raise Refused("sample_not_composed", f"{place}: {why}.", "Correct it, then try again.")
    return mail.raw


def _no_token(step: Step) -> Remark:
    return Remark(step.code, step.message, step.remedy or _AGAIN)


def _not_sent(found: Verdict | Waits) -> Remark:
    if isinstance(found, Waits):
        return Remark("mailbox_busy", f"It was not sent from the mailbox: {found.why}.", _AGAIN)
    if found.outcome is AttemptOutcome.UNKNOWN:
        remedy = "Look whether it has arrived before you send another."
        return Remark(found.code, found.message, remedy)
    return Remark(found.code, found.message, found.remedy or _AGAIN)
