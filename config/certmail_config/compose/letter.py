"""The composer's types: `Letter` goes in, `Mail` comes out, or it fails with `ComposeError`."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple


class ComposeError(Exception):
    """This letter can never become a mail; the sentence says why and names no person."""


class PendingItem(NamedTuple):
    """One thing that is left to decide: about what, and where it is known whose and which access."""

    what: str
    who: str | None = None
    access: str | None = None


class Review(NamedTuple):
    """One of the campaigns that a digest tells of; each part is as in a letter."""

    name: str
    due_at: date | None = None
    pending: int | None = None
    completed: int | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Letter:
    """One reminder to one reviewer, with everything that its text may say.

    Whatever is `None` or blank is left out of the mail, which still reads naturally.
    """

    job_id: str
    """A UUID; it becomes `X-Certmail-Id` as it is, and the Message-ID."""
    kind: str
    """Which mail it is: one of `voices.KINDS`."""
    sender: str
    """The mailbox's own address: Gmail silently replaces any other."""
    sender_name: str | None
    """The name shown beside it, of the organisation or the mailbox."""
    reply_to: str | None
    to: str
    """The one recipient."""
    name: str | None
    """The reviewer's."""
    campaign_name: str | None
    due_at: date | None
    """An aware time, shown in the reviewer's time zone; or a date: due until its end there."""
    pending: int | None
    """Decisions still open."""
    completed: int | None
    """Decisions already made."""
    link: str | None
    """Where the decisions are made; what is none fails."""
    locale: str | None
    """BCP 47 or POSIX spelling; falls back to its language, then to English."""
    time_zone: str | None
    """IANA name; else times are shown in the offset that they came with."""
    organisation: str
    now: datetime
    """Aware; the only clock that composing knows."""
    items: tuple[PendingItem, ...] = ()
    """What is left to decide, as far as it is known one by one."""
    about: str | None = None
    """Of an escalation: whose decisions are missing."""
    times_reminded: int | None = None
    """Of an escalation: how often they were reminded."""
    reviews: tuple[Review, ...] = ()
    """Of a digest: its campaigns, in any order."""
    own_subject: str | None = None
    """Of a custom mail."""
    own_text: str | None = None
    """Of a custom mail: each line is a paragraph."""
    fallback_locale: str | None = None
    """What its tenant's mails are written in where the reviewer's language has no catalogue."""
    tenant: str = ""
    """Its id, and that of its campaign: what a calendar knows its due date by."""
    campaign: str | None = None

    def __repr__(self) -> str:
        """Show no personal data: letters end up in tracebacks and logs."""
        return f"Letter(job_id={self.job_id!r}, kind={self.kind!r})"


@dataclass(frozen=True, slots=True, repr=False)
class Mail:
    """A finished mail; its repr shows nothing of it.

    `raw` is RFC 5322 with CRLF, ready for Gmail; `locale` is what it is written in.
    """

    subject: str
    locale: str
    raw: bytes
