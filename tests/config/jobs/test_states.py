"""The states and the table of transitions."""

from __future__ import annotations

from certmail_config.jobs.states import ALLOWED, FINAL, INITIAL, UNFINISHED, UPKEEP, State
from certmail_config.jobs.states import TRANSITIONS as ALL

TRANSITIONS = {name: moves for name, moves in ALL.items() if name not in UPKEEP}
UNTOUCHED = frozenset({State.SCHEDULED, State.READY, State.DISPATCHED})
"""No request of the job is under way."""


def test_the_table_covers_every_state() -> None:
    assert ALLOWED.keys() == set(State)


def test_a_state_is_final_or_unfinished() -> None:
    assert set(State) == UNFINISHED | FINAL
    assert not UNFINISHED & FINAL


def test_only_late_news_of_a_mail_that_went_out_moves_a_final_job() -> None:
    for state in FINAL - {State.ACCEPTED}:
        assert ALLOWED[state] == {State.ACCEPTED}
        assert {
            name for name, moves in TRANSITIONS.items() if (state, State.ACCEPTED) in moves
        } == {"settle"}
    assert not ALLOWED[State.ACCEPTED]


def test_jobs_begin_where_they_may() -> None:
    assert {
        after for moves in TRANSITIONS.values() for before, after in moves if before is None
    } == INITIAL


def test_every_state_can_be_reached_and_every_unfinished_one_can_end() -> None:
    def reachable(start: set[State]) -> set[State]:
        seen = set(start)
        while more := {to for state in seen for to in ALLOWED[state]} - seen:
            seen |= more
        return seen

    assert reachable(set(INITIAL)) == set(State)
    for state in UNFINISHED:
        assert State.ACCEPTED in reachable({state})
        assert State.EXPIRED in reachable({state})


def test_a_request_under_way_is_never_called_off_nor_expired() -> None:
    under_way = {name: moves for name, moves in TRANSITIONS.items() if name != "settle"}
    assert {
        after for moves in under_way.values() for before, after in moves if before is State.SENDING
    } == {
        State.UNCERTAIN,
        State.ACCEPTED,  # by news of an earlier request
    }


def test_only_begin_leads_to_sending() -> None:
    leading = {
        (name, before)
        for name, moves in TRANSITIONS.items()
        for before, after in moves
        if after is State.SENDING
    }
    assert leading == {("begin", State.DISPATCHED)}


def test_only_news_or_a_rule_leads_out_of_uncertain() -> None:
    leading = {
        name
        for name, moves in TRANSITIONS.items()
        if any(before is State.UNCERTAIN for before, _ in moves)
    }
    assert leading == {"settle", "reap"}
    assert {after for before, after in TRANSITIONS["reap"] if before is State.UNCERTAIN} == {
        State.READY
    }


def test_whatever_would_end_a_waiting_job_can_leave_it_uncertain_instead() -> None:
    ending = FINAL - {State.ACCEPTED}
    for name, moves in TRANSITIONS.items():
        for before, after in moves:
            if before in UNTOUCHED and after in ending:
                assert (before, State.UNCERTAIN) in moves, (name, before, after)
