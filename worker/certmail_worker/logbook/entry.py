"""An entry of the logbook."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class Who(StrEnum):
    """Who has to do something."""

    NOBODY = "nobody"
    OPERATOR = "whoever runs certmail"
    TENANT = "the tenant's administrator"
    UPSTREAM = "the application that enqueues"
    CERTMAIL = "whoever runs certmail, by reporting it"


class Urgency(StrEnum):
    """How soon."""

    NONE = ""
    WEEK = "within days"
    DAY = "today"
    NOW = "now"


class Entry(NamedTuple):
    """What a line's event, or the code in it, means, and what follows from that.

    `commands` are for copying; `see` is an anchor of docs/runbook.md.
    """

    name: str
    means: str
    who: Who = Who.NOBODY
    urgency: Urgency = Urgency.NONE
    do: str = ""
    commands: tuple[str, ...] = ()
    see: str = ""

    def as_json(self) -> dict[str, object]:
        """The form that `--json` gives it."""
        value = self._asdict() | {"commands": list(self.commands)}
        return {name: item for name, item in value.items() if item}


NOBODY, OPERATOR, TENANT, UPSTREAM, CERTMAIL = Who
NONE, WEEK, DAY, NOW = Urgency
DOCTOR: Final = "certmail doctor"
STATUS: Final = "certmail status JOB"
SHOW: Final = "certmail connections show CONNECTION"
PROBE: Final = "certmail connections probe CONNECTION"
WEBHOOK: Final = "certmail webhooks show WEBHOOK"
REPAIR: Final = "certmail doctor --repair"
UNCERTAIN: Final = "certmail uncertain list"
