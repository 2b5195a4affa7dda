"""The states: the table, the picture in the docstring, and the words for each of them agree."""

from __future__ import annotations

import re

import pytest

from certmail_config import states
from certmail_config.states import ALLOWED, FINAL, INITIAL, UNFINISHED, State

ARROWS = re.findall(r"^\s*(\[\*\]|\w+) --> (\w+)", states.__doc__ or "", re.MULTILINE)


def test_the_table_covers_every_state_and_leads_to_states_only() -> None:
    assert ALLOWED.keys() == set(State)
    assert all(isinstance(to, State) for following in ALLOWED.values() for to in following)


def test_nothing_follows_a_final_state() -> None:
    assert {state for state in State if not ALLOWED[state]} == FINAL


def test_a_state_is_final_or_unfinished() -> None:
    assert set(State) == UNFINISHED | FINAL
    assert not UNFINISHED & FINAL


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


def test_the_picture_is_drawn() -> None:
    assert len(ARROWS) > 20


@pytest.mark.parametrize(("origin", "to"), [arrow for arrow in ARROWS if arrow[0] != "[*]"])
def test_every_arrow_of_the_picture_is_allowed(origin: str, to: str) -> None:
    assert State(to) in ALLOWED[State(origin)]


def test_the_picture_begins_where_jobs_do() -> None:
    assert {State(to) for origin, to in ARROWS if origin == "[*]"} == INITIAL


def test_what_the_picture_leaves_out_is_only_what_the_table_explains() -> None:
    drawn = {(State(origin), State(to)) for origin, to in ARROWS if origin != "[*]"}
    left_out = {(origin, to) for origin, following in ALLOWED.items() for to in following} - drawn
    late_settle = {(state, State.ACCEPTED) for state in (State.SCHEDULED, State.READY, State.DISPATCHED)}
    waits_again = {(State.UNCERTAIN, State.SCHEDULED), (State.UNCERTAIN, State.UNCERTAIN)}
    assert left_out == late_settle | waits_again


def test_once_a_request_may_have_left_nothing_calls_it_off_or_lets_it_expire() -> None:
    for state in (State.SENDING, State.UNCERTAIN):
        assert not ALLOWED[state] & {State.CANCELLED, State.EXPIRED, State.SUPPRESSED}


def test_only_begin_leads_to_sending_and_only_sending_to_uncertain() -> None:
    assert {state for state in State if State.SENDING in ALLOWED[state]} == {State.DISPATCHED}
    assert {state for state in State if State.UNCERTAIN in ALLOWED[state]} == {State.SENDING, State.UNCERTAIN}
