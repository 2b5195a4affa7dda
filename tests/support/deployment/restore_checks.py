"""What tests of a restored store look at."""

from __future__ import annotations

import time
from typing import Any, Final

from certmail_config.base import redis_keys
from support.deployment.deployment import Deployment

ENDED: Final = {"accepted", "uncertain", "failed"}


def stopped(place: Deployment) -> str:
    code: Any = place.admin.redis.hget(redis_keys.STOPPED, "code")
    return code.decode() if code else ""


def nothing_leaves(place: Deployment, seconds: float = 3) -> bool:
    before = len(place.messages())
    time.sleep(seconds)  # there is nothing to wait for: that nothing happens is what is looked for
    return len(place.messages()) == before


def accounted_for(place: Deployment, jobs: list[str]) -> dict[str, str]:
    """All copies belong to jobs that may have left, and nobody got two."""
    states, copies = place.recorded(), place.copies()
    assert set(copies.values()) == {1}
    assert {states[job] for job in copies} <= {"accepted", "uncertain"}
    assert {job for job in jobs if states[job] == "accepted"} <= set(copies)
    return states
