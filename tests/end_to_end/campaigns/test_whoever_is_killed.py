"""Campaigns compressed to a minute, while the planners are killed at random.

Reviewers complete on the way, due dates move, one campaign pauses and one is stopped, Gmail refuses
and loses answers. Each planned mail ends as something, nothing goes twice, and nobody hears after
they are done. PLANNED_SEED makes the same again.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from redis import Redis
from sqlalchemy import select

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.running.states import CampaignState, MomentState
from certmail_config.jobs.reminder import Reminder
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.settings import Settings
from certmail_config.sql import tables
from certmail_config.sql.campaigns.planning import earliest_plan
from certmail_worker.recording.consistency import check
from support.campaigns.kept import a_campaign, a_reviewer
from support.campaigns.planners import Planners
from support.campaigns.running import RunningCampaigns
from support.deployment.deployment import wait_for

SEED: Final = int(os.environ.get("PLANNED_SEED", "0")) or random.randrange(1, 1_000_000)
BEGINS: Final = datetime(2040, 11, 5, 6, tzinfo=UTC)
DAYS: Final = 30
REVIEWERS: Final = 24
STEP: Final = timedelta(hours=3)
ENDS: Final = frozenset(
    {State.ACCEPTED, State.SUPPRESSED, State.EXPIRED, State.UNCERTAIN, State.FAILED}
)
RULES: Final = [
    {"id": "start", "on": "start"},
    {"id": "regular", "every": "2 working days", "at_most": 6},
    {"id": "before", "before_due": [3, 1]},
    {"id": "late", "overdue": "2 working days", "at_most": 2},
    {"id": "boss", "escalate_after": 3},
]


@pytest.fixture
def admin(redis: Redis, redis_url: str, ready_database: str, tmp_path: Path) -> Iterator[Admin]:
    settings = Settings(
        redis_url=redis_url,
        database_url=ready_database,
        data_dir=tmp_path,
        durability="none",
        vault_keys=(("k1", os.urandom(32)),),
    )
    with open_admin(settings) as made:
        assert check(made.redis, made.engine)
        yield made


class Story:
    """What happens to three campaigns of one company."""

    def __init__(self, admin: Admin) -> None:
        self.random = random.Random(SEED)
        self.running = RunningCampaigns(admin, BEGINS)
        self.done: dict[tuple[str, str], int] = {}
        self.running.answer = self._answer
        self.running.while_under_way = self._complete_meanwhile
        self.sizes = {"a": REVIEWERS, "b": REVIEWERS // 2, "c": REVIEWERS // 3}
        for name, size in self.sizes.items():
            people = [
                a_reviewer(f"r{n}", pending=3, manager="boss@people.example") for n in range(size)
            ]
            self.running.put(self.campaign(name), people)

    def campaign(self, name: str, days: int = 14) -> Campaign:
        due = BEGINS + timedelta(days=days, hours=11)
        return a_campaign(
            id=name, name=name, start="2040-11-05T09:00:00+00:00", due=due.isoformat(),
            time_zone="UTC", rule=RULES,
        )  # fmt: skip

    def live(self, day: int) -> None:
        """What people do on a day."""
        running = self.running
        if day == 3:
            running.set_state("b", CampaignState.PAUSED)
        elif day == 5:
            running.set_state("c", CampaignState.STOPPED)
        elif day == 8:
            running.set_state("b", CampaignState.RUNNING)
        elif day == 9:
            running.change(self.campaign("a", days=18))
        elif day == 11:
            running.change(self.campaign("b", days=12))

        for name, size in self.sizes.items():
            if self.random.random() < 0.4:
                self.complete(name, f"r{self.random.randrange(size)}", len(running.delivered))

    def complete(self, campaign: str, reviewer: str, after: int) -> None:
        """Nothing that leaves after so many is about them."""
        if (campaign, reviewer) not in self.done:
            self.running.complete(campaign, reviewer)
            self.done[campaign, reviewer] = after

    def _complete_meanwhile(self, reminder: Reminder) -> None:
        if self.random.random() < 0.05 and reminder.campaign and not reminder.about:
            who = reminder.to.partition("@")[0]
            self.complete(reminder.campaign, who, len(self.running.delivered) + 1)

    def _answer(self, _: Reminder) -> AttemptOutcome:
        outcomes = [AttemptOutcome.UNKNOWN, AttemptOutcome.REJECTED, AttemptOutcome.NOT_SENT]
        drawn = self.random.randrange(40)
        return outcomes[drawn] if drawn < len(outcomes) else AttemptOutcome.ACCEPTED


@pytest.mark.timeout(600)
def test_each_planned_mail_ends_as_something_and_none_goes_twice(
    admin: Admin, tmp_path: Path, record_property: Any
) -> None:
    story = Story(admin)
    running = story.running
    planners = Planners(admin, tmp_path / "planner.log", SEED)

    def planned() -> bool:
        with admin.db() as db:
            following = earliest_plan(db)
        return following is None or following > running.now

    with planners.harassed():
        for day in range(DAYS):
            story.live(day)
            for hour in range(7, 19, 3):
                running.move_to(BEGINS.replace(hour=0) + timedelta(days=day, hours=hour))
                wait_for("the planner", planned, 120)
                running.work()
                running.record()
        running.move_to(running.now + timedelta(days=30))
        running.work()
        running.record()
        running.change(story.campaign("a", days=18))
        wait_for("the planner", planned, 120)

    said = f"seed {SEED}"
    ends = _ends(running, story)
    assert set(ends) <= ENDS, f"{ends}, {said}"
    assert ends[State.ACCEPTED] > 100, f"{ends}, {said}"

    a_day = Counter(
        (each.reminder.to, each.at.date())
        for each in running.delivered
        if each.reminder.kind != "escalation"
    )
    assert max(a_day.values()) == 1, f"nobody hears twice a day, {said}"

    for number, each in enumerate(running.delivered):
        assert not _done_before(story, number, each.reminder), f"{number} {each}, {said}"

    record_property(
        "said",
        f"{admin.engine.dialect.name}: {sum(ends.values())} planned mails = "
        + " + ".join(f"{count} {state}" for state, count in ends.items())
        + f"; planners killed {planners.killed} times; {said}",
    )


def _ends(running: RunningCampaigns, story: Story) -> Counter[str]:
    """How each planned mail has ended, as the record has its job."""
    states = running.states()
    ends: Counter[str] = Counter()
    accepted = set()
    for name in story.sizes:
        for moment in running.moments(name):
            assert moment.state is not MomentState.PLANNED, f"{moment}, seed {SEED}"
            if moment.state is MomentState.WITHDRAWN and moment.job not in states:
                continue  # a planner was killed before it enqueued what was not wanted afterwards
            ends[states[str(moment.job)]] += 1
            if states[str(moment.job)] == State.ACCEPTED:
                accepted.add(moment.job)

    # What stands for nothing any more was taken back, and none of it went.
    went = {job for job, state in states.items() if state == State.ACCEPTED}
    assert went == accepted, f"seed {SEED}"
    with running.admin.db() as db:
        found = db.execute(select(tables.deliveries.c.state).distinct()).scalars()
        assert set(found) <= ENDS, f"seed {SEED}"
    return ends


def _done_before(story: Story, number: int, reminder: Reminder) -> bool:
    """Whether somebody whom a mail tells of was done before it began."""
    campaigns = [reminder.campaign] if not reminder.campaigns else [
        each.name for each in reminder.campaigns
    ]  # fmt: skip
    who = (reminder.about or reminder.to).partition("@")[0]
    return any(story.done.get((str(each), who), number + 1) <= number for each in campaigns)
