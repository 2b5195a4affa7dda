"""A project of 300 mailboxes at Google's true size, in simulated time, with the ledger's real scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

import pytest
from redis import Redis

from certmail_config.base.ids import ConnectionId
from certmail_config.ledger import Lane
from certmail_worker.simulation.scenario import START, Scenario, Stall
from certmail_worker.simulation.simulator import Simulation
from support.servers.engines import running

STALLS: Final = (Stall(63, 2), Stall(70, 2, worker=1))
"""The keeper, and then another worker, stall for two seconds: in a minute that is full."""
ALLOWED: Final = 12_000 / 60
"""Requests of the project, a second."""


@pytest.fixture
def redis() -> Iterator[Redis]:
    """One that writes nothing to its disk."""
    with running("valkey") as client:
        client.config_set("appendonly", "no")
        yield client


def lane(name: str) -> Lane:
    return Lane(
        ConnectionId(name),
        name,
        f"m-{name}",
        version=1,
        project="p",
        units_per_minute=6000,
        in_flight=4,
    )


def test_300_mailboxes_use_97_percent_of_their_projects_limit_and_get_equal_shares(
    redis: Redis,
) -> None:
    sim = Simulation(redis, Scenario(stalls=STALLS, capacity=2000, step=0.05))
    names = [f"l{n}" for n in range(300)]
    sim.add_all([lane(name) for name in names])
    for name in names:
        sim.enqueue(name, 62)

    sim.run(START + 62)
    assert len(sim.left) >= 0.97 * 62 * ALLOWED
    assert unequal(sim) <= 1

    sim.run(START + 80)
    assert len(sim.left) >= 0.97 * 80 * ALLOWED, "stalls are made up for"
    assert unequal(sim) <= 1
    assert sim.refused == Counter()


def unequal(sim: Simulation) -> int:
    """How many more one has sent than another."""
    shares = Counter(id_.partition("-")[0] for _, id_ in sim.left)
    return max(shares.values()) - min(shares.values())
