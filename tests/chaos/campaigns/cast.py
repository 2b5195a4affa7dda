"""Who reviews in a storm's campaigns, and what is reviewed: a day's mails at once. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from certmail_worker.demo.planned import daytime_zone

_DAY: Final = timedelta(days=1)
_AT_START: Final = {"id": "start", "on": "start"}
_RULES: Final = (
    {"id": "before", "before_due": [3, 1]},
    {"id": "late", "overdue": "1 day", "at_most": 2},
    {"id": "boss", "overdue_by": "1 day", "to": "manager"},
)
_EVERY_HOUR: Final = {
    "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    "window": "00:00-24:00",
}
"""The storm blows on any day, at any hour."""
DUE: Final = 6 * _DAY
"""So long after the storm begins: what comes before that is enqueued by then, or will be."""
OVERDUE: Final = -_DAY
LATER: Final = 8 * _DAY
_AGO: Final = 20 * _DAY


class CastCampaign(NamedTuple):
    """A campaign: how many review in it, and whether another has the same people.

    A `new` one begins with the storm, and reminds everybody at once; an older one does when it
    becomes overdue.
    """

    tenant: str
    id: str
    reviewers: int
    shared: bool
    new: bool

    def names(self) -> list[str]:
        """Its reviewers' ids."""
        return [f"r{number}" for number in range(self.reviewers)]

    def address(self, reviewer: str, version: int = 0) -> str:
        """A reviewer's address, or one that they have later."""
        if self.shared and not version:
            return f"{reviewer}@people.{self.tenant}.example"
        return f"{reviewer}.{version}@{self.id}.{self.tenant}.example"

    def row(self, reviewer: str, version: int = 0) -> dict[str, Any]:
        """The reviewer, as upstream gives them; managers are told of one each."""
        return {
            "id": reviewer,
            "to": self.address(reviewer, version),
            "name": reviewer.upper(),
            "manager": f"boss.{reviewer}@{self.id}.{self.tenant}.example",
            "pending": 3,
        }

    def written(self, began: datetime, due: timedelta = DUE) -> dict[str, Any]:
        """The campaign, as upstream gives it; it is due so long after the storm began."""
        return {
            "tenant": self.tenant,
            "id": self.id,
            "name": f"Review {self.id}",
            "start": began if self.new else began - _AGO,
            "due": began + due,
            "time_zone": daytime_zone(began),
            "calendar": _EVERY_HOUR,
            "link": f"https://iga.{self.tenant}.example/c/{self.id}?r={{reviewer}}",
            "rule": [*([_AT_START] if self.new else []), *_RULES],
        }


def cast(tenants: list[str], campaigns: int, reviewers: int) -> Iterator[CastCampaign]:
    """So many campaigns, of tenants in turn; the first two of each tenant have the same people."""
    for number in range(campaigns):
        place, tenant = divmod(number, len(tenants))
        yield CastCampaign(tenants[tenant], f"c{number}", reviewers, place < 2, number % 2 == 0)
