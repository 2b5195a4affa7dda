"""The test mail: from the mailbox to itself, the only proof that the Gmail API is enabled and the mailbox has Gmail.

`gmail.send` allows nothing but sending, so nothing less would show it (google.md §2.1).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

from certmail_config.checklist import Step
from certmail_config.connections import Connection
from certmail_config.ids import uuid7
from certmail_config.ledger.lanes import SEND_UNITS
from certmail_config.states import AttemptOutcome
from certmail_config.token_errors import Blame
from certmail_worker.failures import FailureClass, Verdict, judge
from certmail_worker.gmail import Gmail
from certmail_worker.http import SendWindow
from certmail_worker.probe.steps import failed, passed

NAME = "test mail"
Pay = Callable[[int], Awaitable[bool]]
"""Pays so many quota units out of the mailbox's minute; False if there is no room for them now."""
_TEXT = """\
This mailbox is connected to certmail, which sends reminders of access certifications from it.

This message was sent to see that it works. Nothing is to be done; it may be deleted.
"""


async def trial(connection: Connection, token: str, gmail: Gmail, pay: Pay) -> Step:
    """Send one mail from the mailbox to itself. It is no reminder: nothing is recorded of it, and it is never repeated."""
    if not await pay(SEND_UNITS):
        message = (
            "The mailbox may send nothing more in this minute, or it pauses: the test mail would be refused."
        )
        return failed(NAME, "mailbox_busy", message, "Probe again in a minute.", Blame.NOBODY)
    verdict = judge(await gmail.send(_mail(connection), token, SendWindow(float("inf"))))
    if verdict.failure is FailureClass.NONE:
        message = f"Gmail took a mail from {connection.mailbox} to itself (message {verdict.gmail_id})."
        return passed(NAME, "mail_accepted", message)
    return failed(NAME, verdict.code, verdict.message, verdict.remedy or _again(verdict), _blame(verdict))


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
