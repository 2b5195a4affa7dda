"""What Gmail does with a message between the request and the 200 (google.md §2.2-§2.4).

It refuses what has no recipient or a header twice that may stand once, gives the message its own
Message-ID, puts the account's address in place of a foreign From, adds Date where there is none,
and hides Bcc from the recipients. It joins a thread only where subject and references fit as well;
otherwise the message begins its own. Custom headers, Reply-To, Auto-Submitted and a given Date stay
as they are.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime, formataddr

from certmail_sandbox.accounts.directory import Account
from certmail_sandbox.mail.mailstore import MailStore, Message
from certmail_sandbox.wire import gmail_errors
from certmail_sandbox.wire.mime import BadAddress, Headers, addresses

RECIPIENT_HEADERS = ("To", "Cc", "Bcc")
SINGLE = (
    *RECIPIENT_HEADERS,
    *("From", "Sender", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References"),
    *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
)
CERTMAIL_ID = "X-Certmail-Id"
_REPLY = re.compile(r"^\s*((re|fwd?):\s*)+", re.IGNORECASE)


def certmail_id(headers: Headers) -> str | None:
    """The value of a message's X-Certmail-Id; None without that header."""
    header = headers.first(CERTMAIL_ID)
    return header.value if header else None


def recipients_of(headers: Headers) -> tuple[str, ...]:
    """The recipients of a message, each once: To, Cc and Bcc (google.md §2.4).

    Raises ApiError, a 400 that is permanent for this message, if there is none, one is no address,
    or a header stands twice.
    """
    for name in SINGLE:
        if len(headers.all(name)) > 1:
            raise gmail_errors.invalid_argument(f"Invalid {name} header")

    found: list[str] = []
    for name in RECIPIENT_HEADERS:
        for header in headers.all(name):
            try:
                found += addresses(header)
            except BadAddress:
                raise gmail_errors.invalid_argument(f"Invalid {name} header") from None

    if not found:
        raise gmail_errors.invalid_argument("Recipient address required")

    return tuple(dict.fromkeys(found))


def accept(
    headers: Headers,
    recipients: tuple[str, ...],
    account: Account,
    store: MailStore,
    now: float,
    thread_id: str | None = None,
) -> Message:
    """Take a message into the store, as Gmail would send it.

    Raises ApiError if the mailbox has no such thread.
    """
    if thread_id is not None:
        thread = [known for known in store.kept_by(account.email) if known.thread_id == thread_id]
        if not thread:
            raise gmail_errors.not_found()
        if not _belongs(headers, thread):
            thread_id = None

    _rewrite(headers, account, now)
    identity = store.next_id(now)
    to_itself = account.email.lower() in {recipient.lower() for recipient in recipients}
    message = Message(
        id=identity,
        thread_id=thread_id or identity,
        mailbox=account.email,
        recipients=recipients,
        certmail_id=certmail_id(headers),
        accepted_at=now,
        sent_copy=headers.to_bytes(),
        delivered=headers.without(["Bcc"]).to_bytes(),
        labels=("UNREAD", "SENT", "INBOX") if to_itself else ("SENT",),
    )
    store.add(message)
    return message


def _belongs(headers: Headers, thread: Iterable[Message]) -> bool:
    """Whether a message fits into a thread by reference and by subject (google.md §2.4)."""
    named = set(f"{headers.text('References')} {headers.text('In-Reply-To')}".split())
    subject = _REPLY.sub("", headers.text("Subject"))
    return any(
        known.headers.text("Message-ID") in named and _REPLY.sub("", known.subject) == subject
        for known in thread
    )


def _rewrite(headers: Headers, account: Account, now: float) -> None:
    if not _may_write_as(headers, account):
        headers.set("From", formataddr((account.name, account.email)))
    if headers.first("Date") is None:
        headers.set("Date", format_datetime(datetime.fromtimestamp(now, UTC)))
    if headers.first("MIME-Version") is None:
        headers.set("MIME-Version", "1.0")
    headers.set("Message-ID", f"<CA{secrets.token_urlsafe(36)}@mail.gmail.com>")


def _may_write_as(headers: Headers, account: Account) -> bool:
    """Whether From is the account or one of its accepted send-as addresses, and nobody besides."""
    header = headers.first("From")
    try:
        written = addresses(header) if header else []
    except BadAddress:
        return False
    return len(written) == 1 and written[0].lower() in {account.email.lower(), *account.send_as}
