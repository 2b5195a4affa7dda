"""One reminder's page: how it stands, why, and all that happened to it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from sqlalchemy import Connection as Db

from certmail.gateway.access_log import note
from certmail.gateway.console.context import CONSOLE, ConsoleContext
from certmail.gateway.console.pages.views import show
from certmail.gateway.console.record import words
from certmail.gateway.console.record.delivery_list import links_of, seen, sentence
from certmail.gateway.console.record.filter_form import ListFilter
from certmail.gateway.console.record.timeline import Moment, timeline
from certmail.gateway.console.sessions.sessions import Visitor
from certmail.gateway.console.tenant_lookup import organisation_of
from certmail.gateway.console.texts import N_
from certmail_config.base.errors import Refused
from certmail_config.base.text.hidden_addresses import with_hidden_addresses
from certmail_config.forecast.forecaster import Forecaster
from certmail_config.jobs.states import FINAL, State
from certmail_config.ledger.view import JobView
from certmail_config.sql.deliveries import Row
from certmail_config.sql.delivery_story import Story, read_story
from certmail_config.sql.history import HistoryEntry, read_history
from certmail_config.status.job_lookup import look_up
from certmail_config.tenants.pauses import EVERYTHING


@dataclass(frozen=True, slots=True)
class ToldStory:
    """A reminder's story as somebody may see it.

    `why` is what it waits for, or why it ended so; `all_theirs` lists all that went to its
    recipient.
    """

    story: Story
    live: JobView | None
    moments: tuple[Moment, ...]
    state: State
    why: str
    recipient: str
    organisation: str
    decided_by: str
    all_theirs: str

    @property
    def delivery(self) -> Any:
        """What the record says of it."""
        return self.story.delivery

    @property
    def over(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in FINAL

    @property
    def held(self) -> bool:
        """Whether a person is to say what became of it."""
        return self.state is State.UNCERTAIN and self.live is not None and self.live.held

    @property
    def tone(self) -> str:
        """The colour of its state."""
        return words.STATES[self.state][0]

    @property
    def name(self) -> str:
        """The name of its state."""
        return words.STATES[self.state][1]


async def delivery(request: web.Request, visitor: Visitor) -> web.Response:
    """One reminder."""
    told = await asyncio.to_thread(
        read_told, request.app[CONSOLE], visitor, request.match_info["job"]
    )
    note(request, tenant=told.delivery["tenant"], job=told.delivery["job"])
    return await show(request, visitor, "delivery.html", {"told": told, "words": words})


def read_told(context: ConsoleContext, visitor: Visitor, job: str) -> ToldStory:
    """Read it from both stores: Redis knows best how it stands now. Raises Refused."""
    with context.admin.db() as db:
        story = read_story(db, job.lower()) if job.isascii() and job.isprintable() else None
        if story is None:
            raise Refused(
                "unknown_reminder",
                N_("There is no such reminder on record."),
                N_("Look for it by its recipient, under Deliveries."),
            )
        row = story.delivery
        organisation = organisation_of(db, row["tenant"])
        lane = _lane(db, row)

    [live] = look_up(
        context.admin.redis, Forecaster(context.admin.redis), [row["job"]], time.time()
    )
    state = live.state if live is not None else State(row["state"])
    theirs = links_of(context, ListFilter(tenant=row["tenant"], to=row["recipient"] or ""))

    return ToldStory(
        story,
        live,
        timeline(story, lane, lambda reason: sentence(reason, visitor)),
        state,
        sentence(live.reason if live is not None else row["reason"], visitor),
        seen(row["recipient"] or "", visitor),
        organisation,
        _names(row["decided_by"] or "", visitor),
        theirs.to() if row["recipient"] else "",
    )


def _lane(db: Db, row: Row) -> list[HistoryEntry]:
    """What happened to all that waited with it, from when it was enqueued to its last change."""
    until = row["updated_at"] if row["state"] in FINAL else datetime.now(UTC)
    between = (row["enqueued_at"], until)
    of_tenant = read_history(db, row["tenant"], between=between)
    return [*of_tenant, *read_history(db, EVERYTHING, between=between)]


def _names(text: str, visitor: Visitor) -> str:
    return text if visitor.sees_addresses else with_hidden_addresses(text)
