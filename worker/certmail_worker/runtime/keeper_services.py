"""What the keeper runs beside everybody's deliveries: each service by its name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from redis.asyncio import Redis
from sqlalchemy import Engine

from certmail_config.admin.admin import Admin
from certmail_config.base.ids import JobId
from certmail_config.settings import Settings
from certmail_config.status.stalls import STANDSTILL_SECONDS
from certmail_config.stores.capacity import StoreLimits
from certmail_worker.delivery.context import DeliveryContext
from certmail_worker.health.progress import ServiceProgress
from certmail_worker.recording.recorder import record
from certmail_worker.services.caretaker import care_for_connections
from certmail_worker.services.keeper import Service
from certmail_worker.services.pacer import pace
from certmail_worker.services.planner import MAX_SECONDS as PLANS_SECONDS
from certmail_worker.services.planner import plan_campaigns
from certmail_worker.services.reaper import sweep
from certmail_worker.services.retention import MAX_SECONDS, PAUSE_SECONDS, forget_in_time
from certmail_worker.services.sampler import MAX_REST_SECONDS, sample_lanes
from certmail_worker.uncertain.verifier import verify
from certmail_worker.webhooks.sender import send_webhooks


def keeper_services(
    context: DeliveryContext,
    admin: Admin,
    redis: Redis,
    engine: Engine,
    settings: Settings,
    progress: ServiceProgress,
    *,
    ring: Callable[[Sequence[JobId]], Awaitable[None]],
    check_server: Callable[[], bool],
) -> Mapping[str, Service]:
    """All of them; `ring` rings doorbells, `check_server` checks a server that was started anew."""
    limits = StoreLimits(settings.redis_memory_max, settings.events_max)
    of, meters = progress.of, context.meters
    # How long after its last step each may be silent, where that is not the usual.
    cares = settings.care_seconds + STANDSTILL_SECONDS
    forgets = PAUSE_SECONDS + MAX_SECONDS
    samples = MAX_REST_SECONDS + STANDSTILL_SECONDS

    # fmt: off
    return {
        "pacer":     partial(pace, context, ring, check_server, limits, of("pacer")),
        "reaper":    partial(sweep, context, of("reaper")),
        "verifier":  partial(verify, context, of("verifier")),
        "recorder":  partial(record, redis, context.directory, engine, of("recorder"), meters),
        "caretaker": partial(care_for_connections, context, admin, of("caretaker", within=cares)),
        "retention": partial(forget_in_time, admin, of("retention", within=forgets)),
        "planner":   partial(plan_campaigns, admin, of("planner", within=PLANS_SECONDS)),
        "sampler":   partial(sample_lanes, context, settings.metrics_tenants, of("sampler", within=samples)),
        "webhooks":  partial(send_webhooks, admin, meters, of("webhooks")),
    }
    # fmt: on
