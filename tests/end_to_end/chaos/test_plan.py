"""The plan of a storm: the same for the same seed, and everything in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

from chaos.plan import LEASE_SECONDS, MAX_OF, Cut, Fault, Garbage, Kind, Storm, plan

SHORT = Storm(seed=7)
LONG = Storm(reminders=10_000, tenants=50, workers=4, seconds=240, seed=7)


def test_the_same_seed_gives_the_same_blows_and_another_one_others() -> None:
    assert plan(SHORT) == plan(SHORT)
    assert plan(SHORT) != plan(replace(SHORT, seed=8))


def test_every_kind_of_blow_falls_even_in_a_short_storm() -> None:
    for seed in range(20):
        blows = plan(replace(SHORT, seed=seed))
        assert {blow.kind for blow in blows} == set(Kind)
        assert {blow.what for blow in blows if blow.kind is Kind.GOOGLE} == set(Fault)


def test_a_kind_that_is_left_out_changes_nothing_about_the_others() -> None:
    without = frozenset(Kind) - {Kind.KILL}
    assert plan(replace(SHORT, blows=without)) == tuple(
        blow for blow in plan(SHORT) if blow.kind is not Kind.KILL
    )


def test_garbage_comes_through_every_door() -> None:
    for seed in range(20):
        blows = [blow for blow in plan(replace(SHORT, seed=seed)) if blow.kind is Kind.GARBAGE]
        assert {blow.what for blow in blows} == set(Garbage)


def test_a_worker_is_killed_every_three_to_five_seconds() -> None:
    at = [blow.at for blow in plan(LONG) if blow.kind is Kind.KILL]
    assert all(3 <= later - earlier <= 5 for earlier, later in pairwise(at))
    assert len(at) > 50


def test_some_freezes_last_longer_than_a_lease() -> None:
    for storm in (SHORT, LONG):
        lasts = [blow.seconds for blow in plan(storm) if blow.kind is Kind.FREEZE]
        assert min(lasts) < LEASE_SECONDS < max(lasts) < LEASE_SECONDS + 8


def test_connections_are_cut_in_each_way() -> None:
    assert {blow.what for blow in plan(LONG) if blow.kind is Kind.CUT} == set(Cut)


def test_a_tenant_meets_the_faults_that_last_no_more_often_than_it_may() -> None:
    for storm in (SHORT, LONG):
        blows = [blow for turn in range(3) for blow in plan(storm, turn)]
        met = Counter((blow.what, blow.target) for blow in blows if blow.kind is Kind.GOOGLE)
        assert all(
            met[fault, n] <= most for fault, most in MAX_OF.items() for n in range(storm.tenants)
        )
