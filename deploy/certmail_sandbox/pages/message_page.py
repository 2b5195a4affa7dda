"""A message as a person reads it: decoded headers, the two bodies, the source."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from functools import cached_property
from typing import NamedTuple

from certmail_sandbox.mail.mailstore import Message


class Attachment(NamedTuple):
    """A file that comes along with a message."""

    name: str
    content: bytes


class Letter:
    """What the pages show of a message."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.id = message.id
        self.mailbox = message.mailbox
        self.sender = message.mailbox if "SENT" in message.labels else message.headers.text("From")
        self.recipients = message.recipients
        self.subject = message.subject or "(no subject)"

    @property
    def at(self) -> str:
        """When Gmail accepted it, in machine form for the time element."""
        return f"{self._moment:%Y-%m-%dT%H:%M:%SZ}"

    def when(self, now: float) -> str:
        """How long ago Gmail accepted it, or the date."""
        seconds = max(0.0, now - self.message.accepted_at)
        if seconds < 60:
            return "just now" if seconds < 10 else f"{seconds:.0f} s ago"
        if seconds < 3600:
            return f"{seconds / 60:.0f} min ago"
        if seconds < 86_400:
            return f"{self._moment:%H:%M} UTC"
        return f"{self._moment:%d %b %Y}"

    @property
    def date(self) -> str:
        """When Gmail accepted it, in full."""
        return f"{self._moment:%A, %d %B %Y, %H:%M:%S} UTC"

    @property
    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self.message.accepted_at, UTC)

    @property
    def hue(self) -> int:
        """The mailbox's colour, one of twelve, always the same for the same mailbox."""
        return hashlib.sha256(self.mailbox.lower().encode()).digest()[0] % 12

    def header(self, name: str) -> str:
        """The decoded value of a header, or nothing."""
        return self.message.headers.text(name)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The names and decoded values of all headers that the recipients see."""
        return [
            (header.name, header.text) for header in self.message.headers.without(["Bcc"]).fields
        ]

    @cached_property
    def _parsed(self) -> EmailMessage:
        return message_from_bytes(self.message.delivered, policy=SMTP)

    @property
    def html(self) -> str | None:
        """The HTML part; None without one."""
        return self._body("html")

    @property
    def plain(self) -> str | None:
        """The plain text part; None without one."""
        return self._body("plain")

    def _body(self, kind: str) -> str | None:
        part = self._parsed.get_body((kind,))
        if part is None:
            return None
        payload = part.get_payload(decode=True)
        if not isinstance(payload, bytes):
            return None
        try:
            return payload.decode(part.get_content_charset("utf-8"), "replace")
        except LookupError:
            return payload.decode("utf-8", "replace")

    @cached_property
    def attachments(self) -> list[Attachment]:
        """The files that come along, in their order."""
        if not self._parsed.is_multipart():
            return []
        return [_attachment(part) for part in self._parsed.iter_attachments()]

    @property
    def source(self) -> str:
        """The whole message as the recipients get it."""
        return self.message.delivered.decode("utf-8", "replace")


def _attachment(part: EmailMessage) -> Attachment:
    content = part.get_payload(decode=True)
    return Attachment(
        part.get_filename() or part.get_content_type(),
        content if isinstance(content, bytes) else part.as_bytes(),
    )
