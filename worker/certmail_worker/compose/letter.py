"""What goes in (`Letter`), what comes out (`Mail`), and the one way it can fail (`ComposeError`)."""

from dataclasses import dataclass
from datetime import date, datetime


class ComposeError(Exception):
    """This letter can never become a mail; the sentence says why and names no person."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Letter:
    """One reminder to one reviewer, with everything that its text may say.

    Whatever is `None` or blank is left out of the mail, which still reads naturally.

    Attributes:
        job_id: A UUID; it becomes `X-Certmail-Id` as it is, and the Message-ID.
        kind: `notice` (the campaign has begun), `reminder`, or `final` (the last reminder).
        sender: The mailbox's own address: Gmail silently replaces any other.
        sender_name: The name shown beside it, of the organisation or the mailbox.
        to: The one recipient.
        name: The reviewer's.
        due_at: An aware time, shown in the reviewer's time zone; or a date, until whose end there it is due.
        pending: Decisions still open.
        completed: Decisions already made.
        link: Where the decisions are made; what is none fails.
        locale: BCP 47 or POSIX spelling; falls back to its language, then to English.
        time_zone: IANA name; else times are shown in the offset that they came with.
        now: Aware; the only clock that composing knows.
    """

    job_id: str
    kind: str
    sender: str
    sender_name: str | None
    reply_to: str | None
    to: str
    name: str | None
    campaign_name: str | None
    due_at: date | None
    pending: int | None
    completed: int | None
    link: str | None
    locale: str | None
    time_zone: str | None
    organisation: str
    now: datetime

    def __repr__(self) -> str:
        """Show no personal data: letters end up in tracebacks and logs."""
        return f"Letter(job_id={self.job_id!r}, kind={self.kind!r})"


@dataclass(frozen=True, slots=True, repr=False)
class Mail:
    """A finished mail: `raw` is RFC 5322 with CRLF, ready for Gmail; its repr shows nothing of it."""

    subject: str
    raw: bytes
