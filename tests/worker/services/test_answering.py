"""How many doorbells may be unanswered follows what workers answer."""

from __future__ import annotations

from certmail_worker.services.answering import SECONDS, Answering


def steps(answering: Answering, *, per_step: int, every: float, count: int, at: float) -> float:
    """Steps of a pacer whose workers answer so many doorbells between two; gives the time."""
    for _ in range(count):
        at += every
        answering.saw(unanswered=50, rung=per_step, now=at)
    return at


def test_nothing_is_known_at_first() -> None:
    answering = Answering()
    assert answering.may_be_unanswered == 0
    answering.saw(unanswered=50, rung=50, now=7.0)
    assert answering.may_be_unanswered == 0


def test_it_comes_to_what_workers_answer_in_part_of_a_second() -> None:
    answering = Answering()
    steps(answering, per_step=20, every=0.02, count=200, at=0)
    assert abs(answering.may_be_unanswered - 1000 * SECONDS) <= 1


def test_one_burst_of_answers_is_no_speed() -> None:
    """Doorbells are taken many at a time: 50 answers in a hundredth of a second are not 5,000."""
    answering = Answering()
    at = steps(answering, per_step=1, every=0.1, count=50, at=0)
    answering.saw(unanswered=50, rung=50, now=at + 0.01)
    assert answering.per_second < 150


def test_workers_that_become_slow_are_given_less() -> None:
    answering = Answering()
    at = steps(answering, per_step=20, every=0.02, count=200, at=0)
    steps(answering, per_step=1, every=0.1, count=30, at=at)
    assert answering.may_be_unanswered <= 4


def test_a_step_of_no_time_changes_nothing() -> None:
    answering = Answering()
    at = steps(answering, per_step=20, every=0.02, count=200, at=0)
    before = answering.per_second
    answering.saw(unanswered=10, rung=0, now=at)
    assert answering.per_second == before
