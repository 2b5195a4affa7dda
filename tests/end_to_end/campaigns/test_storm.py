"""Campaigns that people change all the while, as everything is killed: a storm of some seconds.

`make storm` is the long form. CAMPAIGN_SEED makes the same again.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from certmail_config.jobs.states import State
from chaos.campaigns.report import report
from chaos.campaigns.run import KINDS, CampaignStorm, weather
from chaos.campaigns.scoreboard import ENDS, ends
from chaos.plan import Kind

SEED = int(os.environ.get("CAMPAIGN_SEED") or random.randrange(100_000))


@pytest.mark.timeout(600)
def test_each_planned_mail_has_one_end_and_none_leaves_twice_or_too_late(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    # Who stands still for longer than a lease is waited for: that is for the long form.
    storm = CampaignStorm(
        "postgresql",
        campaigns=4,
        reviewers=8,
        workers=2,
        seconds=8,
        every=3,
        seed=SEED,
        blows=KINDS - {Kind.FREEZE},
    )
    done = weather(storm, tmp_path, settle_seconds=120, say=lambda _: None)
    record_property("said", f"Campaigns, CAMPAIGN_SEED={SEED}:\n{report(storm, done)}")

    assert done.found == []
    found = ends(done.read)
    assert set(found) <= ENDS
    assert found[State.ACCEPTED] > 0
