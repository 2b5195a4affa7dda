"""The states of an endpoint, and what moves it from one to another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from certmail_config.webhooks.health import (
    BACK_OFF_AFTER,
    DISABLE_AFTER,
    SENDING,
    EndpointState,
    Health,
    did_not_take,
    is_gone,
    move,
    pause,
    resume,
    took,
)

NOW = datetime(2026, 11, 25, 15, 20, tzinfo=UTC)
ACTIVE = Health(EndpointState.ACTIVE)


def fails(health: Health, *seconds: float, asked: float | None = None) -> Health:
    """So many failures, each so long after NOW."""
    for each in seconds:
        at = NOW + timedelta(seconds=each)
        health = did_not_take(health, at, asked, random=lambda: 0.0)
    return health


def test_an_endpoint_that_fails_for_a_while_backs_off_and_a_success_ends_it() -> None:
    found = fails(ACTIVE, 0, 10, 20, 29)
    assert found.state is EndpointState.ACTIVE
    found = fails(found, 31)
    assert (found.state, found.code, found.failures) == ("backing_off", "failing", BACK_OFF_AFTER)
    assert found.next_at == NOW + timedelta(seconds=36), "tried by one message, in five seconds"

    well = took(found, NOW + timedelta(seconds=40))
    assert (well.state, well.code, well.failures, well.failing_since, well.next_at) == ("active", None, 0, None, None)  # fmt: skip


def test_many_failures_at_once_are_no_while() -> None:
    assert fails(ACTIVE, *[0] * 100).state is EndpointState.ACTIVE


def test_who_takes_every_other_message_does_not_back_off() -> None:
    health = ACTIVE
    for n in range(200):
        health = took(fails(health, n), NOW + timedelta(seconds=n))
    assert health.state is EndpointState.ACTIVE


def test_it_is_tried_ever_less_often() -> None:
    health, waits = fails(ACTIVE, 0, 10, 20, 30), []
    for n in range(6):
        at = 31 + n * 1000
        health = fails(health, at)
        assert health.next_at is not None
        waits.append((health.next_at - NOW).total_seconds() - at)
    assert waits == [5, 15, 60, 300, 900, 900]


def test_after_five_days_without_a_success_it_is_disabled() -> None:
    day = 86_400
    health = fails(ACTIVE, *(n * day for n in range(5)))
    assert health.state is EndpointState.BACKING_OFF
    found = fails(health, DISABLE_AFTER.total_seconds())
    assert (found.state, found.code, found.next_at) == ("disabled", "failing", None)


def test_a_success_within_five_days_begins_them_anew() -> None:
    day = 86_400
    health = took(fails(ACTIVE, 0, day, 2 * day, 3 * day), NOW + timedelta(days=4))
    assert fails(health, 5 * day, 8 * day).state is not EndpointState.DISABLED


def test_whoever_asks_to_be_left_alone_is() -> None:
    found = fails(ACTIVE, 0, asked=120)
    assert (found.state, found.next_at) == ("active", NOW + timedelta(seconds=120))
    assert fails(found, 1).next_at == NOW + timedelta(seconds=120), (
        "what was under way changes nothing"
    )


def test_gone_is_disabled_at_once() -> None:
    found = is_gone(ACTIVE, NOW)
    assert (found.state, found.code, found.since) == ("disabled", "gone", NOW)


@pytest.mark.parametrize("state", [EndpointState.PAUSED, EndpointState.DISABLED])
def test_what_was_under_way_changes_nothing_of_what_a_person_decided(state: EndpointState) -> None:
    stopped = Health(state, code="x", since=NOW)
    assert fails(stopped, *range(100)).state is state
    assert took(stopped, NOW).state is state
    assert is_gone(Health(EndpointState.PAUSED), NOW).state is EndpointState.PAUSED


def test_gone_is_said_once_and_not_of_what_a_person_let_go_on_meanwhile() -> None:
    gone = is_gone(ACTIVE, NOW)
    assert is_gone(gone, NOW + timedelta(seconds=1)) == gone
    resumed = resume(gone, NOW + timedelta(seconds=2))
    assert is_gone(resumed, NOW + timedelta(seconds=1)) == resumed
    assert is_gone(resumed, NOW + timedelta(seconds=3)).state is EndpointState.DISABLED


def test_a_person_stops_it_and_lets_it_go_on_from_whatever_it_was() -> None:
    for state in EndpointState:
        health = Health(state, "x", NOW, 7, NOW, NOW, NOW)
        assert pause(health, NOW).state is EndpointState.PAUSED
        assert resume(health, NOW) == Health(EndpointState.ACTIVE, since=NOW, succeeded_at=NOW)


def test_at_another_address_it_begins_anew_unless_a_person_has_stopped_it_or_has_to_resume_it() -> (
    None
):
    for state in EndpointState:
        ill = Health(state, "x", NOW - timedelta(days=1), 7, NOW, NOW, NOW)
        moved = move(ill, NOW)
        if state in SENDING:
            assert moved == Health(EndpointState.ACTIVE, since=NOW, succeeded_at=NOW)
        else:
            assert (moved.state, moved.code, moved.since) == (state, "x", ill.since)
            assert (moved.failures, moved.failing_since) == (0, None)
