"""Forgetting a person in campaigns: as a reviewer, and as somebody's manager or deputy."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from certmail_config.admin.admin import Admin
from certmail_config.admin.campaigns.marks import unwanted_marks
from certmail_config.base.addresses import recorded_address
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.ledger.unwanted.marks import ReviewerMark
from certmail_config.sql import registry
from certmail_config.sql.campaigns import campaigns, reviewers
from certmail_config.sql.campaigns.campaigns import KeptCampaign, list_campaigns
from certmail_config.sql.campaigns.seals import ReviewerSeals


@dataclass(frozen=True, slots=True)
class Forgotten:
    """In how many places an address was a reviewer's, and which campaigns it still owns."""

    reviewers: int
    owned: Sequence[str]


def forget_person(admin: Admin, address: str) -> Forgotten:
    """Remove an address's reviewers, and name it nowhere as manager or deputy.

    Who owns a campaign is what somebody wrote of it, and stays: that is said. Raises SealBroken.
    """
    wanted = recorded_address(address)
    with admin.db() as db:
        found = list_campaigns(db)

    count = sum(_forget_in(admin, each, wanted) for each in found)
    owned = ["/".join(each.key) for each in found if _same(each.campaign.owner, wanted)]
    return Forgotten(count, owned)


def _forget_in(admin: Admin, kept: KeptCampaign, wanted: str) -> int:
    tenant, id_ = kept.key
    with admin.db() as db:
        if campaigns.held(db, tenant, id_) is None:
            return 0
        office = registry.get_tenant(db, tenant)
        seals = ReviewerSeals(office, admin.vault)
        gone = reviewers.ids_of_person(db, tenant, id_, seals.person(wanted))
        changed = _without(reviewers.load_reviewers(db, seals, id_), wanted, gone)

        reviewers.remove_reviewers(db, tenant, id_, gone)
        reviewers.write_page(db, seals, id_, changed)
        if gone:
            marks = dict.fromkeys(gone, ReviewerMark.WITHDRAWN)
            unwanted_marks(admin, office).set_reviewers(id_, marks)
        if gone or changed:
            campaigns.touch_some(db, tenant, id_, datetime.now(UTC))
    return len(gone)


def _without(reviewers_: Sequence[Reviewer], wanted: str, gone: Collection[str]) -> list[Reviewer]:
    """The others as they are to be kept, as far as they name the person."""
    changed = []
    for each in reviewers_:
        news: dict[str, None] = {}
        if _same(each.manager, wanted):
            news["manager"] = None
        if _same(each.deputy, wanted):
            news |= dict.fromkeys(("deputy", "deputy_from", "deputy_until"))
        if news and each.id not in gone:
            changed.append(each.model_copy(update=news))
    return changed


def _same(address: str | None, wanted: str) -> bool:
    return address is not None and recorded_address(address) == wanted
