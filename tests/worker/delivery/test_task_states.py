"""Which of Celery's events tells how a delivery ended."""

from __future__ import annotations

import pytest
from celery import states
from celery.events.state import State as Seen

from certmail_config.jobs.states import State
from certmail_worker.delivery.task_states import REFUSED, End, event


def shown(*ends: End) -> str:
    """The state that Flower shows of a reminder after these deliveries of it."""
    seen, clock = Seen(), iter(range(100))

    for end in ends:
        told = [("task-received", {"name": "certmail.deliver"}), ("task-started", {}), event(end)]
        for each in told:
            if each is not None:
                at = next(clock)
                fields = {
                    "uuid": "a job",
                    "hostname": "one",
                    "timestamp": at,
                    "local_received": at,
                    "clock": at,
                }
                seen.event({"type": each[0], **fields, **each[1]})

    return str(seen.tasks["a job"].state)


@pytest.mark.parametrize(
    ("end", "state"),
    [
        (End(State.ACCEPTED, "accepted"), states.SUCCESS),
        (End(State.SUPPRESSED, "review_complete"), states.SUCCESS),
        (End(State.CANCELLED), states.SUCCESS),
        (End(State.FAILED, "bad_message"), states.FAILURE),
        (End(State.EXPIRED, "expired"), states.FAILURE),
        (End(State.READY, "mailbox_busy"), states.RETRY),
        (End(State.SCHEDULED, "google_away"), states.RETRY),
        (End(State.UNCERTAIN, "no_answer"), "UNCERTAIN"),
        (End(REFUSED, "stale"), states.RETRY),
        (End(REFUSED, "unknown"), "REFUSED"),
    ],
)
def test_each_end_is_a_state_of_its_own(end: End, state: str) -> None:
    assert shown(end) == state


@pytest.mark.parametrize(
    ("first", "then", "state"),
    [
        (End(State.SCHEDULED, "google_away"), End(State.ACCEPTED), states.SUCCESS),
        (End(State.UNCERTAIN, "no_answer"), End(State.ACCEPTED), states.SUCCESS),
        (End(State.UNCERTAIN, "no_answer"), End(State.FAILED, "bad_message"), states.FAILURE),
        (End(State.READY, "mailbox_busy"), End(State.UNCERTAIN, "no_answer"), "UNCERTAIN"),
    ],
)
def test_the_last_delivery_is_what_is_seen(first: End, then: End, state: str) -> None:
    assert shown(first, then) == state


@pytest.mark.parametrize("why", [State.FAILED, State.ACCEPTED, State.UNCERTAIN, "claimed"])
def test_a_doorbell_that_had_nothing_to_do_changes_nothing(why: str) -> None:
    for end in (
        End(State.FAILED, "bad_message"),
        End(State.ACCEPTED),
        End(State.UNCERTAIN, "no_answer"),
    ):
        assert shown(end, End(REFUSED, why)) == shown(end)


def test_what_it_says_is_the_code_of_why_and_nothing_more() -> None:
    told = event(End(State.FAILED, "bad_message"))
    assert told == ("task-failed", {"exception": "bad_message", "traceback": None})
