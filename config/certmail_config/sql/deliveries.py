"""Reading the record: pages of deliveries by what is asked for, and one delivery with all that happened to it.

Pages go from the newest to the oldest, in the order in which reminders were enqueued. A page ends with a cursor, which stays
good while others are added: what is enqueued meanwhile is newer than the first page.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from sqlalchemy import Column, ColumnElement, Engine, Select, literal, select, tuple_
from sqlalchemy import Connection as Db

from certmail_config.errors import WrongUse
from certmail_config.sql import tables
from certmail_config.sql.engine import reachable
from certmail_config.states import State

COLUMNS: Final = (
    "job",
    "tenant",
    "campaign",
    "kind",
    "recipient",
    "mailbox",
    "state",
    "reason",
    "held",
    "possible_duplicate",
    "decided_by",
    "enqueued_at",
    "send_at",
    "expires_at",
    "updated_at",
)
"""What is shown of a delivery."""
ATTEMPT_COLUMNS: Final = (
    "n",
    "begun_at",
    "ended_at",
    "outcome",
    "reason",
    "http_status",
    "google_reason",
    "latency_ms",
    "gmail_id",
    "gmail_thread_id",
    "key_id",
    "connection_version",
    "worker",
)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for; None means any. `since` is included, `until` is not: when a reminder was enqueued."""

    tenant: str | None = None
    campaign: str | None = None
    recipient: str | None = None
    state: State | None = None
    since: datetime | None = None
    until: datetime | None = None

    def by_column(self) -> dict[Column[Any], Any]:
        """What must be equal to what."""
        record = tables.deliveries.c
        recipient = self.recipient.strip().lower() if self.recipient is not None else None
        given = {
            record.tenant: self.tenant,
            record.campaign: self.campaign,
            record.recipient: recipient,
            record.state: self.state,
        }
        return {column: value for column, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last delivery of a page."""

    enqueued_at: datetime
    job: str

    def __str__(self) -> str:
        """As it is given to others, who need not know what is in it."""
        text = f"{self.enqueued_at.astimezone(UTC).isoformat()} {self.job}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read it back; raises WrongUse."""
        try:
            padded = text + "=" * (-len(text) % 4)
            at, _, job = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition(" ")
            enqueued_at = datetime.fromisoformat(at)
            if enqueued_at.tzinfo is None or not job:
                raise ValueError(text)
        except (binascii.Error, ValueError):
            raise WrongUse(
                "invalid_cursor", "This is not the cursor of a page.", "Take the one that the last page gave."
            ) from None
        return cls(enqueued_at, job)


@dataclass(frozen=True, slots=True)
class Page:
    """Some deliveries, the newest first; `next` leads on to the page after it, None at the end."""

    rows: tuple[Row, ...]
    next: Cursor | None


def read_page(db: Db, wanted: Filter, *, after: Cursor | None = None, limit: int = 100) -> Page:
    """One page."""
    found = [dict(row) for row in db.execute(page_query(wanted, after, limit)).mappings()]
    rows = tuple(found[:limit])
    more = len(found) > limit
    return Page(rows, Cursor(rows[-1]["enqueued_at"], rows[-1]["job"]) if more else None)


def page_query(wanted: Filter, after: Cursor | None, limit: int) -> Select[Any]:
    """What `read_page` asks the database: one row more than a page, to see whether there is another.

    What is asked for is written as a range, from one row of values to the same, and leads the order: then only the index that
    was made for the question has this order. With equality a planner may read all deliveries from the newest on, until it
    has met a page of those asked for, which for a tenant that has been quiet for months is never.
    """
    record = tables.deliveries.c
    given = wanted.by_column()
    leading = _leading(given)
    key = [*leading, record.enqueued_at, record.job]
    conditions = [column == value for column, value in given.items() if column not in leading]
    conditions += _bounds(key, [given[column] for column in leading], wanted, after)
    return (
        select(*(record[name] for name in COLUMNS))
        .where(*conditions)
        .order_by(*(column.desc() for column in key))
        .limit(limit + 1)
    )


def _leading(given: Mapping[Column[Any], Any]) -> list[Column[Any]]:
    """The columns of the index that was made for a question; a recipient has so few deliveries that no more is needed."""
    record = tables.deliveries.c
    if record.recipient in given:
        return [record.recipient]
    return [column for column in (record.tenant, record.campaign, record.state) if column in given]


def _bounds(
    key: Sequence[Column[Any]], first: Sequence[Any], wanted: Filter, after: Cursor | None
) -> Iterator[ColumnElement[bool]]:
    """From the newest to the oldest that are asked for, as ranges over the columns of the order."""

    def row(*values: Any) -> tuple[Any, Any]:
        columns = key[: len(values)]
        return tuple_(*columns), tuple_(
            *(literal(value, column.type) for column, value in zip(columns, values, strict=True))
        )

    if first or wanted.since is not None:
        columns, least = row(*first, *([wanted.since] if wanted.since is not None else []))
        yield columns >= least
    # Of two ends the earlier one: a database would start from whichever it takes to be the better.
    if after is not None and (wanted.until is None or after.enqueued_at < wanted.until):
        columns, end = row(*first, after.enqueued_at, after.job)
        yield columns < end
    elif wanted.until is not None:
        columns, end = row(*first, wanted.until)
        yield columns < end
    elif first:
        columns, end = row(*first)
        yield columns <= end


def read_all(engine: Engine, wanted: Filter, *, page: int = 1000) -> Iterator[Row]:
    """All that is asked for, page by page, each in a transaction of its own; raises StoresUnreachable."""
    after: Cursor | None = None
    while True:
        with reachable(engine), engine.connect() as db:
            found = read_page(db, wanted, after=after, limit=page)
        yield from found.rows
        if found.next is None:
            return
        after = found.next


@dataclass(frozen=True, slots=True)
class Story:
    """A delivery, its attempts, and what happened to it, the oldest first; each event has its own fields."""

    delivery: Row
    attempts: tuple[Row, ...]
    events: tuple[Row, ...]


def read_story(db: Db, job: str) -> Story | None:
    """All that is on record of a reminder; None if nothing is."""
    deliveries, attempts, events = tables.deliveries.c, tables.attempts.c, tables.events.c
    found = (
        db.execute(
            select(*(deliveries[name] for name in (*COLUMNS, "connection"))).where(deliveries.job == job)
        )
        .mappings()
        .one_or_none()
    )
    if found is None:
        return None
    tried = select(*(attempts[name] for name in ATTEMPT_COLUMNS)).where(attempts.job == job)
    happened = (
        select(events.at, events.type, events.data)
        .where(events.job == job)
        .order_by(events.stream_ms, events.stream_n)
    )
    return Story(
        dict(found),
        tuple(dict(row) for row in db.execute(tried.order_by(attempts.n)).mappings()),
        tuple({"at": row.at, "type": row.type, **_told(row.data)} for row in db.execute(happened)),
    )


_SHOWN_OF_EVENTS: Final = ("state", "reason", "attempt", "outcome", "worker", "held", "possible_duplicate")


def _told(data: str) -> dict[str, Any]:
    """What an event tells a person; keyed hashes and what the attempt says already are left out."""
    fields: dict[str, str] = json.loads(data)
    return {name: fields[name] for name in _SHOWN_OF_EVENTS if fields.get(name)}
