"""When the caretaker looks at which connection again, and of what it warns.

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
"""What an administrator may be setting up just now, or Google may be spreading: half a minute, growing to an hour."""
OURS = wait_exponential(multiplier=1.5, min=1.5, max=60) + wait_random(0, 0.5)
"""What is mended on our side, where looking costs nobody anything: 15 seconds, growing to ten minutes."""
LATER = wait_exponential(multiplier=30, min=30, max=2160) + wait_random(0, 6)
"""What is seldom mended without a person who then says so, but may have been a moment of Google's: five minutes to six hours."""
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
"""Before a certificate's end."""
IDLE_SECONDS: Final = 30 * 86_400.0
"""A refresh token that Google has not seen for so long is used: after six months it would be dropped (google.md §3.4)."""
FORGOTTEN_SECONDS: Final = 86_400.0
"""A connection that needed no look for so long counts as healthy: its next trouble is a first one."""


def needs_checks(health: ConnectionHealth) -> bool:
    """Whether it may turn out to work, or not to, or to have a certificate take over, without anybody's saying so."""
    if health.state is ConnectionState.ACTIVE and health.refused:
        return True  # refused once: it is looked at again before it is believed
    if health.kind is ConnectionKind.SERVICE_PROVIDER_APP:
        return health.state is ConnectionState.ATTENTION and health.linked
    if health.kind is None or health.state is ConnectionState.DISABLED:
        return False
    return health.rotating or health.state in {ConnectionState.PENDING, ConnectionState.ATTENTION}


def check_in(health: ConnectionHealth, tries: int) -> float:
    """In how many rounds to look at a patient, after so many looks in vain."""
    code = health.code or ""
    if code.startswith("vault_"):
        return backoff.seconds(OURS, tries + 1)
    soon = health.state is not ConnectionState.ATTENTION or health.rotating or code in SPREADING
    return backoff.seconds(SOON if soon else LATER, tries + 1)


def _trouble(health: ConnectionHealth) -> str:
    """What it is looked at for; each certificate that is to take over is a matter of its own."""
    if health.state is ConnectionState.ACTIVE and health.refused:
        return "a refusal"
    if health.state is ConnectionState.ACTIVE:
        return f"the certificate after that of {health.not_after}"
    return f"{health.state} {health.code}"


def warning_days(not_after: datetime, now: datetime) -> int | None:
    """The warning that is due: a certificate ends in so many days or less; None if that is far off, or over."""
    left = (not_after - now).total_seconds()
    return min((days for days in WARN_DAYS if 0 < left <= days * 86_400), default=None)


@dataclass(slots=True)
class ScheduledCheck:
    """A patient: looked at so often, and next at this time."""

    tries: int
    next: float
    trouble: str


@dataclass(slots=True)
class CheckSchedule:
    """All patients; a round takes so many seconds.

    It is one keeper's memory: another begins anew, soon.
    """

    round_seconds: float = 10.0
    cases: dict[str, ScheduledCheck] = field(default_factory=dict)
    count_at: float = 0.0
    """When to count again what waits, on this process's clock."""

    def due(self, candidates: list[ConnectionHealth], now: float) -> list[ConnectionHealth]:
        """Those to be looked at now; counts as looked at."""
        found = []

        for health in candidates:
            if not needs_checks(health):
                continue

            case = self.cases.get(health.id)
            first = now + check_in(health, 0) * self.round_seconds
            trouble = _trouble(health)
            if case is None or (case.trouble != trouble and case.next > first):
                # New, or in other trouble than the last time, which may pass sooner.
                case = self.cases[health.id] = ScheduledCheck(0, first, trouble)

            if now >= case.next:
                case.tries, case.trouble = case.tries + 1, trouble
                case.next = now + check_in(health, case.tries) * self.round_seconds
                found.append(health)

        for id_ in [id_ for id_, case in self.cases.items() if now > case.next + FORGOTTEN_SECONDS]:
            del self.cases[id_]
        return found
