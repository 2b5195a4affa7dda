"""What the planner knows of the reviewers that it plans now, and of their planned mails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from pydantic import ValidationError

from certmail_config.admin.admin import Admin
from certmail_config.base.errors import CertmailError
from certmail_config.campaigns.applying import reasons
from certmail_config.campaigns.applying.difference import Materialised
from certmail_config.campaigns.applying.identity import Identity
from certmail_config.campaigns.applying.next_look import CampaignReviewer
from certmail_config.campaigns.plan import Enrolment
from certmail_config.campaigns.running.states import CampaignState, MomentState
from certmail_config.sql.campaigns.campaigns import KeptCampaign
from certmail_config.sql.campaigns.planning import load_enrolment
from certmail_config.sql.campaigns.seals import ReviewerSeals
from certmail_config.sql.registry import get_tenant
from certmail_worker.planning.known import KnownMail
from certmail_worker.planning.slices import CampaignSlice, take_slice

UNPLANNABLE: Final = (CertmailError, ValueError)
"""What is wrong with a campaign itself, and not with a store."""


class PlannerView(NamedTuple):
    """What is known of some of a tenant's reviewers, in all its campaigns.

    `ended` are jobs that have ended, as SQL has known since this was read.
    """

    campaigns: Mapping[str, CampaignSlice]
    enrolments: list[Enrolment]
    known: dict[Identity, KnownMail]
    ended: set[str]
    salt: bytes
    failed: dict[str, str]

    @property
    def materialised(self) -> dict[Identity, Materialised]:
        """What is known of their planned mails."""
        return {identity: each.known for identity, each in self.known.items()}

    @property
    def seen(self) -> dict[CampaignReviewer, int]:
        """How often something of each reviewer had changed when they were read."""
        return {
            (id_, each.id): each.changes
            for id_, part in self.campaigns.items()
            for each in part.reviewers
        }

    @property
    def unsettled(self) -> set[CampaignReviewer]:
        """Of whose mail nobody knows yet whether it went, or what went is not settled."""
        return {
            (identity.campaign, identity.reviewer)
            for identity, each in self.known.items()
            if each.known.state is MomentState.ENQUEUED and each.known.went
        }

    def leave_out(self, campaign: str, why: str) -> None:
        """Plan nothing of a campaign, and withdraw nothing of it."""
        self.failed[campaign] = why
        for identity in [key for key in self.known if key.campaign == campaign]:
            del self.known[identity]


def load_view(admin: Admin, tenant: str, due: Sequence[KeptCampaign], now: datetime) -> PlannerView:
    """The next reviewers of a tenant who are due, as they stand; raises StoresUnreachable."""
    with admin.db() as db:
        owner = get_tenant(db, tenant)
        seals = ReviewerSeals(owner, admin.vault)
        taken = take_slice(db, tenant, due, now)
        view = PlannerView(taken.campaigns, [], dict(taken.known), taken.ended, owner.salt, {})

        for id_, part in taken.campaigns.items():
            if part.kept.state is not CampaignState.RUNNING or not part.reviewers:
                continue
            try:
                ids = sorted(each.id for each in part.reviewers)
                view.enrolments.append(load_enrolment(db, seals, part.kept, ids))
            except UNPLANNABLE as error:
                view.leave_out(id_, words_of(error))
    return view


def why_not_wanted(view: PlannerView) -> Callable[[Identity], str]:
    """What says why a mail that was planned is not wanted any more, as it goes on record."""
    of_state = {CampaignState.STOPPED: reasons.STOPPED, CampaignState.PAUSED: reasons.PAUSED}
    of_campaign = {
        id_: of_state[part.kept.state]
        for id_, part in view.campaigns.items()
        if part.kept.state in of_state
    }
    gone = {(id_, each) for id_, part in view.campaigns.items() for each in part.gone}
    complete = {
        (enrolment.campaign.id, each.id)
        for enrolment in view.enrolments
        for each in enrolment.reviewers
        if enrolment.pending.get(each.id, each.pending) == 0
    }

    def why(identity: Identity) -> str:
        reviewer = (identity.campaign, identity.reviewer)
        if reviewer in gone:
            return reasons.WITHDRAWN
        if reviewer in complete:
            return reasons.COMPLETE
        return of_campaign.get(identity.campaign, reasons.NOT_PLANNED)

    return why


def words_of(error: Exception) -> str:
    """Why a campaign cannot be planned, in a code and a sentence."""
    if isinstance(error, CertmailError):
        return f"{error.code}: {error.message}"
    # The words of a validation quote what was validated.
    return type(error).__name__ if isinstance(error, ValidationError) else str(error)
