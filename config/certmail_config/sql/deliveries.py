"""Reading the record: pages of deliveries by what is asked for.

Pages go from the newest to the oldest, in the order in which reminders were enqueued. A page ends
with a cursor, which stays good while others are added: what is enqueued meanwhile is newer than the
first page.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from sqlalchemy import Column, ColumnElement, Select, literal, select, tuple_
from sqlalchemy import Connection as Db

from certmail_config.base.addresses import recorded_address
from certmail_config.base.errors import WrongUse
from certmail_config.jobs.states import State
from certmail_config.sql import tables
from certmail_config.sql.requests import REQUEST_COLUMNS, with_requests

COLUMNS: Final = (
    "job",
    "tenant",
    "connection",
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
"""What the record itself says of a delivery."""
SHOWN_COLUMNS: Final = (*COLUMNS, *REQUEST_COLUMNS)
"""What is shown of a delivery: with what came of its requests."""
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for; None means any.

    `since` is included, `until` is not: when a reminder was enqueued.
    """

    tenant: str | None = None
    campaign: str | None = None
    recipient: str | None = None
    state: State | None = None
    since: datetime | None = None
    until: datetime | None = None

    def by_column(self) -> dict[Column[Any], Any]:
        """What must be equal to what."""
        record = tables.deliveries.c
        recipient = recorded_address(self.recipient) if self.recipient is not None else None
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
        """The cursor as callers get it, who need not know what is in it."""
        text = f"{self.enqueued_at.astimezone(UTC).isoformat()} {self.job}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read it back; raises WrongUse."""
        try:
            padded = text + "=" * (-len(text) % 4)
            at, _, job = (
                base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition(" ")
            )
            enqueued_at = datetime.fromisoformat(at)
            if enqueued_at.tzinfo is None or not job or not job.isprintable():
                raise ValueError(text)
        except (binascii.Error, ValueError):
            raise WrongUse(
                "invalid_cursor",
                "This is not the cursor of a page.",
                "Take the one that the last page gave.",
            ) from None

        return cls(enqueued_at, job)


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Some deliveries, the newest first; `next` leads on to the page after it, None at the end."""

    rows: tuple[Row, ...]
    next: Cursor | None


def read_page(
    db: Db, wanted: Filter, *, after: Cursor | None = None, limit: int = 100
) -> DeliveryPage:
    """One page."""
    found = [dict(row) for row in db.execute(page_query(wanted, after, limit)).mappings()]
    rows = tuple(with_requests(db, found[:limit]))
    more = len(found) > limit
    return DeliveryPage(rows, Cursor(rows[-1]["enqueued_at"], rows[-1]["job"]) if more else None)


def page_query(wanted: Filter, after: Cursor | None, limit: int) -> Select[Any]:
    """What `read_page` asks the database: one row more than a page, to see whether more follow.

    What is asked for is written as a range, from one row of values to the same, and leads the
    order: then only the index that was made for the question has this order. With equality a
    planner may read all deliveries from the newest on, until it has met a page of those asked for,
    which for a tenant that has been quiet for months is never.
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
    """The columns of the index that was made for a question.

    A recipient has so few deliveries that no more is needed.
    """
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
        columns, lowest = row(*first, *([wanted.since] if wanted.since is not None else []))
        yield columns >= lowest
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
