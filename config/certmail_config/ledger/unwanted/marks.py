"""Marks: what no reminder is wanted for any more, or is wanted for again.

They make it so at once, whatever is enqueued; the planner withdraws what they stand against later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import islice
from typing import Final

from redis import Redis

from certmail_config.ledger.arguments import ms
from certmail_config.ledger.script import Call, load, run_many
from certmail_config.ledger.unwanted.references import (
    EVERY_REVIEWER,
    CampaignReference,
    References,
    ReviewerReference,
)

KEPT_SECONDS: Final = 60 * 86400.0
"""Longer than any reminder waits that was enqueued before the mark."""
BATCH: Final = 500
"""Marks in one step of the server: less than a millisecond."""


class ReviewerMark(StrEnum):
    """Why nothing of a reviewer's is wanted in a campaign."""

    COMPLETE = "complete"
    """Nothing is left to decide."""
    REPLACED = "replaced"
    """Somebody else decides."""
    WITHDRAWN = "withdrawn"
    """They are no longer part of the campaign."""


class CampaignMark(StrEnum):
    """Why nothing of a campaign's is wanted."""

    PAUSED = "paused"
    """It goes on later: what was to begin waits."""
    STOPPED = "stopped"
    """It does not go on."""


def mark_unwanted(
    tenant: str,
    campaign: CampaignReference,
    marks: Mapping[ReviewerReference, ReviewerMark | CampaignMark | None],
) -> Call[int]:
    """Set marks, and clear those that are None; gives how many the campaign has then."""
    args = [item for name, mark in marks.items() for item in (name, mark or "")]
    return Call(
        load("mark_unwanted"),
        (tenant, campaign, ms(KEPT_SECONDS), *args),
        int,
    )


class UnwantedMarks:
    """The marks of one tenant's campaigns; `salt` is the tenant's, `replicas` as CERTMAIL_DURABILITY."""

    def __init__(self, redis: Redis, tenant: str, salt: bytes, *, replicas: int = 0) -> None:
        self._redis = redis
        self._tenant = tenant
        self._references = References(salt)
        self._replicas = replicas

    def set_campaign(self, campaign: str, mark: CampaignMark | None) -> None:
        """Nothing of the campaign is wanted; None: it is again. Raises RedisError."""
        self._mark(campaign, [(EVERY_REVIEWER, mark)])

    def set_reviewer(self, campaign: str, reviewer: str, mark: ReviewerMark | None) -> None:
        """Nothing of the reviewer's is wanted; None: it is again. Raises RedisError."""
        self.set_reviewers(campaign, {reviewer: mark})

    def set_reviewers(self, campaign: str, marks: Mapping[str, ReviewerMark | None]) -> None:
        """The same of many; raises RedisError, and then some of them may be set."""
        named = (
            (self._references.reviewer(campaign, reviewer), mark)
            for reviewer, mark in marks.items()
        )
        self._mark(campaign, named)

    def _mark(
        self,
        campaign: str,
        marks: Iterable[tuple[ReviewerReference, ReviewerMark | CampaignMark | None]],
    ) -> None:
        reference, left = self._references.campaign(campaign), iter(marks)
        calls = []
        while page := dict(islice(left, BATCH)):
            calls.append(mark_unwanted(self._tenant, reference, page))
        if calls:
            run_many(self._redis, calls, replicas=self._replicas)
