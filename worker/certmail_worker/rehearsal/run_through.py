"""A rehearsal from its first look to its last: the clock steps to whatever comes next.

Each step is what the services of a worker do: plan the campaigns that are due, reap, pace, deliver,
record.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from certmail_config.admin.campaigns.progress import report_progress
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused
from certmail_config.campaigns.applying.horizon import AHEAD
from certmail_config.campaigns.applying.identity import Identity
from certmail_config.campaigns.applying.mails import identities_of
from certmail_config.campaigns.plan import Enrolment, Moment, Plan, make_plan, versions
from certmail_config.campaigns.running.progress import ProgressNews
from certmail_config.ledger import advertise, dispatch, reap, run
from certmail_config.sql import registry
from certmail_config.sql.campaigns.campaigns import running_of_tenant
from certmail_config.sql.campaigns.planning import earliest_plan, load_enrolment
from certmail_config.sql.campaigns.seals import ReviewerSeals
from certmail_worker.planning.turn import due_tenants, plan_tenant
from certmail_worker.recording.decoding import read_event
from certmail_worker.recording.writer import read_cursor, write
from certmail_worker.rehearsal.completions import Completion
from certmail_worker.rehearsal.sink import WORKER, Sink
from certmail_worker.rehearsal.stage import RehearsalStage

CAPACITY: Final = 1000
_SHORTEST: Final = timedelta(milliseconds=50)
_ALIVE: Final = timedelta(days=1)
_EVENTS: Final = 5000
Tell = Callable[[datetime], None]
"""What time it has become."""


class RunThrough:
    """One rehearsal under way; `reasons` are the planned mails of each tenant, as last planned."""

    def __init__(
        self,
        stage: RehearsalStage,
        sink: Sink,
        begins: datetime,
        completions: Iterable[Completion] = (),
    ) -> None:
        self.now = begins.astimezone(UTC)
        self.reasons: dict[tuple[str, Identity], Moment] = {}
        self._admin = stage.admin
        self._sink = sink
        self._intake = stage.intake(self._seconds)
        self._left = deque(sorted(completions))
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

    def plan(self, tenant: str, *, until: datetime | None = None) -> Plan:
        """The plan of a tenant's campaigns as it is now."""
        with self._admin.db() as db:
            seals = ReviewerSeals(registry.get_tenant(db, tenant), self._admin.vault)
            enrolments: Sequence[Enrolment] = [
                load_enrolment(db, seals, each) for each in running_of_tenant(db, tenant)
            ]
        last = None if until is None else until.date()
        return make_plan(enrolments, self.now, versions(""), until=last)

    def _seconds(self) -> float:
        return self.now.timestamp()

    def _look(self) -> None:
        clock = self._seconds()
        run(
            self._admin.redis,
            advertise(WORKER, CAPACITY, seconds=_ALIVE.total_seconds(), believe=True, clock=clock),
        )
        self._complete()
        self._plan()
        self._send(clock)
        if self._pace_at is None:
            self._record()

    def _complete(self) -> None:
        """Report what upstream would have reported by now: between two looks nothing leaves."""
        news: defaultdict[tuple[str, str], list[ProgressNews]] = defaultdict(list)
        while self._left and self._left[0].at <= self.now:
            each = self._left.popleft()
            told = ProgressNews(reviewer=each.reviewer, pending=0, at=each.at)
            news[each.tenant, each.campaign].append(told)
        for (tenant, campaign), page in news.items():
            report_progress(self._admin, tenant, campaign, page, now=self.now)

    def _plan(self) -> None:
        found = due_tenants(self._admin, self.now)
        if found:
            self._record()
        for tenant, due in found.items():
            planned = plan_tenant(self._admin, self._intake, tenant, due, lambda: self.now)
            for campaign, why in planned.failed.items():
                code, colon, words = why.partition(": ")
                raise Refused(
                    code if colon else "campaign_unplannable",
                    f"The campaign {campaign!r} cannot be planned: {words if colon else why}.",
                )

            if not planned.enqueued:
                continue
            # A day more: dates east of here are later ones.
            near = self.plan(tenant, until=self.now + AHEAD + _ALIVE)
            self.reasons |= {
                (tenant, one): each for each in near.moments for one in identities_of(each)
            }

    def _send(self, clock: float) -> None:
        self._pace_at = None
        while True:
            reaped = run(self._admin.redis, reap(CAPACITY, clock=clock)).moved
            step = run(self._admin.redis, dispatch(CAPACITY, clock=clock))
            self._sink.deliver(step.jobs, self.now)
            if step.next_in is not None:
                self._pace_at = self.now + timedelta(seconds=step.next_in)
            if not step.jobs and not reaped:
                return

    def _record(self) -> None:
        redis, engine = self._admin.redis, self._admin.engine
        while True:
            cursor = read_cursor(engine)
            entries: Any = redis.xrange(redis_keys.EVENTS, f"({cursor}", count=_EVENTS)
            if not entries:
                return
            write(engine, cursor, [read_event(id_.decode(), fields) for id_, fields in entries])
            redis.xtrim(redis_keys.EVENTS, minid=entries[-1][0])

    def _next_look(self) -> datetime | None:
        with self._admin.db() as db:
            planned = earliest_plan(db)
        scored: Any = self._admin.redis.zrange(redis_keys.DUE, 0, 0, withscores=True)
        due = [datetime.fromtimestamp(score / 1000, UTC) for _, score in scored]
        if planned is None and not due:
            # Who is done when nothing more is to come changes nothing.
            return None

        coming = [planned, *due, self._pace_at]
        return min(each for each in coming if each is not None)
