"""The year's judge: whatever goes otherwise than planned is named."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from certmail_config.jobs.states import State
from year.book import Arrived, QuarterRecord
from year.companies import draw_companies
from year.expected import MailName, expected_mails
from year.judging import judge
from year.quarters import Quarter, draw_quarters

YEAR: Final = 2035
[COMPANY] = draw_companies(1, 12, seed=1)
QUARTER: Final[Quarter] = draw_quarters(COMPANY, YEAR, seed=1)[0]
PLAN: Final = expected_mails(QUARTER, {}, None)
FIRST: Final = MailName("r0", "start", 1)


def as_planned() -> QuarterRecord:
    """Each mail as it should be, two seconds after its moment."""
    standing = {name: f"job-{number}" for number, name in enumerate(sorted(PLAN))}
    arrived = {
        job: [Arrived(COMPANY.mailbox, PLAN[name].to, PLAN[name].at + timedelta(seconds=2))]
        for name, job in standing.items()
    }
    jobs = dict.fromkeys(standing.values(), str(State.ACCEPTED))
    return QuarterRecord(QUARTER, jobs, standing, arrived, {}, None)


def with_first(**changes: object) -> QuarterRecord:
    """With another first mail."""
    record = as_planned()
    [mail] = record.arrived[record.standing[FIRST]]
    other = mail._replace(**changes)  # type: ignore[arg-type]  # as they are named there
    return replace(record, arrived={**record.arrived, record.standing[FIRST]: [other]})


def wrong(record: QuarterRecord) -> str:
    """The one thing that is wrong."""
    _, [found] = judge(record)
    assert found.startswith(f"{COMPANY.tenant}/{QUARTER.id}: ")
    return found


def test_what_goes_as_planned_is_counted_and_nothing_is_said() -> None:
    sums, found = judge(as_planned())
    assert found == []
    assert sums.plan == sums.jobs[State.ACCEPTED] == sums.mails.total() == len(PLAN)
    assert sums.late == Counter({2: len(PLAN)})
    assert sums.punctual == 1


def test_what_does_not_go_is_named() -> None:
    record = as_planned()
    standing = {name: job for name, job in record.standing.items() if name != FIRST}
    job = record.standing[FIRST]
    arrived = {each: mails for each, mails in record.arrived.items() if each != job}
    suppressed = {**record.jobs, job: str(State.SUPPRESSED)}
    assert "start 1 of r0 should have gone at" in wrong(
        replace(record, standing=standing, arrived=arrived, jobs=suppressed)
    )


def test_what_goes_twice_is_named() -> None:
    record = as_planned()
    job = record.standing[FIRST]
    again = {**record.arrived, job: [*record.arrived[job], *record.arrived[job]]}
    _, found = judge(replace(record, arrived=again))
    assert any("Google has 2 mails of job" in each for each in found)
    assert any("r0 had 2 mails on" in each for each in found)


def test_what_goes_after_its_reviewer_was_done_is_named() -> None:
    at = PLAN[FIRST].at
    _, found = judge(replace(as_planned(), done_at={"r0": at - timedelta(days=1)}))
    assert any("when they were done" in each for each in found)
    assert any("the plan has no such mail" in each for each in found)


@pytest.mark.parametrize("seconds", [1, 299])
def test_who_is_done_within_minutes_of_a_moment_may_have_had_it_or_not(seconds: int) -> None:
    done = {"r0": PLAN[FIRST].at + timedelta(seconds=seconds)}
    assert expected_mails(QUARTER, done, None)[FIRST].may_stay
    assert set(expected_mails(QUARTER, done, None)) == {
        name for name in PLAN if name == FIRST or name.reviewer != "r0"
    }


def test_what_goes_outside_the_hours_too_early_or_to_somebody_else_is_named() -> None:
    at = PLAN[FIRST].at
    assert "of the reviewer's time" in wrong(with_first(at=at + timedelta(hours=9)))
    assert "went to somebody@else.example" in wrong(with_first(to="somebody@else.example"))
    assert "left from other@else.example" in wrong(with_first(mailbox="other@else.example"))
    _, found = judge(with_first(at=at - timedelta(minutes=1)))
    assert any("before its moment" in each for each in found)


def test_a_job_that_has_not_ended_is_named() -> None:
    record = as_planned()
    assert "job other is still ready" in wrong(
        replace(record, jobs={**record.jobs, "other": str(State.READY)})
    )


def test_what_is_late_is_no_fault_of_itself_and_counts() -> None:
    sums, found = judge(with_first(at=PLAN[FIRST].at + timedelta(minutes=6)))
    assert found == []
    assert sums.punctual == pytest.approx(1 - 1 / len(PLAN))
