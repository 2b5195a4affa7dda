"""When the caretaker checks which connection again, and of which certificate it warns.

Pure but for jitter; times are wall-clock seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from tenacity import wait_exponential, wait_random

from certmail_config.sql.registry import ConnectionHealth
from certmail_config.tenants.models import ConnectionKind, ConnectionState
from certmail_worker.google import backoff

# In rounds of the caretaker, of CARE_SECONDS (10) each.
SOON = wait_exponential(multiplier=3, min=3, max=360) + wait_random(0, 0.5)
"""For what an administrator may be setting up just now, or Google may be spreading.

Half a minute, growing to an hour.
"""
OURS = wait_exponential(multiplier=1.5, min=1.5, max=60) + wait_random(0, 0.5)
"""For what is mended on our side, where a check costs nobody anything.

15 seconds, growing to ten minutes.
"""
LATER = wait_exponential(multiplier=30, min=30, max=2160) + wait_random(0, 6)
"""For what is seldom mended without a person who then says so.

But it may have been a moment of Google's: five minutes to six hours.
"""
SPREADING: Final = frozenset(
    {
        "delegation_missing",
        "key_unknown",
        "certificate_not_uploaded",
        "service_account_unknown",
        "api_disabled",
        "scope_missing",
    }
)
WARN_DAYS: Final = (30, 7, 1)
"""Days before a certificate's end."""
IDLE_SECONDS: Final = 30 * 86_400.0
"""A refresh token that Google has not seen for so long is used.

After six months Google would drop it (google.md §3.4).
"""
FORGET_SECONDS: Final = 86_400.0
"""A connection that needed no check for so long counts as healthy.

Its next trouble is a first one.
"""


def needs_checks(health: ConnectionHealth) -> bool:
    """Whether a connection may change by itself: begin to work, cease to, or be rotated.

    That is, without anybody's saying so to certmail; rotated: have its next certificate take over.
    """
    if health.state is ConnectionState.ACTIVE and health.refused:
        return True  # refused once: it is checked again before that is believed

    if health.kind is ConnectionKind.SERVICE_PROVIDER_APP:
        return health.state is ConnectionState.ATTENTION and health.linked
    if health.kind is None or health.state is ConnectionState.DISABLED:
        return False
    return health.rotating or health.state in {ConnectionState.PENDING, ConnectionState.ATTENTION}


def rounds_until_check(health: ConnectionHealth, checks: int) -> float:
    """In how many rounds to check a connection, after so many checks in vain."""
    code = health.code or ""
    if code.startswith("vault_"):
        return backoff.seconds(OURS, checks + 1)

    soon = health.state is not ConnectionState.ATTENTION or health.rotating or code in SPREADING
    return backoff.seconds(SOON if soon else LATER, checks + 1)


def _trouble(health: ConnectionHealth) -> str:
    """The trouble for which a connection is checked.

    Each certificate that is to take over is a matter of its own.
    """
    if health.state is ConnectionState.ACTIVE and health.refused:
        return "a refusal"
    if health.state is ConnectionState.ACTIVE:
        return f"the certificate after that of {health.not_after}"
    return f"{health.state} {health.code}"


def warning_days(not_after: datetime, now: datetime) -> int | None:
    """The warning that is due: a certificate ends in so many days or less.

    None if that is far off, or over.
    """
    left = (not_after - now).total_seconds()
    return min((days for days in WARN_DAYS if 0 < left <= days * 86_400), default=None)


@dataclass(slots=True)
class ScheduledCheck:
    """The checks of one connection: how many there were, when the next is, and what for."""

    checks: int
    next_at: float
    trouble: str


@dataclass(slots=True)
class CheckSchedule:
    """All scheduled checks, by connection.

    It is one keeper's memory: another begins anew, soon.
    """

    round_seconds: float = 10.0
    scheduled: dict[str, ScheduledCheck] = field(default_factory=dict)
    count_at: float = 0.0
    """When to count again what waits, on this process's clock."""
    sample_at: float = 0.0
    """When to count again for metrics."""

    def due(self, connections: list[ConnectionHealth], now: float) -> list[ConnectionHealth]:
        """The connections to check now; counts them as checked."""
        due = []

        for health in connections:
            if not needs_checks(health):
                continue

            check = self.scheduled.get(health.id)
            first_at = now + rounds_until_check(health, 0) * self.round_seconds
            trouble = _trouble(health)
            if check is None or (check.trouble != trouble and check.next_at > first_at):
                # New, or in other trouble than the last time, which may pass sooner.
                check = self.scheduled[health.id] = ScheduledCheck(0, first_at, trouble)

            if now >= check.next_at:
                check.checks, check.trouble = check.checks + 1, trouble
                check.next_at = now + rounds_until_check(health, check.checks) * self.round_seconds
                due.append(health)

        self.scheduled = {
            id_: check
            for id_, check in self.scheduled.items()
            if now <= check.next_at + FORGET_SECONDS
        }

        return due
