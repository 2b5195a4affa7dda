"""A rehearsal from its first look to its last: the clock steps to whatever comes next.

Each step is what the services of a worker do: plan the campaigns that are due, reap, pace, deliver,
record. Between two steps nothing happens; where only a mailbox's pace is waited for, nobody but the
pacer has anything to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused
from certmail_config.base.ids import JobId
from certmail_config.campaigns.applying.identity import Identity
from certmail_config.campaigns.applying.mails import identities_of
from certmail_config.campaigns.plan import Enrolment, Moment, Plan, make_plan, versions
from certmail_config.ledger import Call, advertise, dispatch, reap, run, run_many
from certmail_config.sql import registry
from certmail_config.sql.campaigns.campaigns import running_of_tenant
from certmail_config.sql.campaigns.planning import earliest_plan, load_enrolment
from certmail_config.sql.campaigns.seals import ReviewerSeals
from certmail_worker.planning.turn import due_tenants, plan_tenant
from certmail_worker.recording.decoding import read_event
from certmail_worker.recording.writer import read_cursor, write
from certmail_worker.rehearsal.batches import WORKER
from certmail_worker.rehearsal.stage import RehearsalStage
from certmail_worker.rehearsal.upstream import Upstream

CAPACITY: Final = 1000
_SHORTEST: Final = timedelta(milliseconds=50)
_ALIVE: Final = timedelta(days=1)
_BELIEVED: Final = timedelta(seconds=30)
"""So far the ledger lets its clock be moved without a word; twice as far it would not."""
_EVENTS: Final = 5000
Tell = Callable[[datetime], None]
"""What time it has become."""


class Outlet(Protocol):
    """Where mails go."""

    def deliver(self, jobs: Sequence[JobId], now: datetime) -> None:
        """Deliver what a pacer has let go, to its settled end; raises RedisError."""
        ...


class RunThrough:
    """One rehearsal under way; `reasons` are the planned mails of each tenant, as last planned."""

    def __init__(
        self, stage: RehearsalStage, outlet: Outlet, begins: datetime, upstream: Upstream
    ) -> None:
        self.now = begins.astimezone(UTC)
        self.reasons: dict[tuple[str, Identity], Moment] = {}
        self._admin = stage.admin
        self._outlet = outlet
        self._upstream = upstream
        self._intake = stage.intake(self._seconds)
        self._cursor = read_cursor(self._admin.engine)
        self._advertised: datetime | None = None
        self._plan_at: datetime | None = self.now
        self._pace_at: datetime | None = self.now

    def play(self, tell: Tell) -> None:
        """Go on until nothing more is to come; raises Refused for a campaign that cannot be planned."""
        while True:
            self._look()
            tell(self.now)
            following = self._next_look()
            if following is None:
                return
            self.now = max(following, self.now + _SHORTEST)

    def plan(self, tenant: str) -> Plan:
        """The plan of a tenant's campaigns as it is now."""
        with self._admin.db() as db:
            seals = ReviewerSeals(registry.get_tenant(db, tenant), self._admin.vault)
            enrolments: Sequence[Enrolment] = [
                load_enrolment(db, seals, each) for each in running_of_tenant(db, tenant)
            ]
        return make_plan(enrolments, self.now, versions(""))

    def _seconds(self) -> float:
        return self.now.timestamp()

    def _look(self) -> None:
        self._advertise()
        if self._upstream.tell(self.now):
            self._plan_at = self._earliest_plan()
        if self._plan_at is not None and self._plan_at <= self.now:
            self._plan()
            self._plan_at = self._earliest_plan()
        self._send()
        if self._pace_at is None:
            self._record()

    def _advertise(self) -> None:
        if self._advertised is not None and self.now <= self._advertised + _BELIEVED:
            return
        seconds, clock = _ALIVE.total_seconds(), self._seconds()
        run(
            self._admin.redis,
            advertise(WORKER, CAPACITY, seconds=seconds, believe=True, clock=clock),
        )
        self._advertised = self.now

    def _plan(self) -> None:
        self._record()
        for tenant, due in due_tenants(self._admin, self.now).items():
            planned = plan_tenant(self._admin, self._intake, tenant, due, lambda: self.now)
            for campaign, why in planned.failed.items():
                code, colon, words = why.partition(": ")
                raise Refused(
                    code if colon else "campaign_unplannable",
                    f"The campaign {campaign!r} cannot be planned: {words if colon else why}.",
                )

            self.reasons |= {
                (tenant, one): each for each in planned.moments for one in identities_of(each)
            }

    def _earliest_plan(self) -> datetime | None:
        with self._admin.db() as db:
            return earliest_plan(db)

    def _send(self) -> None:
        self._pace_at = None
        clock = self._seconds()
        while True:
            calls: list[Call[Any]] = [reap(CAPACITY, clock=clock), dispatch(CAPACITY, clock=clock)]
            [reaped, step], _ = run_many(self._admin.redis, calls)
            if step.jobs:
                self._outlet.deliver(step.jobs, self.now)
            if step.next_in is not None:
                self._pace_at = self.now + timedelta(seconds=step.next_in)
            # Of what waits for a time, the next look is at that time.
            more = step.jobs and not step.next_in
            if not more and len(reaped.moved) < CAPACITY:
                return

    def _record(self) -> None:
        redis, engine = self._admin.redis, self._admin.engine
        while True:
            entries: Any = redis.xrange(redis_keys.EVENTS, f"({self._cursor}", count=_EVENTS)
            if not entries:
                return
            read = [read_event(id_.decode(), fields) for id_, fields in entries]
            write(engine, self._cursor, read)
            self._cursor = entries[-1][0].decode()
            redis.xtrim(redis_keys.EVENTS, minid=self._cursor)
            if len(entries) < _EVENTS:
                return

    def _next_look(self) -> datetime | None:
        scored: Any = self._admin.redis.zrange(redis_keys.DUE, 0, 0, withscores=True)
        due = [datetime.fromtimestamp(score / 1000, UTC) for _, score in scored]
        following = [self._plan_at, *due, self._upstream.next_at()]
        if all(each is None for each in following):
            return None

        coming = [*following, self._pace_at]
        return min(each for each in coming if each is not None)
