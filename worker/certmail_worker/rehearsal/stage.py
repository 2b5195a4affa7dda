"""What a rehearsal runs on: an embedded server and a database that end with it, tenants and mailboxes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.campaigns.reviewers import MAX_IN_PAGE, put_reviewers
from certmail_config.admin.campaigns.running import put_campaign
from certmail_config.base import redis_keys
from certmail_config.base.durability import Durability
from certmail_config.base.ids import ConnectionId
from certmail_config.campaigns.plan import Enrolment
from certmail_config.crypto.sealing import Opener
from certmail_config.intake.intake_guard import IntakeGuard
from certmail_config.intake.known_tenants import KnownTenants
from certmail_config.settings import Settings
from certmail_config.sql.campaigns.campaigns import touch
from certmail_config.stores.capacity import StoreLimits
from certmail_config.tenants.models import GoogleLimits
from certmail_config.tenants.pinning import opened_by
from certmail_config.tenants.sealed_fields import open_from
from certmail_worker.google.tenant_cache import TenantInside
from certmail_worker.planning.intake import PlannedIntake
from certmail_worker.recording.consistency import check

_SENDER: Final = "access-reviews{}@rehearsal.example"
"""The mailboxes that mails seem to come from."""
_KEEP: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class RehearsalStage:
    """Stores with the campaigns in them; tenants and mailboxes as delivery sees them."""

    admin: Admin
    tenants: Mapping[str, TenantInside]
    mailboxes: Mapping[ConnectionId, str]

    def intake(self, now: Callable[[], float]) -> PlannedIntake:
        """What the planner takes mails in by, under the rehearsal's clock."""
        settings, redis = self.admin.settings, self.admin.redis
        durability = Durability.parse(settings.durability)
        limits = StoreLimits(settings.redis_memory_max, settings.events_max)
        return PlannedIntake(
            redis,
            KnownTenants(redis, opened_by(self.admin.vault)),
            IntakeGuard(redis, durability, limits),
            durability=durability,
            keep_seconds=_KEEP.total_seconds(),
            now=now,
            clock=now,
        )


@contextmanager
def rehearsal_stage(
    enrolments: Sequence[Enrolment], begins: datetime, limits: GoogleLimits
) -> Iterator[RehearsalStage]:
    """Open it, with the campaigns put as `certmail campaign run` puts them; it is gone afterwards.

    Raises Refused, WrongUse.
    """
    with rehearsal_stores() as admin:
        made = _furnish(admin, enrolments, limits)
        for each in enrolments:
            put_enrolment(admin, each, begins)
        forget_clock(admin)
        yield made


@contextmanager
def rehearsal_stores() -> Iterator[Admin]:
    """An embedded server and a database with nothing in them; they are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="certmail-rehearse-") as folder:
        settings = Settings(
            data_dir=Path(folder),
            # Nothing of it outlives the rehearsal.
            durability="none",
            vault_keys=(("rehearsal", os.urandom(32)),),
        )
        with open_admin(settings) as admin:
            admin.redis.config_set("appendonly", "no")
            event.listen(admin.engine, "connect", _wait_for_no_disk)
            admin.engine.dispose()
            check(admin.redis, admin.engine)
            yield admin


def forget_clock(admin: Admin) -> None:
    """Let it be the rehearsal's time from here on, which may be an earlier one than the machine's."""
    admin.redis.delete(redis_keys.CLOCK)


def _wait_for_no_disk(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.execute("PRAGMA secure_delete=OFF")
    cursor.close()


def _furnish(admin: Admin, enrolments: Sequence[Enrolment], limits: GoogleLimits) -> RehearsalStage:
    """Make the tenants, and the mailboxes that the campaigns name."""
    tenants: dict[str, TenantInside] = {}
    mailboxes: dict[ConnectionId, str] = {}
    named = dict.fromkeys((each.campaign.tenant, each.campaign.connection) for each in enrolments)

    for tenant in dict.fromkeys(each.campaign.tenant for each in enrolments):
        made, _ = admin.add_tenant(tenant)
        opener = Opener(open_from(admin.vault, made.private_key, tenant, "private_key"))
        tenants[tenant] = TenantInside(opener, made.organisation)

    for number, (tenant, name) in enumerate(named, 1):
        mailbox = _SENDER.format("" if number == 1 else f"-{number}")
        pending = admin.add_customer_owned_app(
            tenant,
            name,
            service_account="rehearsal@rehearsal.iam.gserviceaccount.com",
            mailbox=mailbox,
            limits=limits,
            valid_days=1,
        )
        mailboxes[admin.save(pending.working(key_id="rehearsal")).id] = mailbox

    return RehearsalStage(admin, tenants, mailboxes)


def put_enrolment(admin: Admin, enrolment: Enrolment, now: datetime) -> None:
    """Put a campaign and its reviewers, to be planned from a time on and not when it was typed.

    Raises Refused, WrongUse.
    """
    campaign, reviewers = enrolment.campaign, enrolment.reviewers
    put_campaign(admin, campaign)
    for start in range(0, len(reviewers), MAX_IN_PAGE):
        put_reviewers(admin, campaign.tenant, campaign.id, reviewers[start : start + MAX_IN_PAGE])

    with admin.db() as db:
        touch(db, campaign.tenant, campaign.id, now.astimezone(UTC))
