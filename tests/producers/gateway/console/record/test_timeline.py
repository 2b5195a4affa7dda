"""One reminder's story in words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from certmail.gateway.console.record import words
from certmail.gateway.console.record.timeline import timeline
from certmail_config.sql.delivery_story import Story
from certmail_config.sql.history import HistoryEntry
from support.data.events import NOW


def event(second: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"at": NOW + timedelta(seconds=second), "type": kind, **fields}


def story(*events: dict[str, Any], state: str = "accepted", attempts: int = 0) -> Story:
    asked = tuple({"n": n + 1, "http_status": 200, "latency_ms": 9} for n in range(attempts))
    return Story({"connection": "c", "state": state}, asked, events)


def told(*events: dict[str, Any]) -> list[str]:
    return [moment.title for moment in timeline(story(*events), (), lambda why: why or "")]


def test_a_reminder_that_was_sent_and_the_answer_that_gmail_gave() -> None:
    moments = timeline(
        story(
            event(0, "enqueued", state="ready"),
            event(60, "begun", state="sending", attempt="1", worker="w:1"),
            event(61, "settled", state="accepted", outcome="accepted", attempt="1"),
            attempts=1,
        ),
        (),
        lambda why: why or "",
    )
    assert [moment.title for moment in moments] == [
        "Taken in", "The request to Gmail began", "Gmail accepted it",
    ]  # fmt: skip
    assert (moments[1].by, moments[1].paced, moments[2].tone) == ("w:1", True, "good")
    assert moments[2].request is not None
    assert moments[2].request["http_status"] == 200
    assert moments[1].request is None


@pytest.mark.parametrize(
    ("happened", "title"),
    [
        (event(0, "enqueued", state="scheduled"), "Taken in; it waits for its time"),
        (event(0, "enqueued", state="suppressed"), "Taken in, and not to be sent"),
        (event(0, "released", state="failed"), "It cannot be sent"),
        (event(0, "settled", state="ready", outcome="rejected"), "Gmail refused it"),
        (event(0, "settled", state="uncertain", outcome="unknown"), "Gmail’s answer was lost"),
        (
            event(0, "settled", state="accepted", outcome="accepted", reason="verified: found"),
            "Found among the sent mails: it had left",
        ),
        (
            event(0, "settled", state="accepted", outcome="accepted", reason="settled_by_hand: x"),
            "Settled by a person: it arrived",
        ),
        (event(0, "reaped", state="ready"), "Its worker was lost before anything was sent"),
        (
            event(0, "reaped", state="uncertain", attempt="1"),
            "Its worker was lost while the request was under way",
        ),
        (event(0, "cancelled", state="cancelled"), "Cancelled"),
        (event(0, "of_a_later_version"), "Something happened"),
    ],
)
def test_each_event_has_a_title(happened: dict[str, Any], title: str) -> None:
    assert told(happened) == [title]


def test_a_reason_that_was_told_just_before_is_told_once() -> None:
    moments = timeline(
        story(event(0, "reaped", reason="why"), event(1, "held", reason="why")),
        (),
        lambda why: why or "",
    )
    assert [moment.why for moment in moments] == ["why", ""]


def test_what_meanwhile_happened_to_its_mailbox_stands_between() -> None:
    def lane(second: int, kind: str, connection: str | None) -> HistoryEntry:
        return HistoryEntry(NOW + timedelta(seconds=second), kind, connection, "why", "certmail")

    moments = timeline(
        story(event(0, "enqueued", state="ready"), event(100, "begun", state="sending")),
        (
            lane(10, "suspended", "c"),
            lane(20, "suspended", "another"),
            lane(30, "paused", None),
            lane(40, "certificate_expiring", "c"),
            lane(200, "opened", "c"),
        ),
        lambda why: why or "",
    )
    assert [moment.title for moment in moments] == [
        "Taken in",
        words.LANE["suspended"][1],
        words.LANE["paused"][1],
        "The request to Gmail began",
    ]
