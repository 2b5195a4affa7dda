"""A worker's health: asked of it over HTTP, and told by it to the service manager.

Its parts judge: liveness.py, readiness.py. What is asked over HTTP is answered on the listener's
thread, whatever the worker's loop does.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Coroutine
from typing import Any, Final

from redis.asyncio import Redis

from certmail_config.process.listener import Handler, Page
from certmail_config.process.notices import Notices
from certmail_config.process.release import Release
from certmail_config.process.service_manager import ServiceManager
from certmail_worker.health.heartbeat import BLOCKED_SECONDS, Heartbeat
from certmail_worker.health.liveness import Liveness
from certmail_worker.health.readiness import OK, REDIS_SECONDS, WorkerReadiness, look

log = logging.getLogger(__name__)

FRESH_SECONDS: Final = 1.0
"""How old an answer may be: whoever asks more often costs Redis nothing."""
ANSWER_SECONDS: Final = REDIS_SECONDS + 1
"""How long the worker's loop may take to answer the listener's."""


class WorkerHealth:
    """One worker process's; starts and ends on its loop."""

    def __init__(
        self,
        release: Release,
        manager: ServiceManager,
        *,
        blocked_seconds: float = BLOCKED_SECONDS,
    ) -> None:
        self.loop_beat = Heartbeat(blocked_seconds=blocked_seconds)
        self.queue_beat = Heartbeat()
        self._release = release
        self._liveness = Liveness(self.loop_beat, self.queue_beat, self._redis_answers)
        self._notices = Notices(manager, self._why_not_ready, self._why_not_alive)

        self._state = "starts"
        self._known: tuple[float, WorkerReadiness] | None = None
        self._turn = asyncio.Lock()
        self._beating: asyncio.Task[None] | None = None

    @property
    def pages(self) -> dict[str, Handler]:
        """What the listener serves of it."""
        return {"/healthz": self._healthz, "/readyz": self._readyz}

    async def start(self, redis: Redis) -> None:
        """Begin to beat, and to tell the service manager."""
        self._redis = redis
        self._loop = asyncio.get_running_loop()
        self._beating = asyncio.create_task(self.loop_beat.keep())
        self._notices.start()

    def consumes(self) -> None:
        """Celery reads the queue from now on; called on its thread."""
        self.queue_beat.beat()
        self._state = OK

    def quiet(self) -> None:
        """The worker takes nothing new: it ends when what is under way has ended."""
        self._state = "stops"
        self._known = None
        self._liveness.stops()
        self._notices.stops()

    async def stop(self) -> None:
        """Beat no more."""
        await self._notices.end()
        if self._beating is not None:
            self._beating.cancel()

    async def look(self) -> WorkerReadiness:
        """Look whether this worker can deliver, unless somebody just has; on the worker's loop."""
        async with self._turn:
            now = self._loop.time()
            if self._known is None or now > self._known[0] + FRESH_SECONDS:
                queue = OK if self._liveness.queue_is_read else "not read just now"
                self._known = now, await look(self._redis, life=self._state, queue=queue)
            return self._known[1]

    async def _redis_answers(self) -> bool:
        found = await self._from_the_workers_loop(self.look())
        return found is not None and found.checks.get("redis") == OK

    async def _from_the_workers_loop(
        self, what: Coroutine[Any, Any, WorkerReadiness]
    ) -> WorkerReadiness | None:
        """What the worker's loop answers, wherever it is asked; None if it does not in time."""
        if asyncio.get_running_loop() is self._loop:
            return await what

        asked = asyncio.run_coroutine_threadsafe(what, self._loop)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(asked), ANSWER_SECONDS)
        except TimeoutError:
            return None

    async def _why_not_ready(self) -> str | None:
        found = await self.look()
        return None if found.ready else found.sentence

    async def _why_not_alive(self) -> str | None:
        why = await self._liveness.why_not()
        if why is not None:
            log.error("not_alive", extra={"error": why})
        return why

    async def _healthz(self) -> Page:
        """Whether the process does its work at all; 503 where it had better be started again."""
        why = await self._why_not_alive()
        return _page({"ok": True}, 200) if why is None else _page({"ok": False, "why": why}, 503)

    async def _readyz(self) -> Page:
        """Whether this worker can deliver, and what else is missing; 503 if it cannot."""
        found = await self._from_the_workers_loop(self.look())
        if found is None:
            late = f"has not answered for {self.loop_beat.age:.0f} s"
            found = WorkerReadiness(ready=False, checks={"worker": self._state, "loop": late})

        said = {"ready": found.ready, "version": self._release.version}
        return _page(
            said | {"revision": self._release.revision, "checks": found.checks},
            200 if found.ready else 503,
        )


def _page(said: dict[str, object], status: int) -> Page:
    return Page(json.dumps(said).encode(), status)
