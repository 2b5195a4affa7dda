"""The ledger as the demo sees it: each job's state.

And whether anybody but a person may still move it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.jobs.states import FINAL, State


@dataclass(frozen=True, slots=True)
class Seen:
    """One job at a glance."""

    tenant: str
    state: State
    held: bool
    looked_for: bool
    possible_duplicate: bool
    reason: str

    @property
    def at_rest(self) -> bool:
        """Nothing will move it any more by itself."""
        return self.state in FINAL or (
            self.state is State.UNCERTAIN and self.held and not self.looked_for
        )


def glance(redis: Redis, jobs: Sequence[str]) -> Mapping[str, Seen]:
    """All jobs in one round trip; what the ledger does not know is left out."""
    names = ("tenant", "state", "held", "possible_duplicate", "reason")

    with redis.pipeline(transaction=False) as pipe:
        for job in jobs:
            pipe.hmget(redis_keys.JOB + job, names)
            pipe.zscore(redis_keys.UNSURE, job)
        answers = pipe.execute()

    seen = {}

    for job, values, look in zip(jobs, answers[0::2], answers[1::2], strict=True):
        tenant, state, held, duplicate, reason = (
            value.decode() if value else "" for value in values
        )
        if not state:
            continue
        seen[job] = Seen(
            tenant, State(state), held == "1", look is not None, duplicate == "1", reason
        )

    return seen
