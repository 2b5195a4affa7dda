"""Pacing at Google's true size, in simulated time, with the ledger's real scripts.

Limits are used, and never run into.

Google's count here is its own: arrivals in a sliding minute, by mailbox and by project. It shares
nothing with the ledger's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from certmail_config.base.ids import ConnectionId
from certmail_config.jobs.states import AttemptOutcome
from certmail_config.ledger import Lane, Pause
from certmail_config.tenants.models import GoogleLimits
from certmail_worker.simulation.campaign_study import StudyPlan, study
from certmail_worker.simulation.scenario import START, Scenario, Stall
from certmail_worker.simulation.simulator import Simulation
from support.servers.engines import running

MINUTE, DAY = 60.0, 86400.0


@pytest.fixture(scope="module")
def server() -> Iterator[Redis]:
    """One that writes nothing to its disk."""
    with running("valkey") as client:
        client.config_set("appendonly", "no")
        yield client


@pytest.fixture
def redis(server: Redis) -> Redis:
    server.flushall()
    return server


STALLS = {
    "nothing stalls": (),
    "the keeper and another worker stall for two seconds": (Stall(40, 2), Stall(80, 2, worker=1)),
}


def lane(name: str, **more: int | str) -> Lane:
    given: dict[str, Any] = {"project": "p", "units_per_minute": 6000, "in_flight": 4} | more
    return Lane(ConnectionId(name), name, f"m-{name}", version=1, **given)


def simulation(redis: Redis, stalls: tuple[Stall, ...] = (), **scenario: object) -> Simulation:
    return Simulation(redis, Scenario(stalls=stalls, **scenario))  # type: ignore[arg-type]  # by name


def left_of(sim: Simulation, name: str) -> list[float]:
    return [at - START for at, id_ in sim.left if id_.startswith(f"{name}-")]


@pytest.mark.parametrize("stalls", STALLS.values(), ids=STALLS)
@pytest.mark.parametrize(("units", "allowed"), [(6000, 60), (15000, 150)])
def test_one_mailbox_uses_97_percent_of_its_limit_and_provokes_no_refusal(
    redis: Redis, stalls: tuple[Stall, ...], units: int, allowed: int
) -> None:
    sim = simulation(redis, stalls)
    sim.add(lane("a", units_per_minute=units))
    sim.enqueue("a", 400)
    sim.run(START + 120)
    assert len(sim.left) >= 0.97 * 2 * allowed
    assert sim.refused == Counter()


def test_answers_that_take_long_cost_some_of_it_but_provoke_nothing(redis: Redis) -> None:
    sim = simulation(redis, latency=(1.0, 5.0))
    sim.add(lane("a", in_flight=10))
    sim.enqueue("a", 400)
    sim.run(START + 300)
    assert len(sim.left) >= 0.93 * 300
    assert sim.refused == Counter()


def test_5000_jobs_of_one_tenant_delay_the_single_job_of_another_by_less_than_a_second(
    redis: Redis,
) -> None:
    """Ten times as many as a dispatch or the reaper looks at in one step."""
    sim = simulation(redis)
    sim.add_all([lane("big"), lane("small")])
    sim.enqueue("big", 5_000)
    sim.run(START + 10)
    sim.enqueue("small", 1)
    sim.run(START + 12)
    [left] = left_of(sim, "small")
    assert left - 10 < 1


def test_so_it_is_with_190_such_tenants_in_a_project_that_they_do_not_fill(redis: Redis) -> None:
    sim = simulation(redis, capacity=2000, step=0.05)
    names = [f"l{n}" for n in range(190)]
    sim.add_all([lane(name) for name in [*names, "small"]])
    for name in names:
        sim.enqueue(name, 15)
    sim.run(START + 4.4)
    sim.enqueue("small", 1)
    sim.run(START + 7)
    [left] = left_of(sim, "small")
    assert left - 4.4 < 1


def test_three_hanging_sends_of_one_tenant_delay_nobody_else(redis: Redis) -> None:
    sim = simulation(redis)
    sim.add_all([lane("hangs", in_flight=3), lane("other")])
    sim.enqueue("hangs", 100)
    sim.enqueue("other", 60)
    sim.hang = lambda name, _: 25.0 if name == "hangs" else 0.0
    sim.run(START + 60)
    assert len(left_of(sim, "other")) >= 58
    assert len(left_of(sim, "hangs")) <= 9


def test_an_urgent_job_overtakes_its_own_lane(redis: Redis) -> None:
    sim = simulation(redis)
    sim.add(lane("a"))
    sim.enqueue("a", 200)
    sim.run(START + 5)
    [urgent] = sim.enqueue("a", 1, priority=0)
    sim.run(START + 8)
    [left] = [at - START for at, id_ in sim.left if id_ == urgent]
    assert left - 5 < 1.3


def test_a_429_with_a_deadline_of_15_minutes_is_kept_to_and_one_probe_follows(redis: Redis) -> None:
    sim = simulation(redis)
    sim.add(lane("a"))
    sim.enqueue("a", 400)
    asked: list[float] = []

    def google(_: str, at: float) -> AttemptOutcome | Pause | None:
        asked.append(at - START)
        if at < START + 100:
            return None
        deadline = START + 100 + 900
        return Pause(deadline + 1, named=True) if at < deadline else None

    sim.answer = google
    sim.run(START + 1100)
    during = [at for at in asked if 100 <= at < 1000]
    assert len(during) == 1, "the one that was told to wait"
    first, second = [at for at in asked if at >= 1000][:2]
    assert 1001 <= first < 1002
    assert second - first > 0.15, "nothing before the probe is answered"
    assert len(sim.left) == len(asked) - 1


def test_an_outage_of_google_makes_few_uncertain_jobs(redis: Redis) -> None:
    """500 mailboxes, ten minutes of answers that say nothing."""
    sim = simulation(redis, capacity=2000, step=0.05)
    names = [f"l{n}" for n in range(500)]
    sim.add_all([lane(name) for name in names])
    for name in names:
        sim.enqueue(name, 4)
    sim.answer = lambda _, at: AttemptOutcome.UNKNOWN if START + 5 <= at < START + 605 else None
    sim.run(START + 605)
    unknown = sim.uncertain
    sim.run(START + 700)

    assert unknown < 150, "what was under way, and a probe every 15 seconds"
    assert sim.uncertain <= unknown + 1
    assert len(sim.left) + sim.uncertain == 2000


def test_a_full_day_parks_a_mailbox_and_lets_others_go_on(redis: Redis) -> None:
    sim = simulation(redis)
    sim.add_all([lane("a", per_day=100), lane("b")])
    sim.enqueue("a", 120)
    sim.enqueue("a", 30, life=3600)
    sim.enqueue("b", 200)
    sim.run(START + 3700)
    assert len(left_of(sim, "a")) == 100
    assert len(left_of(sim, "b")) == 200

    sim.run(START + DAY + 1000)
    assert len(left_of(sim, "a")) == 120, "30 have expired meanwhile"
    assert sim.waiting() == 0


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(StudyPlan(5, 500, GoogleLimits()), id="mailboxes bind"),
        pytest.param(
            StudyPlan(30, 900, GoogleLimits(project_units_per_minute=90_000)),
            id="the project binds",
        ),
        pytest.param(StudyPlan(2, 300, GoogleLimits(per_day=60)), id="days bind"),
        pytest.param(
            StudyPlan(3, 200, GoogleLimits(), own_projects=True), id="projects of their own"
        ),
        pytest.param(
            StudyPlan(4, 400, GoogleLimits(project_units_per_day=20_000)),
            id="the project's day binds",
        ),
        pytest.param(StudyPlan(2, 200, GoogleLimits(warm_up_days=3)), id="warming up"),
    ],
)
def test_forecasts_are_within_5_percent_of_what_then_happens(plan: StudyPlan) -> None:
    result = study(plan)
    assert result["forecast_seconds"] == pytest.approx(result["seconds"], rel=0.05)
    assert result["refused_by_google"] == 0
    assert all(row["used"] <= 1 for row in result["limits"])


def test_a_study_says_what_binds_and_what_it_costs() -> None:
    result = study(StudyPlan(10, 1000, GoogleLimits()))
    used = {row["limit"]: row["used"] for row in result["limits"]}
    assert used["mailbox, minute"] > 0.95
    assert used["project, minute"] < 0.2
    assert 500 < result["redis"]["bytes_per_waiting_job"] < 2048
    assert result["redis"]["commands_per_mail"] > 10
    a_second = 1000 / result["redis"]["cpu_ms_per_mail"]
    assert result["redis"]["mails_per_second_at_most"] == pytest.approx(a_second, rel=0.01)
