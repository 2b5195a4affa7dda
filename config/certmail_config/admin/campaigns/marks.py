"""What the ledger is told at once, so that nothing leaves that is no longer wanted.

It is told within the transaction that writes SQL, while the campaign's row is held: so of two
changes at once the ledger hears the later one later, and a change that could not be told is none.
"""

from __future__ import annotations

from typing import Final

from certmail_config.admin.admin import Admin
from certmail_config.base.durability import Durability
from certmail_config.campaigns.running.states import CampaignState
from certmail_config.ledger.unwanted.marks import CampaignMark, ReviewerMark, UnwantedMarks
from certmail_config.tenants.models import Tenant

MARK_OF: Final = {
    CampaignState.RUNNING: None,
    CampaignState.PAUSED: CampaignMark.PAUSED,
    CampaignState.STOPPED: CampaignMark.STOPPED,
}
"""What the ledger is told of a campaign in each state."""


def unwanted_marks(admin: Admin, tenant: Tenant) -> UnwantedMarks:
    """The marks of a tenant's campaigns."""
    return UnwantedMarks(admin.redis, tenant.id, tenant.salt, replicas=replicas_of(admin))


def replicas_of(admin: Admin) -> int:
    """By how many replicas of Redis it is to be held, as CERTMAIL_DURABILITY says."""
    return Durability.parse(admin.settings.durability).replicas


def mark_of_pending(pending: int | None) -> ReviewerMark | None:
    """What the ledger is told of a reviewer who has so much left."""
    return ReviewerMark.COMPLETE if pending == 0 else None
