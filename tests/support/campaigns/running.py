"""A campaign as it runs, on real stores, under a clock that runs ahead: planned, sent, recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import uuid4

from redis import Redis
from sqlalchemy import select

from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_config.base.durability import Durability
from certmail_config.base.ids import JobId
from certmail_config.campaigns.applying.identity import BY_HAND
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.campaigns.running.states import CampaignState, MomentState
from certmail_config.crypto.sealing import Opener
from certmail_config.intake.intake_guard import IntakeGuard
from certmail_config.intake.known_tenants import KnownTenants
from certmail_config.jobs.contract import read_payload
from certmail_config.jobs.reminder import Reminder
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import (
    Begun,
    Claimed,
    Job,
    Settlement,
    advertise,
    begin,
    claim,
    dispatch,
    reap,
    run,
    settle,
)
from certmail_config.ledger.unwanted.marks import CampaignMark, ReviewerMark, UnwantedMarks
from certmail_config.sql import registry, tables
from certmail_config.sql.campaigns import campaigns, reviewers
from certmail_config.sql.campaigns.moments import (
    KeptMoment,
    MomentId,
    load_moments,
    write_moments,
)
from certmail_config.sql.campaigns.seals import ReviewerSeals
from certmail_config.stores.capacity import StoreLimits
from certmail_config.tenants.models import GoogleLimits
from certmail_config.tenants.sealed_fields import open_from
from certmail_worker.planning.intake import PlannedIntake
from certmail_worker.planning.turn import TenantPlanned, due_tenants, plan_tenant
from certmail_worker.recording.decoding import read_event
from certmail_worker.recording.writer import read_cursor, write

LEASE_SECONDS: Final = 20.0
WORKER: Final = "w"
_WAKING: Final = range(7, 19)
"""Hours of UTC."""
FAST: Final = GoogleLimits(
    units_per_minute=10_000_000,
    in_flight=200,
    per_day=10_000_000,
    project_units_per_minute=100_000_000,
    project_units_per_day=1_000_000_000,
)


class Delivered(NamedTuple):
    """One mail that Gmail accepted."""

    at: datetime
    reminder: Reminder


class RunningCampaigns:
    """One tenant's campaigns; `now` is moved by the test, and everybody believes it."""

    def __init__(self, admin: Admin, now: datetime, tenant: str = "acme") -> None:
        self.admin, self.tenant = admin, tenant
        self.redis: Redis = admin.redis
        self.delivered: list[Delivered] = []
        self.enqueued: dict[str, Reminder] = {}
        self.answer: Callable[[Reminder], AttemptOutcome] = lambda _: AttemptOutcome.ACCEPTED
        self.while_under_way: Callable[[Reminder], None] = lambda _: None

        admin.add_tenant(tenant)
        made = admin.add_customer_owned_app(
            tenant,
            "default",
            service_account=f"sa@{tenant}.iam.gserviceaccount.com",
            mailbox=f"reviews@{tenant}.example",
            limits=FAST,
            valid_days=30,
        )
        admin.save(made.working(key_id="key"))
        with admin.db() as db:
            found = registry.get_tenant(db, tenant)
        self.seals = ReviewerSeals(found, admin.vault)
        self._opener = Opener(open_from(admin.vault, found.private_key, tenant, "private_key"))
        self.marks = UnwantedMarks(self.redis, tenant, found.salt)
        self.intake = self.an_intake(admin)
        self.move_to(now)

    def an_intake(self, admin: Admin) -> PlannedIntake:
        """What a planner takes mails in by."""
        durability = Durability.parse("none")
        return PlannedIntake(
            admin.redis,
            KnownTenants(admin.redis, None),
            IntakeGuard(admin.redis, durability, StoreLimits()),
            durability=durability,
            keep_seconds=90 * 86400,
            now=self.seconds,
            clock=self.seconds,
        )

    def seconds(self) -> float:
        """What time it is, since 1970."""
        return self.now.timestamp()

    # What people do.

    def put(self, campaign: Campaign, people: Iterable[Reviewer]) -> None:
        with self.admin.db() as db:
            campaigns.add_campaign(db, campaign, self.now)
            reviewers.write_page(db, self.seals, campaign.id, list(people))

    def change(self, campaign: Campaign) -> None:
        with self.admin.db() as db:
            campaigns.change_campaign(db, campaign, self.now)

    def complete(self, campaign: str, reviewer: str) -> None:
        """As the API does: SQL first, then the mark."""
        self.progress(campaign, reviewer, pending=0)
        self.marks.set_reviewer(campaign, reviewer, ReviewerMark.COMPLETE)

    def progress(self, campaign: str, reviewer: str, *, pending: int) -> None:
        with self.admin.db() as db:
            campaigns.touch(db, self.tenant, campaign, self.now)
            table = tables.campaign_reviewers
            where = (table.c.campaign == campaign) & (table.c.id == reviewer)
            db.execute(table.update().where(where).values(pending=pending))

    def remove(self, campaign: str, reviewer: str) -> None:
        """As the API does where a list has them no more."""
        with self.admin.db() as db:
            reviewers.remove_reviewers(db, self.tenant, campaign, [reviewer])
            campaigns.touch_some(db, self.tenant, campaign, self.now)
        self.marks.set_reviewer(campaign, reviewer, ReviewerMark.WITHDRAWN)

    def ask_by_hand(self, campaign: str, reviewer: str) -> None:
        """As `certmail campaign remind` does."""
        asked = KeptMoment(
            MomentId(reviewer, BY_HAND, 1),
            self.now,
            "reminder",
            digest="",
            generation=0,
            job=None,
            state=MomentState.PLANNED,
        )
        with self.admin.db() as db:
            campaigns.touch(db, self.tenant, campaign, self.now)
            write_moments(db, self.tenant, campaign, [asked])

    def set_state(self, campaign: str, state: CampaignState) -> None:
        with self.admin.db() as db:
            campaigns.set_state(db, self.tenant, campaign, state, self.now)
        marks = {
            CampaignState.RUNNING: None,
            CampaignState.PAUSED: CampaignMark.PAUSED,
            CampaignState.STOPPED: CampaignMark.STOPPED,
        }
        self.marks.set_campaign(campaign, marks[state])

    # What happens by itself.

    def move_to(self, now: datetime) -> None:
        self.now = now.astimezone(UTC)
        seconds = self.now.timestamp()
        run(self.redis, advertise(WORKER, 1000, seconds=3600, believe=True, clock=seconds))

    def pass_time(self, until: datetime, step: timedelta = timedelta(hours=1)) -> None:
        """Let it run: each step planned, sent and recorded."""
        while self.now < until:
            following = self.now + step
            if following.hour not in _WAKING:  # nothing happens at night
                following += timedelta(days=following.hour > max(_WAKING))
                following = following.replace(hour=min(_WAKING), minute=0)
            self.move_to(min(following, until))
            self.plan()
            self.work()
            self.record()

    def plan(self) -> list[TenantPlanned]:
        """One turn of the planner."""
        return [
            plan_tenant(self.admin, self.intake, tenant, due, lambda: self.now)
            for tenant, due in due_tenants(self.admin, self.now).items()
        ]

    def work(self) -> None:
        """Send whatever may leave now."""
        seconds = self.now.timestamp()
        while True:
            reaped = run(self.redis, reap(500, clock=seconds)).moved
            rung = run(self.redis, dispatch(1000, clock=seconds)).jobs
            for job in rung:
                self._deliver(job, seconds)
            if not rung and not reaped:
                return

    def _deliver(self, id_: JobId, seconds: float) -> None:
        claiming = claim(
            id_, worker=WORKER, nonce=uuid4().hex, lease_seconds=LEASE_SECONDS, clock=seconds
        )
        claimed = run(self.redis, claiming)
        if not isinstance(claimed, Claimed):
            return
        reminder = self._read(claimed.job)
        begun = run(self.redis, begin(claimed.job, lease_seconds=LEASE_SECONDS, clock=seconds))
        if not isinstance(begun, Begun):
            return

        self.while_under_way(reminder)
        outcome = self.answer(reminder)
        if outcome is AttemptOutcome.ACCEPTED:
            self.delivered.append(Delivered(self.now, reminder))
        states = {
            AttemptOutcome.ACCEPTED: State.ACCEPTED,
            AttemptOutcome.UNKNOWN: State.UNCERTAIN,
            AttemptOutcome.REJECTED: State.FAILED,
            AttemptOutcome.NOT_SENT: State.READY,
        }
        detail = json.dumps(
            {"outcome": outcome, "ended_at": self.now.isoformat(timespec="milliseconds")}
        )
        then = Settlement(outcome, states[outcome], f"was {outcome}")
        run(self.redis, settle(id_, begun.attempt, then, detail=detail, clock=seconds))

    def _read(self, job: Job) -> Reminder:
        return read_payload(self._opener.open(job.body, tenant=job.tenant, job=job.id))

    def record(self) -> None:
        """As the recorder does."""
        cursor = read_cursor(self.admin.engine)
        entries: Any = self.redis.xrange(redis_keys.EVENTS, f"({cursor}")
        events = [read_event(id_.decode(), fields) for id_, fields in entries]
        if events:
            write(self.admin.engine, cursor, events)

    # What there is.

    def moments(self, campaign: str) -> list[KeptMoment]:
        with self.admin.db() as db:
            return list(load_moments(db, self.tenant, campaign).values())

    def states(self) -> dict[str, str]:
        """The state of each job, as the record has it."""
        with self.admin.db() as db:
            table = tables.deliveries
            rows = db.execute(select(table.c.job, table.c.state))
            return {row.job: row.state for row in rows}

    def waiting(self) -> list[tuple[str, Reminder]]:
        """What waits in the ledger, by job."""
        jobs: Any = self.redis.zrange(redis_keys.DUE, 0, -1)
        found = []
        for job in jobs:
            body: Any = self.redis.get(redis_keys.BODY + job.decode())
            opened = self._opener.open(body, tenant=self.tenant, job=job.decode())
            kept: Any = self.redis.hgetall(redis_keys.JOB + job.decode())
            times = {
                name: datetime.fromtimestamp(int(kept[name.encode()]) / 1000, UTC)
                for name in ("send_at", "expires_at")
                if kept[name.encode()]
            }
            found.append((job.decode(), read_payload(opened).model_copy(update=times)))
        return found
