"""What tests of a restored store look at."""

from __future__ import annotations

import time
from typing import Any, Final

from certmail_config.base import redis_keys
from support.deployment.deployment import Deployment

ENDED: Final = {"accepted", "uncertain", "failed"}


def stopped(deployment: Deployment) -> str:
    code: Any = deployment.admin.redis.hget(redis_keys.STOPPED, "code")
    return code.decode() if code else ""


def nothing_leaves(deployment: Deployment, seconds: float = 3) -> bool:
    before = len(deployment.messages())
    time.sleep(seconds)  # there is nothing to wait for: that nothing happens is what is looked for
    return len(deployment.messages()) == before


def accounted_for(deployment: Deployment, jobs: list[str]) -> dict[str, str]:
    """All copies belong to jobs that may have left, and nobody got two."""
    states, copies = deployment.recorded(), deployment.copies()
    assert set(copies.values()) == {1}
    assert {states[job] for job in copies} <= {"accepted", "uncertain"}
    assert {job for job in jobs if states[job] == "accepted"} <= set(copies)
    return states
