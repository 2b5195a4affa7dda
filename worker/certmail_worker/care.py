"""When the caretaker looks at which connection again, and of what it warns. Pure but for jitter; times are wall-clock seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from tenacity import wait_exponential, wait_random

from certmail_config.connections import ConnectionState, Kind
from certmail_config.sql.registry import Glance
from certmail_worker import backoff

SOON = wait_exponential(multiplier=30, min=30, max=3600) + wait_random(0, 5)
"""What an administrator may be setting up just now, or Google may be spreading."""
OURS = wait_exponential(multiplier=15, min=15, max=600) + wait_random(0, 5)
"""What is mended on our side: looking costs nobody anything."""
LATER = wait_exponential(multiplier=300, min=300, max=21_600) + wait_random(0, 60)
"""What is seldom mended without a person who then says so; but it may have been no more than a moment of Google's."""
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


def is_patient(glance: Glance) -> bool:
    """Whether it may turn out to work, or to have a certificate take over, without anybody's saying so."""
    if glance.kind is Kind.SERVICE_PROVIDER_APP:
        return glance.state is ConnectionState.ATTENTION and glance.linked
    if glance.kind is None or glance.state is ConnectionState.DISABLED:
        return False
    return glance.rotating or glance.state in {ConnectionState.PENDING, ConnectionState.ATTENTION}


def heal_in(glance: Glance, tries: int) -> float:
    """In how many seconds to look at a patient, after so many looks in vain."""
    code = glance.code or ""
    if code.startswith("vault_"):
        return backoff.seconds(OURS, tries + 1)
    soon = glance.state is not ConnectionState.ATTENTION or glance.rotating or code in SPREADING
    return backoff.seconds(SOON if soon else LATER, tries + 1)


def warning_days(not_after: datetime, now: datetime) -> int | None:
    """The warning that is due: a certificate ends in so many days or less; None if that is far off, or over."""
    left = (not_after - now).total_seconds()
    return min((days for days in WARN_DAYS if 0 < left <= days * 86_400), default=None)


@dataclass(slots=True)
class Case:
    """A patient: looked at so often, last and next at these times."""

    tries: int
    last: float
    next: float
    code: str | None


@dataclass(slots=True)
class Ward:
    """All patients. It is one keeper's memory: another begins anew, soon."""

    cases: dict[str, Case] = field(default_factory=dict)

    def due(self, glances: list[Glance], now: float) -> list[Glance]:
        """Those to be looked at now; counts as looked at."""
        found = []
        for glance in glances:
            if not is_patient(glance):
                continue
            case = self.cases.get(glance.id)
            if case is None or (case.code != glance.code and case.next - now > heal_in(glance, 0)):
                # New, or in other trouble than the last time, which may pass sooner.
                case = self.cases[glance.id] = Case(0, now, now + heal_in(glance, 0), glance.code)
            if now >= case.next:
                case.tries, case.last, case.code = case.tries + 1, now, glance.code
                case.next = now + heal_in(glance, case.tries)
                found.append(glance)
        for id_ in [id_ for id_, case in self.cases.items() if now > case.next + FORGOTTEN_SECONDS]:
            del self.cases[id_]
        return found
