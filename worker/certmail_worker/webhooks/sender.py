"""The sender, one of the keeper's services: posts what waits in the outbox.

Each endpoint has its own queue and its own few places, so that none waits for another; a message
that fails comes again in its time, and lets those behind it pass. Two senders do no harm: what one
has taken, the other finds taken. What is under way when a sender ends comes again: at least once.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from certmail_config.admin.admin import Admin
from certmail_config.crypto.vault import Vault
from certmail_config.metrics.instruments import WorkerMeters
from certmail_config.webhooks.posting import Came, Poster, poster
from certmail_config.webhooks.schedule import wait_before
from certmail_config.webhooks.signing import sign
from certmail_worker.health.progress import NoteProgress, no_notes
from certmail_worker.webhooks.queue import HELD_SECONDS, Turn, Work, take_turn, write_tried
from certmail_worker.webhooks.verdict import Tried, Waits

log = logging.getLogger(__name__)

MAX_UNDER_WAY: Final = 200
"""Messages under way to all endpoints together: each is a connection and some kilobytes."""
PAUSE_SECONDS: Final = 1.0
"""Between two looks at a queue in which nothing was due."""
IDLE_SECONDS: Final = 10.0
"""The same where there is no endpoint."""
GATHER_SECONDS: Final = 0.02
"""What ends within this is written together."""
RETRY_SECONDS: Final = 1.0


async def send_webhooks(
    admin: Admin, meters: WorkerMeters | None = None, note_progress: NoteProgress = no_notes
) -> None:
    """Send until cancelled; raises SQLAlchemyError, RedisError, SettingsError."""
    settings = admin.settings
    async with poster(settings.webhooks_allowed, settings.webhook_ca_file) as posts:
        await WebhookSender(admin.engine, admin.vault, posts, meters or WorkerMeters()).run(
            note_progress
        )


@dataclass(slots=True)
class WebhookSender:
    """Takes, sends and writes; belongs to the running loop."""

    engine: Engine
    vault: Vault
    posts: Poster
    meters: WorkerMeters
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    random: Callable[[], float] = random.random
    waits: Waits = wait_before
    pause_seconds: float = PAUSE_SECONDS
    held_seconds: float = HELD_SECONDS
    _under_way: dict[asyncio.Task[Tried], str] = field(default_factory=dict)
    _tried: list[Tried] = field(default_factory=list)

    async def run(self, note_progress: NoteProgress = no_notes) -> None:
        """Send until cancelled; raises SQLAlchemyError, RedisError."""
        turn = Turn([])
        try:
            while True:
                await self._write()
                turn = await self._take(turn.after)
                await note_progress()
                if not turn.work and not turn.after:
                    await self._wait(IDLE_SECONDS if turn.idle else self.pause_seconds)
                elif len(self._under_way) >= MAX_UNDER_WAY:
                    await self._wait(self.pause_seconds)
        finally:
            for task in self._under_way:
                task.cancel()

    async def _take(self, after: str) -> Turn:
        """Take what there is room for, and send it off."""
        turn = await asyncio.to_thread(
            take_turn,
            self.engine,
            self.vault,
            self.now(),
            after=after,
            room=MAX_UNDER_WAY - len(self._under_way),
            under_way=Counter(self._under_way.values()),
            held_seconds=self.held_seconds,
        )
        for work in turn.work:
            self._under_way[asyncio.create_task(self._send(work))] = work.taken.endpoint
        return turn

    async def _send(self, work: Work) -> Tried:
        taken, now = work.taken, self.now()
        headers = sign(work.secrets, taken.id, int(now.timestamp()), taken.body)
        came = await self.posts.post(work.url, headers, taken.body)
        self.meters.webhook_posts.add(outcome_of(came))
        self.meters.webhook_seconds.note(came.seconds)
        return Tried(taken, came, self.now(), work.url)

    async def _wait(self, seconds: float) -> None:
        """Until something under way has ended, or so long."""
        if not self._under_way:
            await asyncio.sleep(seconds)
            return
        await asyncio.wait(self._under_way, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(GATHER_SECONDS)

    async def _write(self) -> None:
        """Write what has ended; while the database is away it is kept, and takes up its place."""
        done = [task for task in self._under_way if task.done()]
        self._tried += [task.result() for task in done]
        waited = time.monotonic()

        while self._tried:
            try:
                await asyncio.to_thread(
                    write_tried, self.engine, self._tried, self.random, self.waits
                )
                self._tried = []
            except SQLAlchemyError as error:
                extra = {"error": type(error).__name__, "alike": "webhooks_wait"}
                log.warning("webhooks_wait", extra=extra)
                if time.monotonic() > waited + _GIVE_UP_SECONDS:
                    raise
                await asyncio.sleep(RETRY_SECONDS)

        for task in done:
            del self._under_way[task]


_GIVE_UP_SECONDS: Final = 30.0
"""What could not be written for so long is sent again: others may have taken it by then."""


def outcome_of(came: Came) -> str:
    """What came of an attempt, for the count."""
    if came.taken:
        return "taken"
    if came.refused:
        return "address_refused"
    return "answered" if came.status is not None else "no_answer"
