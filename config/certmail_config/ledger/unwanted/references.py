"""How the ledger names campaigns and their reviewers: by a tenant's keyed hashes. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NewType

from certmail_config.crypto.keyed_hash import KeyedHash
from certmail_config.ledger.arguments import ms

_DIGITS: Final = 24
"""With two of them a job's field stays one that Redis packs tightly (64 bytes)."""

CampaignReference = NewType("CampaignReference", str)
ReviewerReference = NewType("ReviewerReference", str)
EVERY_REVIEWER: Final = ReviewerReference("*")


class References:
    """What a tenant's campaigns and reviewers are called in the ledger."""

    def __init__(self, salt: bytes) -> None:
        self._hash = KeyedHash(salt, b"unwanted")

    def campaign(self, campaign: str) -> CampaignReference:
        """The reference of a campaign."""
        return CampaignReference(self._hash.of(campaign.encode())[:_DIGITS])

    def reviewer(self, campaign: str, reviewer: str) -> ReviewerReference:
        """The reference of a reviewer; in each campaign another."""
        return ReviewerReference(self._hash.of(f"{campaign}\0{reviewer}".encode())[:_DIGITS])

    def wants(self, told_of: Iterable[tuple[str, str]], closes_at: float | None) -> str:
        """What a job carries that tells of these reviewers of campaigns, and leaves before a time.

        Without either, or where it closes, begin refuses it.
        """
        pairs = (
            f" {self.campaign(campaign)}:{self.reviewer(campaign, reviewer)}"
            for campaign, reviewer in told_of
        )
        return f"{ms(closes_at)}{''.join(pairs)}"
