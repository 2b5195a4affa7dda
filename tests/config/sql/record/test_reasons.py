"""Why deliveries were not sent, wait or are uncertain, counted by reason. On both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from certmail_config.jobs.states import State
from certmail_config.sql.deliveries import Filter
from certmail_config.sql.engine import open_database
from certmail_config.sql.record.question import STATES_TO_NAME, RecordQuestion
from certmail_config.sql.record.reasons import ReasonCount, count_reasons, parts_of
from certmail_worker.recording.writer import read_cursor, write
from support.data.events import begun, enqueued, happened, settled


@pytest.fixture
def engine(ready_database: str) -> Iterator[Engine]:
    engine = open_database(ready_database)
    events = [enqueued(n, f"j{n}") for n in range(1, 6)]
    words = "bad_request: Gmail knows no r1@people.example."
    events += [happened(10 + n, "released", "failed", words, f"j{n}") for n in (1, 2)]
    events += [happened(13, "cancelled", "cancelled", "cancelled: by ann", "j3")]
    events += [begun(14, job="j4"), settled(15, "accepted", "accepted", job="j4", reason="")]
    write(engine, read_cursor(engine), events)
    yield engine
    engine.dispose()


def test_the_most_frequent_first_with_words_that_name_nobody(engine: Engine) -> None:
    with engine.connect() as db:
        found = count_reasons(db, Filter())
        assert found.reasons == (
            ReasonCount(State.FAILED, "bad_request", "Gmail knows no r•••@people.example.", 2),
            ReasonCount(State.CANCELLED, "cancelled", "by ann", 1),
            ReasonCount(State.READY, "", "", 1),
        )
        assert not found.capped


def test_of_what_is_asked_for_only(engine: Engine) -> None:
    with engine.connect() as db:
        [only] = count_reasons(db, Filter(), states=(State.CANCELLED,)).reasons
        assert (only.state, only.count) == (State.CANCELLED, 1)
        assert count_reasons(db, Filter(campaign="q5")).reasons == ()
        assert count_reasons(db, Filter(), frozenset({"globex"})).reasons == ()


def test_of_each_state_so_many_are_looked_at(engine: Engine) -> None:
    with engine.connect() as db:
        found = count_reasons(db, Filter(), most=1)
        assert (sum(each.count for each in found.reasons), found.capped) == (3, True)


@pytest.mark.parametrize(
    ("reason", "parts"),
    [
        ("bad_request: Gmail refused: it.", ("bad_request", "Gmail refused: it.")),
        ("nothing_pending", ("nothing_pending", "")),
        ("Google said: no", ("", "Google said: no")),
        ("", ("", "")),
        (None, ("", "")),
    ],
)
def test_a_reason_has_a_code_and_words(reason: str | None, parts: tuple[str, str]) -> None:
    assert parts_of(reason) == parts


def test_whatever_may_be_named_is_a_question() -> None:
    assert len(STATES_TO_NAME) == len(set(STATES_TO_NAME))
    for name in STATES_TO_NAME:
        assert RecordQuestion.of(Filter("acme"), name).states
    assert RecordQuestion.of(Filter("acme"), None).filters == (Filter("acme"),)
    filters = RecordQuestion.of(Filter("acme"), "not-sent").filters
    assert [each.state for each in filters] == [
        State.FAILED, State.CANCELLED, State.SUPPRESSED, State.EXPIRED,
    ]  # fmt: skip
    with pytest.raises(ValueError, match="lost"):
        RecordQuestion.of(Filter(), "lost")
