"""A chaos test of twenty seconds: everything goes wrong at once, and the record is right after.

`make chaos` is the long form.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.plan import Storm
from chaos.report import report
from chaos.run import Rules, weather

SEED = int(os.environ.get("CHAOS_SEED") or random.randrange(100_000))


@pytest.mark.timeout(600)
def test_after_a_storm_nothing_is_lost_nothing_was_sent_twice_and_the_record_says_what_is_not_known(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    storm = Storm(seed=SEED)
    done = weather(storm, tmp_path, Rules(), say=lambda _: None)
    record_property("said", f"The storm, CHAOS_SEED={SEED}:\n{report(storm, done)}")
    assert done.found == []
