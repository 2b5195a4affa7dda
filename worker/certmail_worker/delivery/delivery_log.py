"""The log's line about a delivery: one, at its end, with all that an operator filters by.

docs/logs.md lists its fields. What waits again says so once a minute for each connection and
reason, with how many did (`alike`); every end of a reminder has a line of its own.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Final

from certmail_config.jobs.states import State
from certmail_config.ledger import Job, Settlement
from certmail_config.tracing.spans import NO_SPAN, Span
from certmail_worker.delivery.prepare import NotBegun
from certmail_worker.delivery.send_failures import FailureClass, Verdict
from certmail_worker.delivery.task_states import REFUSED, WAITING

log = logging.getLogger(__name__)

LONG_WAIT_SECONDS: Final = 90.0
"""A wait that is worth a warning; a minute's limit is not."""
_EACH: Final = ""
"""In the place of `alike`: see runtime/log_repeats.py."""
_NOT_DELIVERED: Final = frozenset({State.FAILED, State.UNCERTAIN, State.EXPIRED})
_OPERATORS: Final = frozenset({FailureClass.OPERATOR, FailureClass.PROJECT_DAY_FULL})
"""What only whoever runs certmail can mend."""


class Course:
    """How a delivery goes: its attempt, when it began, and how long each phase took.

    What its line says is told to its span, too.
    """

    __slots__ = ("_last", "attempt", "begun_at", "span", "took")

    def __init__(self, span: Span = NO_SPAN) -> None:
        self.span = span
        self._last = time.perf_counter()
        self.took: dict[str, float] = {}
        self.attempt: int | None = None
        self.begun_at: float | None = None

    def passed(self, phase: str) -> None:
        """Note that a phase has ended, and the next one begins."""
        now = time.perf_counter()
        self.took[phase] = round((now - self._last) * 1000, 1)
        self._last = now

    def begun(self, attempt: int, at: float) -> None:
        """Note the attempt that is on record, and since when; times are the ledger's."""
        self.attempt, self.begun_at = attempt, at


def say_released(job: Job, course: Course, stop: NotBegun, state: str) -> None:
    """Say that a delivery ended before its attempt began, and why."""
    code, _, words = stop.reason.partition(": ")
    words = words.removesuffix(stop.said.get("remedy", "")).rstrip()
    level = _level(state, operator=stop.operator, stopped=stop.suspension is not None)
    _say(level, job, course, state, code, {"error": words, **stop.said})


def say_refused(job: Job, course: Course, why: str) -> None:
    """Say that the ledger did not let an attempt begin."""
    _say(logging.INFO, job, course, REFUSED, why, {})


def say_settled(
    job: Job, course: Course, verdict: Verdict, then: Settlement, state: str | None
) -> None:
    """Say what became of an attempt, and what follows."""
    more: dict[str, object] = {"outcome": verdict.outcome, "failure": verdict.failure}
    if verdict.http_status is not None:
        more["http"] = verdict.http_status

    long = False
    if verdict.failure is not FailureClass.NONE:
        more["error"] = verdict.message
        if verdict.remedy:
            more["remedy"] = verdict.remedy
    if then.pause is not None:
        long = then.pause.until > time.time() + LONG_WAIT_SECONDS
        more["waits"] = "project" if then.pause.project else "mailbox"
        more["until"] = datetime.fromtimestamp(then.pause.until, UTC).isoformat(timespec="seconds")

    level = _level(
        then.to,
        operator=verdict.failure in _OPERATORS,
        stopped=long or then.suspension is not None,
    )
    _say(level, job, course, state or "forgotten", verdict.code, more)


def _level(state: str, *, operator: bool, stopped: bool) -> int:
    """An error for what is the operator's to mend; a warning for what did not arrive, or stops."""
    if operator:
        return logging.ERROR
    return logging.WARNING if stopped or state in _NOT_DELIVERED else logging.INFO


def _say(
    level: int, job: Job, course: Course, state: str, code: str, more: dict[str, object]
) -> None:
    fields: dict[str, object] = {
        "state": state,
        "code": code,
        "job": job.id,
        "tenant": job.tenant,
        "connection": job.connection,
    }
    if job.campaign:
        fields["campaign"] = job.campaign
    if course.attempt is not None:
        fields["attempt"] = course.attempt
    fields |= more
    if course.begun_at is not None:
        fields["age_s"] = round(course.begun_at - job.enqueued_at, 1)
        if job.leave_at is not None:
            fields["late_ms"] = round((course.begun_at - job.leave_at) * 1000)

    again = state in WAITING or state == REFUSED
    fields["alike"] = f"{code} {job.connection}" if again else _EACH
    said = fields | course.took
    course.span.tell(said)
    log.log(level, "delivery", extra=said)
