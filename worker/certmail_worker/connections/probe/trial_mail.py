"""The test mail: from the mailbox to itself.

It is the only proof that the Gmail API is enabled and the mailbox has Gmail.

`gmail.send` allows nothing but sending, so nothing less would show it (google.md §2.1).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final, NamedTuple, Protocol

from certmail_config.base.ids import uuid7
from certmail_config.google.checklist import Step
from certmail_config.google.token_errors import Blame
from certmail_config.jobs.states import AttemptOutcome
from certmail_config.tenants.models import Connection
from certmail_worker.connections.probe.steps import TEST_MAIL, failed, passed
from certmail_worker.delivery.send_failures import FailureClass, Verdict, judge
from certmail_worker.google.gmail import Gmail
from certmail_worker.google.http import SendWindow


class Allowance(Protocol):
    """What the mailbox may send."""

    async def pay(self) -> str | None:
        """Pay for one message; gives what it waits for, None if it is paid."""

    async def refund(self) -> None:
        """Give back what was paid: it became no message, and another may be tried at once."""


class Waits(NamedTuple):
    """Why a mail cannot leave now, and when to try again."""

    why: str
    remedy: str


_WAITS: Final = {
    "paused": Waits(
        "sending is paused",
        "See `certmail status` or `certmail doctor` for what is paused, and by whom.",
    ),
    "tested": Waits(
        "a test mail or sample left it within the last minute", "Probe again in a minute."
    ),
    "day": Waits(
        "it has sent as many messages in 24 hours as it may",
        "Probe again when reminders leave again.",
    ),
    "cooling": Waits(
        "it pauses because Google asked for it", "Probe again when reminders leave again."
    ),
}
_BUSY: Final = Waits("it may send nothing more in this minute", "Probe again in a minute.")
_TEXT = """\
This mailbox is connected to certmail, which sends reminders of access reviews from it.

This message shows that it works. There is nothing for you to do, and you may delete it.
"""


async def send_test_mail(
    connection: Connection, token: str, gmail: Gmail, allowance: Allowance
) -> Step:
    """Send one mail from the mailbox to itself.

    It is no reminder: nothing is recorded of it, and it is never repeated.
    """
    found = await hand_over(_mail(connection), token, gmail, allowance)
    if isinstance(found, Waits):
        message = f"The test mail was not sent from the mailbox: {found.why}."
        return failed(TEST_MAIL, "mailbox_busy", message, found.remedy, Blame.NOBODY)
    if found.failure is FailureClass.NONE:
        message = (
            f"Gmail took a mail from {connection.mailbox} to itself (message {found.gmail_id})."
        )
        return passed(TEST_MAIL, "mail_accepted", message)

    return failed(
        TEST_MAIL, found.code, found.message, found.remedy or _again(found), _blame(found)
    )


async def hand_over(raw: bytes, token: str, gmail: Gmail, allowance: Allowance) -> Verdict | Waits:
    """Hand Gmail a mail that is no reminder, once; gives what came of it, or what it waits for."""
    waits_for = await allowance.pay()
    if waits_for is not None:
        return _WAITS.get(waits_for, _BUSY)

    verdict = judge(await gmail.send(raw, token, SendWindow(float("inf"))))
    if verdict.outcome in {AttemptOutcome.NOT_SENT, AttemptOutcome.REJECTED}:
        await allowance.refund()
    return verdict


def _mail(connection: Connection) -> bytes:
    mailbox, id_ = str(connection.mailbox), uuid7(int(time.time() * 1000))
    mail = EmailMessage(policy=SMTP)
    mail["From"] = mail["To"] = mailbox
    mail["Subject"] = "certmail: this mailbox works"
    mail["Date"] = datetime.now(UTC)
    mail["Message-ID"] = f"<{id_}@{mailbox.rpartition('@')[2]}>"
    mail["X-Certmail-Id"] = id_
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_TEXT)
    mail["Content-Language"] = "en"
    return mail.as_bytes()


def _blame(verdict: Verdict) -> Blame:
    """A mailbox that is busy, or an answer that was lost, says nothing against the connection."""
    if verdict.failure is FailureClass.CONNECTION:
        return Blame.CUSTOMER
    return Blame.OPERATOR if verdict.failure is FailureClass.OPERATOR else Blame.NOBODY


def _again(verdict: Verdict) -> str:
    if verdict.outcome is AttemptOutcome.UNKNOWN:
        return "Look whether it arrived in the mailbox, or probe again in a minute."
    return "Probe again in a minute."
