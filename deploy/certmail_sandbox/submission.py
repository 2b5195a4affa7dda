"""What Gmail does with a message between the request and the 200 (google.md §2.2-§2.4).

It refuses what has no recipient or a header twice that may stand once, gives the message its own Message-ID, puts
the account's address in place of a foreign From, adds Date where there is none, and hides Bcc from the recipients.
Custom headers, Reply-To, Auto-Submitted and a given Date stay as they are.
"""

import secrets
from datetime import UTC, datetime
from email.utils import format_datetime, formataddr

from certmail_sandbox import gmail_errors
from certmail_sandbox.directory import Account
from certmail_sandbox.mailstore import MailStore, Message
from certmail_sandbox.mime import BadAddress, Headers, addresses

RECIPIENT_HEADERS = ("To", "Cc", "Bcc")
SINGLE = (
    *RECIPIENT_HEADERS,
    *("From", "Sender", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References"),
    *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
)
CERTMAIL_ID = "X-Certmail-Id"


def certmail_id(headers: Headers) -> str | None:
    header = headers.first(CERTMAIL_ID)
    return header.value if header else None


def accept(
    headers: Headers, account: Account, store: MailStore, now: float, thread_id: str | None = None
) -> Message:
    """Takes a message into the store, as Gmail would send it.

    Raises:
        ApiError: a 400, permanent for this message.
    """
    for name in SINGLE:
        if len(headers.all(name)) > 1:
            raise gmail_errors.invalid_argument(f"Invalid {name} header")
    recipients = _recipients(headers)
    if thread_id is not None and all(known.thread_id != thread_id for known in store.sent_by(account.email)):
        raise gmail_errors.not_found()
    _rewrite(headers, account, now)
    identity = store.next_id(now)
    message = Message(
        id=identity,
        thread_id=thread_id or identity,
        mailbox=account.email,
        recipients=recipients,
        certmail_id=certmail_id(headers),
        accepted_at=now,
        sent_copy=headers.to_bytes(),
        delivered=headers.without(["Bcc"]).to_bytes(),
    )
    store.add(message)
    return message


def _recipients(headers: Headers) -> tuple[str, ...]:
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
