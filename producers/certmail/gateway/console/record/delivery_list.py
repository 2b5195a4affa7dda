"""The list of deliveries as its page shows it: some of them, counts by state, the hours of a day.

Reading blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection as Db

from certmail.gateway.console.context import ConsoleContext
from certmail.gateway.console.record import words
from certmail.gateway.console.record.day_chart import DayChart
from certmail.gateway.console.record.filter_form import OWNER, ListFilter, ListLinks
from certmail.gateway.console.record.reason_list import (
    ListedReason,
    reasons_of,
    sentence_case,
    why_waiting,
)
from certmail.gateway.console.record.tiles import RecentCampaign, Tile, campaigns_of, tiles_of
from certmail.gateway.console.sessions.sessions import Visitor
from certmail.gateway.console.tenant_lookup import first_tenants
from certmail_config.base.text.hidden_addresses import with_hidden_addresses
from certmail_config.jobs.states import State
from certmail_config.sql.deliveries import Cursor, Filter, Row, read_page
from certmail_config.sql.record.counts import (
    count_hours,
    count_states,
    day_of,
)
from certmail_config.sql.record.merged import read_merged

PAGE: Final = 50
CAMPAIGNS: Final = 5
SUGGESTED: Final = 200
"""So many tenants are offered to whoever types one."""


@dataclass(frozen=True, slots=True)
class ListedDelivery:
    """A delivery in the list; an address that is erased is empty.

    `leaves_at` is its time, where it waits for that.
    """

    job: str
    tenant: str
    campaign: str
    kind: str
    recipient: str
    at: datetime
    tone: str
    state: str
    why: str
    leaves_at: datetime | None


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
    reasons: tuple[ListedReason, ...]
    tenants: tuple[str, ...]

    @property
    def nothing_yet(self) -> bool:
        """Whether nothing is on record at all."""
        return not (self.lines or self.links.wanted.any_given) and self.first


def read_list(
    context: ConsoleContext, visitor: Visitor, wanted: ListFilter, after: Cursor | None
) -> DeliveryList:
    """Read a page of what is wanted; raises StoresUnreachable, RedisError, WrongField."""
    question, questions = wanted.question(), wanted.questions()
    links = links_of(context, wanted)

    with context.admin.db() as db:
        page = read_merged(db, questions, after=after, limit=PAGE)
        counts = count_states(db, question)
        newest = page.rows[:1] if not wanted.state else read_page(db, question, limit=1).rows
        charted = after is None and newest and not wanted.state
        chart = _chart(db, question, newest) if charted else None
        reasons = reasons_of(db, links) if after is None else ()
        offered = question.campaign is None and question.recipient is None and after is None
        campaigns = campaigns_of(db, question, CAMPAIGNS) if offered else ()
        tenants = first_tenants(db, SUGGESTED)

    waiting = why_waiting(context.admin.redis, page.rows)
    return DeliveryList(
        links,
        tuple(listed(row, visitor, waiting.get(row["job"], "")) for row in page.rows),
        links.to(after=str(page.next)) if page.next is not None else "",
        after is None,
        tuple(tiles_of(counts, links)),
        chart,
        campaigns,
        reasons,
        tenants,
    )


def links_of(context: ConsoleContext, wanted: ListFilter) -> ListLinks:
    """The addresses that go on from a filter; raises SealBroken."""
    vault = context.admin.vault
    return ListLinks(wanted, wanted.sealed(lambda text: vault.seal(text, owner=OWNER)))


def listed(row: Row, visitor: Visitor, stopped: str = "") -> ListedDelivery:
    """A row of the record as somebody may see it, and what stops it, where it waits."""
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
        why="" if state is State.ACCEPTED else stopped or sentence(row["reason"], visitor),
        leaves_at=row["send_at"] if state is State.SCHEDULED else None,
    )


def seen(address: str, visitor: Visitor) -> str:
    """An address as somebody may see it."""
    return visitor.shown_address(address) if address else ""


def sentence(reason: str | None, visitor: Visitor) -> str:
    """A reason without its code, as somebody may see it."""
    code, colon, words_ = (reason or "").partition(": ")
    said = words_ if colon and " " not in code else reason or ""
    said = sentence_case(said)
    return said if visitor.sees_addresses else with_hidden_addresses(said)


def _chart(db: Db, question: Filter, newest: Sequence[Row]) -> DayChart:
    """The last day of those asked for on which anything was enqueued."""
    day = day_of(newest[0]["enqueued_at"])
    return DayChart.of(count_hours(db, question, day), until=day + timedelta(days=1))
