"""The list of deliveries as its page shows it: some of them, counts by state, the hours of a day.

Reading blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection as Db

from certmail.gateway.console.context import ConsoleContext
from certmail.gateway.console.record import words
from certmail.gateway.console.record.day_chart import DayChart
from certmail.gateway.console.record.filter_form import OWNER, ListFilter, ListLinks
from certmail.gateway.console.sessions.sessions import Visitor
from certmail.gateway.console.tenant_lookup import first_tenants
from certmail_config.base.text.hidden_addresses import with_hidden_addresses
from certmail_config.jobs.states import State
from certmail_config.sql.deliveries import Cursor, Filter, Row, read_page
from certmail_config.sql.record.campaigns import recent_campaigns
from certmail_config.sql.record.counts import (
    COUNT_MAX,
    StateCounts,
    count_hours,
    count_states,
    day_of,
)
from certmail_config.sql.record.groups import STATES_OF, StateGroup
from certmail_config.sql.record.merged import read_merged

PAGE: Final = 50
CAMPAIGNS: Final = 5
SUGGESTED: Final = 200
"""So many tenants are offered to whoever types one."""


@dataclass(frozen=True, slots=True)
class ListedDelivery:
    """A delivery in the list; an address that is erased is empty."""

    job: str
    tenant: str
    campaign: str
    kind: str
    recipient: str
    at: datetime
    tone: str
    state: str
    why: str


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


@dataclass(frozen=True, slots=True)
class DeliveryList:
    """A page of the list, and what stands above it.

    `nothing_yet` says that nothing is on record at all.
    """

    links: ListLinks
    lines: tuple[ListedDelivery, ...]
    older: str
    first: bool
    tiles: tuple[Tile, ...]
    chart: DayChart | None
    campaigns: tuple[RecentCampaign, ...]
    tenants: tuple[str, ...]

    @property
    def nothing_yet(self) -> bool:
        """Whether nothing is on record at all."""
        return not (self.lines or self.links.wanted.any_given) and self.first


def read_list(
    context: ConsoleContext, visitor: Visitor, wanted: ListFilter, after: Cursor | None
) -> DeliveryList:
    """Read a page of what is wanted; raises StoresUnreachable, WrongField."""
    question, questions = wanted.question(), wanted.questions()
    links = links_of(context, wanted)

    with context.admin.db() as db:
        page = read_merged(db, questions, after=after, limit=PAGE)
        counts = count_states(db, question)
        newest = page.rows[:1] if not wanted.state else read_page(db, question, limit=1).rows
        chart = _chart(db, question, newest) if after is None and newest else None
        offered = question.campaign is None and question.recipient is None and after is None
        campaigns = campaigns_of(db, question, CAMPAIGNS) if offered else ()
        tenants = first_tenants(db, SUGGESTED)

    return DeliveryList(
        links,
        tuple(listed(row, visitor) for row in page.rows),
        links.to(after=str(page.next)) if page.next is not None else "",
        after is None,
        tuple(tiles_of(counts, links)),
        chart,
        campaigns,
        tenants,
    )


def links_of(context: ConsoleContext, wanted: ListFilter) -> ListLinks:
    """The addresses that go on from a filter; raises SealBroken."""
    vault = context.admin.vault
    return ListLinks(wanted, wanted.sealed(lambda text: vault.seal(text, owner=OWNER)))


def listed(row: Row, visitor: Visitor) -> ListedDelivery:
    """A row of the record as somebody may see it."""
    state = State(row["state"])
    tone, name = words.STATES[state]
    return ListedDelivery(
        job=row["job"],
        tenant=row["tenant"],
        campaign=row["campaign"] or "",
        kind=row["kind"],
        recipient=seen(row["recipient"] or "", visitor),
        at=row["left_at"] or row["enqueued_at"],
        tone=tone,
        state=name,
        why="" if state is State.ACCEPTED else sentence(row["reason"], visitor),
    )


def seen(address: str, visitor: Visitor) -> str:
    """An address as somebody may see it."""
    return visitor.shown_address(address) if address else ""


def sentence(reason: str | None, visitor: Visitor) -> str:
    """A reason without its code, as somebody may see it."""
    code, colon, words_ = (reason or "").partition(": ")
    said = words_ if colon and " " not in code else reason or ""
    said = said[:1].upper() + said[1:]
    return said if visitor.sees_addresses else with_hidden_addresses(said)


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


def _chart(db: Db, question: Filter, newest: Sequence[Row]) -> DayChart:
    """The last day of those asked for on which anything was enqueued."""
    day = day_of(newest[0]["enqueued_at"])
    return DayChart.of(count_hours(db, question, day), until=day + timedelta(days=1))
