"""The planner, one of the keeper's services: campaigns that run are planned when they are due.

It looks by due time, some reviewers of a tenant at a time, in a thread: others send meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

from certmail_config.admin.admin import Admin
from certmail_config.base.durability import Durability
from certmail_config.intake.intake_guard import IntakeGuard
from certmail_config.intake.known_tenants import KnownTenants
from certmail_config.stores.capacity import StoreLimits
from certmail_config.tenants.pinning import opened_by
from certmail_worker.health.progress import NoteProgress, no_notes
from certmail_worker.planning.intake import PlannedIntake
from certmail_worker.planning.turn import TenantPlanned, due_tenants, plan_slice

log = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 2.0
REST: Final = 10.0
"""So many times as long as the last of a tenant's reviewers took none is planned again.

Who has a hundred thousand reviewers hears of progress all the time. Whoever is done gets nothing
more meanwhile all the same: begin sees to that.
"""
MAX_REST_SECONDS: Final = 300.0
"""But no longer than this."""
MAX_SECONDS: Final = 600.0
"""How long some of a tenant's reviewers may take."""
_DAY: Final = 86_400.0


async def plan_campaigns(admin: Admin, note_progress: NoteProgress = no_notes) -> None:
    """Plan until cancelled; raises StoresUnreachable, RedisError."""
    intake = planned_intake(admin)
    now = partial(datetime.now, UTC)

    resting: dict[str, float] = {}

    while True:
        due = await asyncio.to_thread(due_tenants, admin, now())
        began = time.monotonic()
        resting = {tenant: until for tenant, until in resting.items() if until > began}
        awake = [tenant for tenant in due if tenant not in resting]

        for tenant in awake:
            began = time.monotonic()
            planned = await asyncio.to_thread(plan_slice, admin, intake, tenant, due[tenant], now)
            ended = time.monotonic()
            if not planned.more:
                resting[tenant] = ended + min(REST * (ended - began), MAX_REST_SECONDS)
            say(planned)
            await note_progress()

        await note_progress()
        if not awake:
            await asyncio.sleep(PAUSE_SECONDS)


def planned_intake(
    admin: Admin, *, now: Callable[[], float] = time.time, clock: Callable[[], float] | None = None
) -> PlannedIntake:
    """What takes planned mails in, as the settings have it."""
    settings = admin.settings
    durability = Durability.parse(settings.durability)
    limits = StoreLimits(settings.redis_memory_max, settings.events_max)
    return PlannedIntake(
        admin.redis,
        KnownTenants(admin.redis, opened_by(admin.vault)),
        IntakeGuard(admin.redis, durability, limits),
        durability=durability,
        keep_seconds=settings.dedupe_days * _DAY,
        now=now,
        clock=clock,
    )


def say(planned: TenantPlanned) -> None:
    """Say what became of a tenant's campaigns; of one that fails again, nothing new."""
    if planned.enqueued or planned.withdrawn:
        log.info(
            "campaigns_planned",
            extra={
                "tenant": planned.tenant,
                "enqueued": planned.enqueued,
                "withdrawn": planned.withdrawn,
            },
        )
    for campaign, why in planned.failed.items():
        code, _, words = why.partition(": ")
        log.warning(
            "campaign_not_planned",
            extra={
                "tenant": planned.tenant,
                "campaign": campaign,
                "code": code,
                "error": words or why,
                "alike": f"{planned.tenant} {campaign} {code}",
            },
        )
