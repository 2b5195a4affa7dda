"""What others notice of an abused gateway, in short: they are all answered.

`make abuse` says how fast.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from bench.abuse import abused, gateway, look_on


def test_with_few_descriptors_and_many_silent_connections_all_others_are_answered(
    tmp_path: Path,
) -> None:
    with gateway(tmp_path, descriptors=256) as place, abused(place, "silence", 300):
        seen = asyncio.run(look_on(place, 3))
        log = place.log.read_text()
    assert seen.wrong == []
    assert len(seen.health) >= 2
    assert len(log.splitlines()) < 100, log


def test_while_one_key_sends_the_worst_batches_that_it_may_others_enqueue(tmp_path: Path) -> None:
    with gateway(tmp_path) as place, abused(place, "batches", 4):
        seen = asyncio.run(look_on(place, 3))
    assert seen.wrong == []
    assert len(seen.enqueue) >= 2
