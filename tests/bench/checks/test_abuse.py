"""What others notice of an abused gateway, in short: they are all answered.

`make abuse` says how fast.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest

from bench.abuse import Place, abused, gateway, look_on


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A gateway with few descriptors."""
    with gateway(tmp_path_factory.mktemp("gateway"), descriptors=256) as place:
        yield place


def test_with_few_descriptors_and_many_silent_connections_all_others_are_answered(
    place: Place,
) -> None:
    with abused(place, "silence", 300):
        seen = asyncio.run(look_on(place, 3))
        log = place.log.read_text().splitlines()
    errors = [line for line in log if json.loads(line)["level"] == "error"]
    assert seen.wrong == []
    assert len(seen.health) >= 2
    assert len(errors) < 100, errors


def test_while_one_key_sends_the_worst_batches_that_it_may_others_enqueue(place: Place) -> None:
    with abused(place, "batches", 4):
        seen = asyncio.run(look_on(place, 3))
    assert seen.wrong == []
    assert len(seen.enqueue) >= 2
