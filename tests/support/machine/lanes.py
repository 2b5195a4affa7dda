"""The lanes of the machine, their mailboxes and projects, and what these may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from certmail_config.base.ids import ConnectionId
from certmail_config.ledger import Lane

MAILBOX: Final = {"a": "m1", "b": "m1", "c": "m2", "d": "m3"}
PROJECT: Final = {"a": "p1", "b": "p1", "c": "p1", "d": "p2"}
TENANT: Final = {"a": "acme", "b": "acme", "c": "acme", "d": "globex"}
"""The lanes: `a` and `b` share a mailbox, and with `c` a project; `d` is another tenant's.

Only in `c` can sent mails be looked up.
"""


@dataclass(frozen=True)
class Limits:
    """What a lane's mailbox and project may do."""

    units: int = 6000
    in_flight: int = 2
    per_day: int = 1000
    project_units: int = 1_200_000
    project_units_per_day: int = 80_000_000
    warm_up_days: int = 0

    def of(self, lane: str, mailbox: str, project: str) -> Lane:
        """These limits for a lane of such a mailbox in such a project."""
        return Lane(
            ConnectionId(lane),
            TENANT[lane],
            mailbox,
            self.units,
            self.in_flight,
            1,
            verify=lane == "c",
            project=project,
            per_day=self.per_day,
            project_units_per_minute=self.project_units,
            project_units_per_day=self.project_units_per_day,
            warm_up_days=self.warm_up_days,
        )


ROOMY: Final = Limits(units=15_000, in_flight=3)
"""Several may be under way at once."""
