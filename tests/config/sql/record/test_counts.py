"""How much is in which state and hour, up to a bound. On SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from certmail_config.jobs.states import State
from certmail_config.sql.deliveries import Filter
from certmail_config.sql.engine import open_database
from certmail_config.sql.record.campaigns import recent_campaigns
from certmail_config.sql.record.counts import count_hours, count_states
from certmail_config.sql.record.groups import GROUP_OF, STATES_OF, states_named
from certmail_config.sql.record.merged import read_merged
from certmail_worker.recording.writer import read_cursor, write
from support.data.events import enqueued, happened

DAY = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = 3600


@pytest.fixture
def engine(ready_database: str) -> Iterator[Engine]:
    """Six deliveries, enqueued from 9 o'clock on, the last two an hour later."""
    engine = open_database(ready_database)
    events = [enqueued(n, f"j{n}", to=f"r{n}@people.example") for n in range(1, 5)]
    events += [enqueued(HOUR + n, f"j{n}", campaign="q5") for n in (5, 6)]
    events += [
        happened(2 * HOUR, "released", "failed", "bad_request: Gmail refused it.", "j1"),
        happened(2 * HOUR + 1, "cancelled", "cancelled", "cancelled: by ann", "j5"),
    ]
    write(engine, read_cursor(engine), events)
    yield engine
    engine.dispose()


def test_each_state_is_in_one_group_and_is_found_by_its_name() -> None:
    assert set(GROUP_OF) == set(State)
    assert sum(map(len, STATES_OF.values())) == len(State)
    assert states_named("not-sent") == STATES_OF[GROUP_OF[State.FAILED]]
    assert states_named("failed") == (State.FAILED,)
    with pytest.raises(ValueError, match="elsewhere"):
        states_named("elsewhere")


def test_states_are_counted_of_what_is_asked_for(engine: Engine) -> None:
    with engine.connect() as db:
        every = count_states(db, Filter())
        assert every.states == {State.READY: 4, State.FAILED: 1, State.CANCELLED: 1}
        assert count_states(db, Filter(campaign="q5")).states == {
            State.READY: 1,
            State.CANCELLED: 1,
        }
        assert count_states(db, Filter(state=State.FAILED)).states == {State.FAILED: 1}
        assert count_states(db, Filter(recipient="R1@people.example")).states == {State.FAILED: 1}
        assert count_states(db, Filter("nobody")).states == {}
    assert every.of(STATES_OF[GROUP_OF[State.FAILED]]) == 2
    assert not every.capped


def test_a_count_goes_no_further_than_its_bound_and_says_so(engine: Engine) -> None:
    with engine.connect() as db:
        few = count_states(db, Filter(), most=3)
        assert (few.states[State.READY], few.capped) == (3, True)
        exactly = count_states(db, Filter(), most=4)
        assert (exactly.states[State.READY], exactly.capped) == (4, False)


def test_the_hours_of_a_day_by_state(engine: Engine) -> None:
    with engine.connect() as db:
        day = count_hours(db, Filter(), DAY)
        assert day.hours[State.READY][8:12] == (0, 3, 1, 0)
        assert day.hours[State.FAILED][9] == 1
        assert (sum(map(sum, day.hours.values())), day.capped) == (6, False)
        assert count_hours(db, Filter(), DAY, most=5).capped
        assert count_hours(db, Filter(), DAY.replace(day=24)).hours == {}


def test_the_newest_campaigns_first(engine: Engine) -> None:
    with engine.connect() as db:
        assert recent_campaigns(db, Filter(), limit=5) == [("acme", "q5"), ("acme", "q4")]
        assert recent_campaigns(db, Filter(), limit=1) == [("acme", "q5")]
        assert recent_campaigns(db, Filter("globex"), limit=5) == []


def test_pages_of_several_states_are_in_the_order_of_one(engine: Engine) -> None:
    with engine.connect() as db:
        questions = [Filter(state=each) for each in (State.READY, State.FAILED, State.CANCELLED)]
        seen, after = [], None
        for _ in range(10):
            page = read_merged(db, questions, after=after, limit=2)
            seen += [row["job"] for row in page.rows]
            if (after := page.next) is None:
                break
        assert seen == ["j6", "j5", "j4", "j3", "j2", "j1"]
        assert read_merged(db, [], after=None, limit=2).rows == ()
