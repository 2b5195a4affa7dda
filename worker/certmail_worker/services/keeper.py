"""The keeper: the one worker process of the fleet that paces, reaps and records.

Another takes over within seconds.

The lease is a convenience, not a safeguard: what the services do is atomic, so that two keepers do
no harm.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

from redis.exceptions import RedisError
from redis.typing import EncodableT, FieldT

from certmail_config.base import redis_keys
from certmail_config.base.errors import CertmailError
from certmail_config.base.redis_errors import refused
from certmail_config.ledger import advertise, keep
from certmail_worker.delivery.context import DeliveryContext
from certmail_worker.google.http import boottime
from certmail_worker.health.progress import ServiceProgress
from certmail_worker.health.server_clock import Sample, believable

log = logging.getLogger(__name__)

LEASE_SECONDS = 3.0
RENEW_SECONDS = 1.0
ADVERTISED_SECONDS = 5.0
RETRY_SECONDS = 1.0

CLOCK_LEAPT = "clock_leapt"

Service = Callable[[], Awaitable[None]]
Failed = Callable[[str, str], Awaitable[None]]
"""Called with the name of a service whose try has failed, and the error's."""


class Keeper:
    """Advertises this worker, and runs the services while it holds the keeper's lease."""

    def __init__(
        self,
        context: DeliveryContext,
        capacity: int,
        services: Mapping[str, Service],
        progress: ServiceProgress,
        *,
        boot: Callable[[], float] = boottime,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._context = context
        self._boot = boot
        self._wall = wall
        self._progress = progress
        self._capacity = capacity
        self._services = services

        self._running: list[asyncio.Task[None]] = []
        self._watch: asyncio.Task[None] | None = None
        self._sample: Sample | None = None
        self._distrusted = False

    @property
    def keeps(self) -> bool:
        """Whether this worker runs the services."""
        return bool(self._running)

    def start(self) -> None:
        """Start; belongs to the running loop."""
        self._watch = asyncio.create_task(self._keep())

    async def quiet(self) -> None:
        """Stop the services, and let another worker have the lease now rather than in seconds."""
        if self._watch is None:
            return

        watch, self._watch = self._watch, None
        await _end([watch])
        await self._dismiss()

        try:
            await self._context.ledger(keep(self._context.worker, seconds=0))
            await self._context.ledger(advertise(self._context.worker, 0, seconds=0))
        except RedisError as error:
            log.warning("keeper_not_given_up", extra={"error": type(error).__name__})

    async def _keep(self) -> None:
        while True:
            try:
                await self._advertise()
                kept = await self._context.ledger(keep(self._context.worker, seconds=LEASE_SECONDS))
                if kept and not self._running:
                    await self._progress.begin(self._services)
                await self._progress.watch(keeper=kept)
            except RedisError as error:
                log.warning("ledger_unreachable", extra=_failure_fields("ledger", error))
                kept = False

            if kept and not self._running:
                log.info("keeper", extra={"worker": self._context.worker})
                self._running = [
                    asyncio.create_task(_run_forever(name, run, self._failed))
                    for name, run in self._services.items()
                ]

            if not kept:
                await self._dismiss()
            await asyncio.sleep(RENEW_SECONDS)

    async def _advertise(self) -> None:
        """Say that this worker lives, and note the time.

        A clock that leapt is taken over only if ours agrees.
        """
        last = self._sample.server if self._sample else None
        call = partial(
            advertise, self._context.worker, self._capacity, seconds=ADVERTISED_SECONDS, last=last
        )
        tick = await self._context.ledger(call())
        sample = Sample(tick.now, self._boot(), self._wall())

        if tick.leapt:
            if not believable(self._sample, sample):
                await self._distrust_clock(sample)
                return
            await self._context.ledger(call(believe=True))

        if self._distrusted or self._sample is None:
            await self._trust_clock()
        self._sample = sample

    async def _distrust_clock(self, sample: Sample) -> None:
        """Say that the server's clock is not believed, in the log and to doctor."""
        message = (
            f"Redis's clock leapt ahead: it shows {_shown(sample.server)}, "
            f"this machine {_shown(sample.wall)}. Nothing is sent."
        )
        remedy = "Set it right; if it is right, restart the workers."
        # Each second, with other figures.
        extra = {"code": CLOCK_LEAPT, "error": message, "remedy": remedy, "alike": CLOCK_LEAPT}
        log.error("pacing_stopped", extra=extra)

        fields: dict[FieldT, EncodableT] = {
            "code": CLOCK_LEAPT,
            "message": message,
            "remedy": remedy,
        }
        await self._context.redis.hset(redis_keys.STOPPED, mapping=fields)
        self._distrusted = True

    async def _trust_clock(self) -> None:
        """Take the distrust back; what stopped pacing for another reason stays."""
        redis = self._context.redis
        if await redis.hget(redis_keys.STOPPED, "code") == CLOCK_LEAPT.encode():
            await redis.delete(redis_keys.STOPPED)
        self._distrusted = False

    async def _failed(self, service: str, why: str) -> None:
        self._context.meters.failures.add(service)
        await self._progress.failed(service, why)

    async def _dismiss(self) -> None:
        running, self._running = self._running, []
        await _end(running)


def _shown(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


async def _run_forever(name: str, run: Service, failed: Failed | None = None) -> None:
    """Run a service again whenever it fails.

    The next try is its only remedy, and the log its only voice.
    """
    while True:
        try:
            await run()
        except Exception as error:  # noqa: BLE001 - whatever it is, pacing and recording must go on
            log.warning("service_failed", extra={"service": name} | _failure_fields(name, error))
            if failed is not None:
                with suppress(RedisError):  # then nobody could read it either
                    await failed(name, type(error).__name__)
        await asyncio.sleep(RETRY_SECONDS)


def _failure_fields(name: str, error: Exception) -> dict[str, str]:
    """The log's fields of a failure.

    `alike` makes it one line a minute for each kind, however often it is tried again.
    """
    if isinstance(error, RedisError):
        error = refused(error) or error
    if isinstance(error, CertmailError):
        return {
            "code": error.code,
            "error": error.message,
            "remedy": error.remedy,
            "alike": f"{name} {error.code}",
        }

    kind = type(error).__name__
    return {"error": f"{kind}: {error}", "alike": f"{name} {kind}"}


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel until all have ended.

    Once is not enough on Python 3.11: its `asyncio.wait_for`, with which redis-py writes every
    command, loses a cancellation that arrives just as the write is done (python/cpython#81839).
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.1)
