"""Tells every open stream of what has changed, by one look at the record a second for all.

Nobody asks while nobody listens. A stream that does not take what it is told is not waited for: it
hears once that everything may have changed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from redis.exceptions import RedisError
from sqlalchemy import Connection as Db
from sqlalchemy import select, tuple_

from certmail_config.admin.admin import Admin
from certmail_config.base.errors import CertmailError
from certmail_config.sql import tables
from certmail_config.sql.changes import BEGINNING, StreamPosition

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 1.0
MAX_STREAMS: Final = 200
"""So many streams of one gateway are open at once; who comes later has a page that stays as it is."""
MAX_OF_VISIT: Final = 10
"""And so many of one visit: the windows of one person."""
NAMED: Final = 20
"""Of more tenants than so many at once it is said that all may have changed."""
LOOKED_AT: Final = 1_000
"""So many events are looked at for whose they are."""
EVERYTHING: Final = frozenset({"*"})

Standing = Callable[[list[str]], set[str]]
"""Gives those of these visits (by what their cookies hold) that are not over. Blocks."""


@dataclass(eq=False, slots=True)
class LiveStream:
    """One browser that listens: what it has not been told yet, and whether it is to end."""

    secret: str
    news: set[str] = field(default_factory=set)
    ended: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, tenants: frozenset[str]) -> None:
        """Add to what it is to be told."""
        self.news |= tenants
        if len(self.news) > NAMED:
            self.news = set(EVERYTHING)
        self.woken.set()

    def end(self) -> None:
        """Let it end."""
        self.ended = True
        self.woken.set()

    def take(self) -> set[str]:
        """What it is to be told now."""
        taken, self.news = self.news, set()
        self.woken.clear()
        return taken


class LiveHub:
    """All open streams of one gateway; belongs to one event loop."""

    def __init__(
        self, admin: Admin, standing: Standing, *, poll_seconds: float = POLL_SECONDS
    ) -> None:
        self._admin = admin
        self._standing = standing
        self._seconds = poll_seconds
        self._streams: set[LiveStream] = set()
        self._polling: asyncio.Task[None] | None = None
        self.polls = 0

    @property
    def open_streams(self) -> int:
        """How many there are."""
        return len(self._streams)

    def enter(self, secret: str) -> LiveStream | None:
        """A stream for a visit; None where there are too many already."""
        of_visit = sum(each.secret == secret for each in self._streams)
        if len(self._streams) >= MAX_STREAMS or of_visit >= MAX_OF_VISIT:
            return None

        stream = LiveStream(secret)
        self._streams.add(stream)
        if self._polling is None:
            self._polling = asyncio.create_task(self._poll())
        return stream

    def leave(self, stream: LiveStream) -> None:
        """Forget a stream; without any, nothing is asked."""
        self._streams.discard(stream)
        if not self._streams and self._polling is not None:
            self._polling.cancel()
            self._polling = None

    async def close(self) -> None:
        """End all of them: the gateway stops."""
        polling, self._polling = self._polling, None
        for stream in self._streams:
            stream.end()
        if polling is not None:
            polling.cancel()
            with suppress(asyncio.CancelledError):
                await polling

    async def _poll(self) -> None:
        position: StreamPosition | None = None

        while True:
            try:
                position, changed = await asyncio.to_thread(self._look, position)
                asked = {stream.secret for stream in self._streams}
                over = asked - await asyncio.to_thread(self._standing, list(asked))
            except (CertmailError, RedisError) as error:
                # The pages say what is wrong; the streams stay for when it is over.
                log.info("live_pages_wait", extra={"error": type(error).__name__})
            else:
                self._tell(changed, over)
            self.polls += 1
            await asyncio.sleep(self._seconds)

    def _tell(self, changed: frozenset[str], over: set[str]) -> None:
        for stream in self._streams:
            if stream.secret in over:
                stream.end()
            elif changed:
                stream.tell(changed)

    def _look(self, after: StreamPosition | None) -> tuple[StreamPosition, frozenset[str]]:
        """Where the record is, and whose reminders have changed since it was somewhere else."""
        with self._admin.db() as db:
            newest = _newest(db)
            if after is None or newest <= after:
                return max(newest, after or BEGINNING), frozenset()
            return newest, _changed(db, after)


def _newest(db: Db) -> StreamPosition:
    events = tables.events.c
    query = select(events.stream_ms, events.stream_n)
    row = db.execute(query.order_by(events.stream_ms.desc(), events.stream_n.desc()).limit(1))
    found = row.one_or_none()
    return StreamPosition(found.stream_ms, found.stream_n) if found is not None else BEGINNING


def _changed(db: Db, after: StreamPosition) -> frozenset[str]:
    """The tenants of what was recorded behind a place; of much, that all may have changed."""
    events = tables.events.c
    place = (events.stream_ms, events.stream_n)
    query = select(events.tenant).where(tuple_(*place) > tuple_(*after)).order_by(*place)
    found = db.execute(query.limit(LOOKED_AT)).scalars().all()
    tenants = set(found)
    if len(found) == LOOKED_AT or len(tenants) > NAMED or None in tenants:
        return EVERYTHING
    return frozenset(tenant for tenant in tenants if tenant is not None)
