"""Pages of several questions as one: the newest deliveries of all of them.

Each question is read by the index that was made for it, a page at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import merge
from itertools import islice

from sqlalchemy import Connection as Db
from sqlalchemy import Engine

from certmail_config.sql.deliveries import Cursor, DeliveryPage, Filter, Row, read_page
from certmail_config.sql.engine import reachable


def read_merged(
    db: Db, questions: Sequence[Filter], *, after: Cursor | None, limit: int
) -> DeliveryPage:
    """One page of what any of the questions asks for; they have no delivery in common."""
    if len(questions) == 1:
        return read_page(db, questions[0], after=after, limit=limit)

    each = [read_page(db, wanted, after=after, limit=limit) for wanted in questions]
    rows = tuple(islice(merge(*(found.rows for found in each), key=_place, reverse=True), limit))
    more = sum(len(found.rows) for found in each) > limit or any(found.next for found in each)

    return DeliveryPage(rows, Cursor(*_place(rows[-1])) if more else None)


def read_all(engine: Engine, questions: Sequence[Filter], *, page: int = 1000) -> Iterator[Row]:
    """All that any of the questions asks for, page by page, each in a transaction of its own.

    Raises StoresUnreachable.
    """
    after: Cursor | None = None

    while True:
        with reachable(engine), engine.connect() as db:
            found = read_merged(db, questions, after=after, limit=page)

        yield from found.rows
        if found.next is None:
            return
        after = found.next


def _place(row: Row) -> tuple[datetime, str]:
    return row["enqueued_at"], row["job"]
