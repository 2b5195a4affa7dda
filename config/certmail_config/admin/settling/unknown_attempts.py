"""Which attempts of a job nobody knows the outcome of. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from certmail_config.jobs.states import AttemptOutcome

MAX_ATTEMPTS: Final = 10_000
"""More than any job makes: as the ledger's scripts have it."""


def unknown_attempts(job: Mapping[str, str]) -> tuple[int, ...]:
    """The attempts of a job's hash of which nobody knows what became, the newest last."""
    numbers = range(1, min(int(job.get("attempt", "0")), MAX_ATTEMPTS) + 1)
    return tuple(n for n in numbers if job.get(f"outcome:{n}") == AttemptOutcome.UNKNOWN)
