"""The list of campaigns. Reading blocks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlencode

from certmail.gateway.console.campaigns.words import STATES
from certmail.gateway.console.context import ConsoleContext
from certmail.gateway.console.tenant_lookup import first_tenants
from certmail_config.campaigns.running.states import CampaignState
from certmail_config.sql.campaigns.campaigns import KeptCampaign, list_campaigns
from certmail_config.sql.campaigns.standing import CampaignStanding, standings

PATH: Final = "/console/campaigns"
PAGE: Final = 50
SUGGESTED: Final = 200
"""So many tenants are offered to whoever types one."""


@dataclass(frozen=True, slots=True)
class ListedCampaign:
    """A campaign in the list, and how it stands."""

    kept: KeptCampaign
    standing: CampaignStanding

    @property
    def shown(self) -> tuple[str, str]:
        """Tone and name of its state."""
        return STATES[self.kept.state]

    @property
    def title(self) -> str:
        """What it is called; its id, where nobody has named it."""
        return self.kept.campaign.name or self.kept.campaign.id

    @property
    def path(self) -> str:
        """Where its page is."""
        return path_of(*self.kept.key)

    @property
    def first_at(self) -> datetime | None:
        """When its next mail leaves, if one is made already and it runs."""
        return self.standing.first_at if self.kept.state is CampaignState.RUNNING else None

    @property
    def is_due(self) -> bool:
        """Whether that mail's time has come, and it waits for its turn."""
        return self.first_at is not None and self.first_at <= datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class CampaignListing:
    """Some campaigns, by tenant and id; `following` is where the next are."""

    lines: tuple[ListedCampaign, ...]
    tenant: str
    first: bool
    following: str
    tenants: tuple[str, ...]


def path_of(tenant: str, id_: str) -> str:
    """Where the page of a campaign is; an id may hold what an address must quote."""
    return f"{PATH}/{tenant}/{quote(id_, safe='')}"


def read_campaigns(context: ConsoleContext, tenant: str, after: tuple[str, str]) -> CampaignListing:
    """The campaigns behind one, of a tenant or of all; raises StoresUnreachable."""
    with context.admin.db() as db:
        found = list_campaigns(db, frozenset({tenant}) if tenant else None, after, PAGE + 1)
        stand = standings(db, [each.key for each in found[:PAGE]])
        suggested = first_tenants(db, SUGGESTED)

    following = ""
    if len(found) > PAGE:
        last = found[PAGE - 1].key
        asked = {"tenant": tenant, "after_tenant": last[0], "after": last[1]}
        following = f"{PATH}?{urlencode({name: value for name, value in asked.items() if value})}"
    lines = tuple(ListedCampaign(each, stand[each.key]) for each in found[:PAGE])
    return CampaignListing(lines, tenant, after == ("", ""), following, suggested)
