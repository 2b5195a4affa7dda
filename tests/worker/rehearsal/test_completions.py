"""Who becomes done on the way in a rehearsal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from certmail_config.campaigns.plan import Enrolment
from certmail_worker.rehearsal.completions import Completion, drawn, named
from support.campaigns.kept import a_campaign, a_reviewer

BEGINS: Final = datetime(2026, 11, 10, 8, tzinfo=UTC)


def enrolment(count: int = 50, **changes: object) -> Enrolment:
    people = [a_reviewer(f"r{n}", pending=3) for n in range(count)]
    return Enrolment(a_campaign(**changes), [*people, a_reviewer("done", pending=0)])


def test_such_a_share_of_those_who_have_something_left_is_drawn_each_once() -> None:
    one = enrolment()
    found = drawn([one], 0.6, BEGINS, seed=1)
    assert len(found) == len({each.reviewer for each in found}) == 30
    assert "done" not in {each.reviewer for each in found}
    assert all(BEGINS <= each.at <= one.campaign.due for each in found)


def test_the_same_seed_draws_the_same_and_another_seed_another() -> None:
    one = [enrolment()]
    assert drawn(one, 0.5, BEGINS, seed=1) == drawn(one, 0.5, BEGINS, seed=1)
    assert drawn(one, 0.5, BEGINS, seed=1) != drawn(one, 0.5, BEGINS, seed=2)


def test_all_or_nobody_can_be_drawn() -> None:
    assert len(drawn([enrolment()], 1.0, BEGINS, seed=1)) == 50
    assert drawn([enrolment()], 0.0, BEGINS, seed=1) == []


def test_who_is_named_is_done_in_each_campaign_that_has_them() -> None:
    both = [enrolment(), enrolment(2, id="other")]
    assert [each.campaign for each in named(both, "r1", BEGINS)] == ["2026-q4", "other"]
    assert named(both, "r7", BEGINS) == [Completion(BEGINS, "acme", "2026-q4", "r7")]
    assert named(both, "nobody", BEGINS) == []
