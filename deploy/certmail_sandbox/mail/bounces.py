"""Mail that Gmail accepts and does not deliver: the sender's own mailbox gets a notice of it.

See google.md §1.3 and §2.2, and RFC 3464.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime

from certmail_sandbox.mail.mailstore import MailStore, Message

DAEMON = "Mail Delivery Subsystem <mailer-daemon@googlemail.com>"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a message was not delivered: for people, and for machines (RFC 3463)."""

    sentence: str
    status: str
    diagnostic: str


UNKNOWN = Reason(
    "Your message wasn't delivered to {address} because the address couldn't be found, or is unable to receive mail.",
    "5.1.1",
    "550-5.1.1 The email account that you tried to reach does not exist.",
)
OVER_THE_LIMIT = Reason(
    "You have reached a limit for sending mail. Your message was not sent.",
    "5.4.5",
    "550-5.4.5 Daily user sending limit exceeded.",
)


@dataclass(frozen=True, slots=True)
class PendingBounce:
    """A notice on its way."""

    at: float
    message: Message
    recipients: tuple[str, ...]
    reason: Reason


@dataclass
class Bounces:
    """The addresses that do not exist, and the notices on their way.

    Each address has the seconds that it takes to find out.
    """

    unknown: dict[str, float] = field(default_factory=dict)
    _due: list[PendingBounce] = field(default_factory=list)

    def unless_known(self, message: Message, now: float) -> None:
        """Let a message bounce from each of its recipients that does not exist."""
        for address in message.recipients:
            if (seconds := self.unknown.get(address.lower())) is not None:
                self._bounce(PendingBounce(now + seconds, message, (address,), UNKNOWN))

    def over_the_limit(self, message: Message, now: float) -> None:
        """Let a message bounce as a whole.

        Gmail took it after the mailbox had reached a limit of the day (google.md §1.3).
        """
        self._bounce(PendingBounce(now, message, message.recipients, OVER_THE_LIMIT))

    def _bounce(self, due: PendingBounce) -> None:
        due.message.bounced += due.recipients
        self._due.append(due)

    def deliver(self, store: MailStore, now: float) -> None:
        """Put the notices whose time has come into the senders' mailboxes."""
        if not self._due:
            return
        ready = sorted((due for due in self._due if due.at <= now), key=lambda due: due.at)
        self._due = [due for due in self._due if due.at > now]
        for due in ready:
            store.add(_notice(due, store.next_id(due.at)))


def _notice(due: PendingBounce, identity: str) -> Message:
    content = _report(due)
    return Message(
        id=identity,
        thread_id=due.message.thread_id,
        mailbox=due.message.mailbox,
        recipients=(due.message.mailbox,),
        certmail_id=None,
        accepted_at=due.at,
        sent_copy=content,
        delivered=content,
        labels=("UNREAD", "INBOX"),
    )


def _report(due: PendingBounce) -> bytes:
    """The notice: a sentence, the part for machines, and the message that came back."""
    original = due.message.headers.text("Message-ID")
    boundary = secrets.token_hex(14)
    head = [
        f"From: {DAEMON}",
        f"To: {due.message.mailbox}",
        "Subject: Delivery Status Notification (Failure)",
        f"Date: {format_datetime(datetime.fromtimestamp(due.at, UTC))}",
        f"Message-ID: <{secrets.token_hex(12)}@mx.google.com>",
        "Auto-Submitted: auto-replied",
        f"X-Failed-Recipients: {', '.join(due.recipients)}",
        f"References: {original}",
        f"In-Reply-To: {original}",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"',
        "",
    ]
    words = [
        "Content-Type: text/plain; charset=utf-8",
        "",
        due.reason.sentence.format(address=due.recipients[0]),
    ]
    status = ["Content-Type: message/delivery-status", "", "Reporting-MTA: dns; googlemail.com"]
    for address in due.recipients:
        status += [
            "",
            f"Final-Recipient: rfc822; {address}",
            "Action: failed",
            f"Status: {due.reason.status}",
        ]
        status.append(f"Diagnostic-Code: smtp; {due.reason.diagnostic}")
    returned = ["Content-Type: message/rfc822", "", ""]

    lines = [
        *head,
        f"--{boundary}",
        *words,
        f"--{boundary}",
        *status,
        "",
        f"--{boundary}",
        *returned,
    ]
    return "\r\n".join(lines).encode() + due.message.delivered + f"\r\n--{boundary}--\r\n".encode()
