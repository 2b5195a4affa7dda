"""Counts by group of states, each leading to its list: of what is asked for, and of campaigns.

Reading blocks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection as Db

from certmail.gateway.console.record import words
from certmail.gateway.console.record.filter_form import ListFilter, ListLinks
from certmail_config.sql.deliveries import Filter
from certmail_config.sql.record.campaigns import recent_campaigns
from certmail_config.sql.record.counts import COUNT_MAX, StateCounts, count_states
from certmail_config.sql.record.groups import STATES_OF, StateGroup


@dataclass(frozen=True, slots=True)
class Tile:
    """How many are in a group of states, where that is listed, and whether it is what is listed."""

    group: StateGroup
    count: int
    more: bool
    chosen: bool
    link: str

    @property
    def tone(self) -> str:
        """Its colour."""
        return words.GROUPS[self.group][0]


@dataclass(frozen=True, slots=True)
class RecentCampaign:
    """A campaign with its tiles, those of which there are any."""

    tenant: str
    campaign: str
    link: str
    tiles: tuple[Tile, ...]


def tiles_of(counts: StateCounts, links: ListLinks) -> list[Tile]:
    """Counts by group of states, each with what leads to its list."""
    chosen = links.wanted.state
    return [
        Tile(
            group,
            counts.of(STATES_OF[group]),
            any(counts.states.get(state) == COUNT_MAX for state in STATES_OF[group])
            and counts.capped,
            chosen == group,
            links.to(state="" if chosen == group else group.value),
        )
        for group in StateGroup
    ]


def campaigns_of(db: Db, question: Filter, limit: int) -> tuple[RecentCampaign, ...]:
    """The newest campaigns of what is asked for, each with its counts."""
    found = []

    for name in recent_campaigns(db, question, limit=limit):
        of_it = replace(question, tenant=name.tenant, campaign=name.campaign)
        links = ListLinks(ListFilter(name.tenant, name.campaign), "")
        tiles = [tile for tile in tiles_of(count_states(db, of_it), links) if tile.count]
        found.append(RecentCampaign(*name, links.to(), tuple(tiles)))

    return tuple(found)
