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

STALLS: Final = {
    "nothing stalls": (),
    "the keeper and another worker stall for two seconds": (Stall(25, 2), Stall(50, 2, worker=1)),
}


@pytest.fixture
def redis() -> Iterator[Redis]:
    """One that does not wait for its disk."""
    with running("valkey") as client:
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


@pytest.mark.parametrize("stalls", STALLS.values(), ids=STALLS)
def test_300_mailboxes_use_97_percent_of_their_projects_limit_and_get_equal_shares(
    redis: Redis, stalls: tuple[Stall, ...]
) -> None:
    sim = Simulation(redis, Scenario(stalls=stalls, capacity=2000))
    names = [f"l{n}" for n in range(300)]
    sim.add_all([lane(name) for name in names])

    for name in names:
        sim.enqueue(name, 60)
    sim.run(START + 75)
    assert len(sim.left) >= 0.97 * 1.25 * 12_000
    assert sim.refused == Counter()

    shares = Counter(id_.partition("-")[0] for _, id_ in sim.left)
    assert max(shares.values()) - min(shares.values()) <= (6 if stalls else 3)
