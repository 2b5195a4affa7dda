"""What was asked of Google and what became of it; never a token, a query string or a body."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from certmail_sandbox.wire.clock import rfc3339

KEEPS = 200_000  # entries; older ones fall out


@dataclass(slots=True)
class Entry:
    """One request to Google, and what became of it.

    Attributes:
        at: Seconds since the epoch, when the request had been read.
        mailbox: The mailbox of its token; at the token endpoint the one that a token is asked for.
        status: The status answered, `reset` or `hang` where there was none, None while it is being
            served.
        certmail_id: The X-Certmail-Id of the message in it.
        fault: The name of the fault applied.
        units: Quota units charged.
        accepted: The id of the message that it made Gmail accept, even where nobody was told.
        size: Bytes of its body.
    """

    at: float
    method: str
    path: str
    mailbox: str | None = None
    status: int | str | None = None
    certmail_id: str | None = None
    fault: str | None = None
    units: int = 0
    accepted: str | None = None
    size: int = 0

    def to_json(self) -> dict[str, object]:
        """The request as the control API shows it."""
        return {
            "at": rfc3339(self.at),
            "method": self.method,
            "path": self.path,
            "mailbox": self.mailbox,
            "status": self.status,
            "certmail_id": self.certmail_id,
            "fault": self.fault,
            "units": self.units,
            "accepted": self.accepted,
        }


@dataclass
class Journal:
    """The last 200,000 requests, oldest first."""

    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=KEEPS))

    def open(self, entry: Entry) -> Entry:
        """Enter a request, which is filled in while it is served; gives it back."""
        self.entries.append(entry)
        return entry
