"""What the soak's report says, and for what it does not pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from soak.facts import Accounts, Entry, Plan, Sample, Soaked, named
from soak.judging import Late
from soak.report import failures, report, rows, spark
from soak.week import Week

WEEK = Week(600, 1)
WARM_UP = 150.0
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DELIVERED = Entry(
    tenant="t00",
    state="accepted",
    possible_duplicate=False,
    decided=False,
    due=NOON,
    scheduled=False,
    accepted=NOON + timedelta(seconds=1),
    attempts=1,
)


def soaked(*, memory: Callable[[float], float] = lambda _: 100.0, errors: int = 0) -> Soaked:
    """A week in which one reminder was sent; a worker's memory by time."""
    samples = [
        Sample(
            at,
            WEEK.load(at),
            WEEK.steady(at),
            0,
            {
                "worker 1: RSS": memory(at),
                "worker 1: descriptors": 30,
                "worker 1: threads": 9,
                "Redis: memory used": 5,
            },
        )
        for at in range(0, 600, 3)
    ]
    mails = [Late(at, at % 7 / 10, WEEK.load(at)) for at in range(600) for _ in range(4)]
    return Soaked(
        samples=samples,
        judged=("worker 1",),
        mails=mails,
        scheduled=[],
        accounts=Accounts({"j1": "t00"}, 1, {"j1": DELIVERED}, Counter(["j1"])),
        wrong=[],
        counts=[],
        errors=Counter({"worker-1: broken": errors} if errors else {}),
    )


def said(done: Soaked) -> str:
    return report(Plan(WEEK, named(20, 0), 1, sqlite=False), done, WARM_UP)


def test_what_is_flat_and_accounted_for_passes() -> None:
    text = said(soaked(errors=3))
    assert text.endswith("passed: flat, and everything is accounted for")
    assert "NOT FLAT" not in text
    assert "log: worker-1: broken, 3 times" in text


def test_a_process_that_grows_is_named() -> None:
    done = soaked(memory=lambda at: 100 + at / 20)
    assert failures(done, rows(done, WARM_UP)) == ["not flat: worker 1: RSS"]
    assert said(done).endswith("FOUND not flat: worker 1: RSS\nnot passed")


def test_what_grows_while_it_warms_up_is_not_judged() -> None:
    done = soaked(memory=lambda at: min(100 + at, 100 + WARM_UP))
    assert failures(done, rows(done, WARM_UP)) == []


def test_of_what_was_not_measured_nobody_says_that_it_is_flat() -> None:
    done = replace(soaked(), samples=[])
    assert "not flat: Redis: memory used" in failures(done, rows(done, WARM_UP))


@pytest.mark.parametrize(
    ("accounts", "words"),
    [
        (Accounts({}, 1, {}, Counter()), "0 receipts for 1 reminders"),
        (Accounts({"j1": "t"}, 1, {}, Counter(["j1"])), "never on record"),
        (Accounts({"j1": "t"}, 1, {"j1": DELIVERED}, Counter()), "no mail arrived"),
        (
            Accounts({"j1": "t"}, 1, {"j1": DELIVERED}, Counter(["j1", "j1"])),
            "no possible duplicate is on record",
        ),
        (
            Accounts({"j1": "t"}, 1, {"j1": replace(DELIVERED, state="failed")}, Counter(["j1"])),
            "it is failed, and 1 mails arrived",
        ),
        (
            Accounts({"j1": "t"}, 1, {"j1": replace(DELIVERED, state="ready")}, Counter()),
            "it is still ready",
        ),
        (
            Accounts({"j1": "t"}, 1, {"j1": replace(DELIVERED, state="uncertain")}, Counter()),
            "it is still uncertain",
        ),
        (
            Accounts({"j1": "t"}, 1, {"j1": DELIVERED}, Counter(["j1", "j2"])),
            "j2: nobody enqueued it",
        ),
        (Accounts({}, 0, {}, Counter(), set_aside=2), "2 events could not be recorded"),
    ],
)
def test_what_is_lost_or_doubled_is_named(accounts: Accounts, words: str) -> None:
    done = replace(soaked(), accounts=accounts)
    [found] = failures(done, rows(done, WARM_UP))
    assert words in found


def test_a_doubt_that_somebody_has_closed_and_a_duplicate_on_record_are_in_order() -> None:
    entries = {
        "j1": replace(DELIVERED, state="uncertain", decided=True),
        "j2": replace(DELIVERED, possible_duplicate=True),
    }
    accounts = Accounts({"j1": "t", "j2": "t"}, 2, entries, Counter(["j1", "j2", "j2"]))
    done = replace(soaked(), accounts=accounts)
    assert failures(done, rows(done, WARM_UP)) == []


def test_many_findings_are_cut_short() -> None:
    done = replace(soaked(), wrong=[f"status {n}" for n in range(100)])
    found = failures(done, rows(done, WARM_UP))
    assert len(found) == 21
    assert found[-1] == "… and 80 more like the last"


def test_a_series_is_drawn_from_its_least_to_its_most() -> None:
    assert spark([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert spark([5.0] * 100) == "▁" * 32


def test_every_reminder_has_its_tenant_and_nine_of_ten_go_to_the_many() -> None:
    few = named(20, 0)
    assert {few.of(n) for n in range(20)} == set(few.few)
    many = named(20, 50)
    turn = [many.of(n) for n in range(1_000)]
    assert sum(tenant in many.many for tenant in turn) == 900
    assert set(turn) == {*many.few, *many.many}
    assert many.left_alone >= set(many.many)
