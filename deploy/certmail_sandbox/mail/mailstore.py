"""Every message in a mailbox, newest last.

Some of them Gmail accepted from it, others were returned to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from certmail_sandbox.wire.mime import Headers


@dataclass(eq=False)
class Message:
    """A message in a mailbox.

    Attributes:
        id: 16 hex digits, unique in the whole sandbox; it grows with time.
        mailbox: The mailbox that it is in; of those with the label SENT the one that sent it.
        recipients: Bare addresses from To, Cc and Bcc.
        certmail_id: What its X-Certmail-Id header says.
        accepted_at: Seconds since the epoch.
        sent_copy: As the mailbox keeps it.
        delivered: As the recipients get it: without Bcc.
        labels: What Gmail calls its place: SENT, INBOX.
        bounced: The recipients whom it has not reached, and never will.
    """

    id: str
    thread_id: str
    mailbox: str
    recipients: tuple[str, ...]
    certmail_id: str | None
    accepted_at: float
    sent_copy: bytes
    delivered: bytes
    labels: tuple[str, ...] = ("SENT",)
    bounced: tuple[str, ...] = ()

    @cached_property
    def headers(self) -> Headers:
        """The headers of the mailbox's own copy."""
        return Headers.parse(self.sent_copy)

    @cached_property
    def subject(self) -> str:
        """The decoded Subject, or nothing."""
        return self.headers.text("Subject")

    @cached_property
    def searchable(self) -> str:
        """What the mailbox page's search box looks through, in lower case."""
        parts = (
            self.mailbox,
            *self.recipients,
            self.subject,
            self.certmail_id or "",
            self.headers.text("From"),
        )
        return "\n".join(parts).lower()


@dataclass
class MailStore:
    """The messages of all mailboxes, by time, by id and by mailbox."""

    messages: list[Message] = field(default_factory=list)
    by_id: dict[str, Message] = field(default_factory=dict)
    by_mailbox: dict[str, list[Message]] = field(default_factory=dict)
    _last_id: int = 0

    def next_id(self, now: float) -> str:
        """A new message id that looks like Gmail's: the time is in its upper bits."""
        self._last_id = max(self._last_id + 1, int(now * 1000) << 20)
        return f"{self._last_id:016x}"

    def add(self, message: Message) -> None:
        """Put a message into its mailbox, as the newest."""
        self.messages.append(message)
        self.by_id[message.id] = message
        self.by_mailbox.setdefault(message.mailbox.lower(), []).append(message)

    def forget_messages(self) -> None:
        """Empty all mailboxes; ids go on where they are."""
        for kept in (self.messages, self.by_id, self.by_mailbox):
            kept.clear()

    def kept_by(self, mailbox: str) -> list[Message]:
        """All that a mailbox holds."""
        return self.by_mailbox.get(mailbox.lower(), [])

    def newest_first(self, mailbox: str | None = None, to: str | None = None) -> Iterator[Message]:
        """The messages of a mailbox or of all, newest first; with `to`, those to this address."""
        messages = self.messages if mailbox is None else self.kept_by(mailbox)
        for message in reversed(messages):
            if to is None or any(
                to.lower() == recipient.lower() for recipient in message.recipients
            ):
                yield message
