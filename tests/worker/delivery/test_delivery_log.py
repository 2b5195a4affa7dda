"""The one line about a delivery: whose it is, what became of it, and how loudly it is said."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import Any

import pytest

from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Job, Pause, Settlement, Suspension
from certmail_worker.delivery.delivery_log import (
    LONG_WAIT_SECONDS,
    Course,
    say_refused,
    say_released,
    say_settled,
)
from certmail_worker.delivery.prepare import NotBegun
from certmail_worker.delivery.send_failures import NOT_DURABLE, FailureClass, Verdict
from certmail_worker.runtime.log_repeats import EACH

NOW = 1_000_000.0
JOB = Job(
    id=JobId("j1"), tenant="acme", connection=ConnectionId("c1"), fence=1, nonce="n", failures=0,
    refreshed=False, resent=False, strikes=0, project_strikes=0, enqueued_at=NOW, expires_at=2 * NOW,
    body=b"ann@people.example", campaign="q4", leave_at=NOW + 1,
)  # fmt: skip
ACCEPTED = Verdict(FailureClass.NONE, AttemptOutcome.ACCEPTED, "accepted", http_status=200)


@pytest.fixture
def course() -> Course:
    course = Course()
    for phase in ("claim_ms", "prepare_ms", "begin_ms", "send_ms", "settle_ms"):
        course.passed(phase)
    course.begun(2, NOW + 1.5)
    return course


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Any:
    caplog.set_level(logging.INFO)

    def last() -> dict[str, Any]:
        [record] = caplog.records
        caplog.clear()
        return vars(record)

    return last


def test_it_has_all_that_is_filtered_by(course: Course, said: Any) -> None:
    say_settled(JOB, course, ACCEPTED, Settlement(ACCEPTED.outcome, State.ACCEPTED, ""), "accepted")
    line = said()
    expected = {
        "message": "delivery", "levelname": "INFO", "job": "j1", "tenant": "acme",
        "connection": "c1", "campaign": "q4", "attempt": 2, "state": "accepted",
        "outcome": "accepted", "failure": "none", "code": "accepted", "http": 200, "age_s": 1.5,
        "late_ms": 500, "alike": EACH,
    }  # fmt: skip
    assert expected.items() <= line.items()
    assert all(
        line[f"{phase}_ms"] >= 0 for phase in ("claim", "prepare", "begin", "send", "settle")
    )
    assert "people.example" not in str(line)


def verdict(failure: FailureClass) -> Verdict:
    return Verdict(failure, AttemptOutcome.REJECTED, "why", "What is wrong.", "What to do.")


SUSPENDED = Suspension("why", "What is wrong.", 1, "What to do.")
SETTLED = {
    "failed": (FailureClass.MESSAGE, State.FAILED, None, "WARNING"),
    "uncertain": (FailureClass.UNKNOWN, State.UNCERTAIN, None, "WARNING"),
    "a lane stops": (FailureClass.CONNECTION, State.READY, SUSPENDED, "WARNING"),
    "ours to mend": (FailureClass.OPERATOR, State.SCHEDULED, None, "ERROR"),
    "the project's day": (FailureClass.PROJECT_DAY_FULL, State.READY, None, "ERROR"),
    "a token": (FailureClass.TOKEN_EXPIRED, State.READY, None, "INFO"),
    "again": (FailureClass.TRANSIENT, State.SCHEDULED, None, "INFO"),
}


@pytest.mark.parametrize("name", SETTLED)
def test_how_loudly_and_how_often(name: str, course: Course, said: Any) -> None:
    failure, to, suspension, level = SETTLED[name]
    then = Settlement(AttemptOutcome.REJECTED, to, "why: What is wrong.", suspension=suspension)
    say_settled(JOB, course, verdict(failure), then, str(to))
    line = said()
    assert (line["levelname"], line["code"], line["remedy"]) == (level, "why", "What to do.")
    ended = to in {State.FAILED, State.UNCERTAIN}
    assert line["alike"] == (EACH if ended else "why c1"), "every end has a line of its own"


@pytest.mark.parametrize("project", [True, False])
def test_a_wait_says_whose_and_until_when(project: bool, course: Course, said: Any) -> None:
    for seconds, level in ((5.0, "INFO"), (LONG_WAIT_SECONDS + 60, "WARNING")):
        pause = Pause(time.time() + seconds, named=True, project=project)
        then = Settlement(AttemptOutcome.REJECTED, State.READY, "why", pause=pause)
        say_settled(JOB, course, verdict(FailureClass.MAILBOX_WAIT), then, "ready")
        line = said()
        assert (line["levelname"], line["waits"]) == (level, "project" if project else "mailbox")
        assert line["until"].endswith("+00:00")


def test_a_delivery_that_did_not_begin_says_why_and_where(said: Any) -> None:
    where = {"raised": "KeyError", "where": "a.py:1"}
    stop = NotBegun(State.SCHEDULED, "not_prepared: it could not", operator=True, said=where)
    say_released(replace(JOB, campaign="", leave_at=None), Course(), stop, "scheduled")
    line = said()
    assert (line["levelname"], line["code"], line["error"]) == (
        "ERROR",
        "not_prepared",
        "it could not",
    )
    assert where.items() <= line.items()
    assert not {"campaign", "attempt", "age_s", "late_ms"} & line.keys()

    say_released(JOB, Course(), NotBegun(State.FAILED, "connection_removed: gone"), "failed")
    assert said()["levelname"] == "WARNING"


def test_what_the_ledger_does_not_let_begin_is_no_trouble(said: Any) -> None:
    say_refused(JOB, Course(), "fenced")
    line = said()
    assert (line["levelname"], line["state"], line["code"]) == ("INFO", "refused", "fenced")


def test_a_request_that_was_not_made_has_no_status(course: Course, said: Any) -> None:
    then = Settlement(NOT_DURABLE.outcome, State.SCHEDULED, "not_durable: …")
    say_settled(JOB, course, NOT_DURABLE, then, None)
    line = said()
    assert "http" not in line
    assert (line["state"], line["outcome"]) == ("forgotten", "not_sent")
