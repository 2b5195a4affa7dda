"""The page of what needs a person, and settling in bulk."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from aiohttp import web

from certmail.gateway.console.attention.attention_list import read_attention
from certmail.gateway.console.context import CONSOLE, ConsoleContext
from certmail.gateway.console.form_fields import values_of
from certmail.gateway.console.pages.views import show
from certmail.gateway.console.record.filter_form import ListFilter, ListLinks, from_form
from certmail.gateway.console.sessions.sessions import Notice, Visitor
from certmail.gateway.console.texts import N_
from certmail_config.admin.settling.manual_resolution import ManualDecision, Resolved, resolve
from certmail_config.base.errors import WrongUse
from certmail_config.base.ids import job_id
from certmail_config.jobs.states import FINAL
from certmail_config.status.attention.attention import AttentionScope
from certmail_config.status.uncertain import open_uncertain

MAX_SETTLED: Final = 1_000
"""So many are settled at once: somebody waits for the answer."""
PATH: Final = "/console/attention"
MAX_WHY: Final = 200


async def attention(request: web.Request, visitor: Visitor) -> web.Response:
    """All that needs a person, or what of one tenant or campaign does."""
    context, scope = request.app[CONSOLE], _scope(request.query)
    sections = await asyncio.to_thread(read_attention, context, visitor, scope)
    values = {
        "sections": sections,
        "scope": scope,
        "calm": not any(each.found.count for each in sections),
        "max_settled": MAX_SETTLED,
    }
    return await show(request, visitor, "attention.html", values)


async def settle(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Carry out what a person found out about some reminders, or about all that are listed."""
    context, form = request.app[CONSOLE], await request.post()
    typed = values_of(form, "tenant", "campaign", "found", "all", "why")
    scope = _scope(typed)
    decision = _decision(typed["found"])
    chosen = [job_id(job) for job in form.getall("job", []) if isinstance(job, str)]
    if bool(chosen) == bool(typed["all"]) or len(chosen) > MAX_SETTLED:
        message = N_("Tick the reminders that you mean, or tick that you mean all of the list.")
        notice = Notice(good=False, message=message)
    else:
        why = f"{typed['why'][:MAX_WHY]}; " if typed["why"] else ""
        reason = f"settled_by_hand: {why}{decision} according to {visitor.actor}"
        results = await asyncio.to_thread(_settle, context, scope, chosen, decision, reason)
        notice = _notice(results, decision)

    await asyncio.to_thread(context.sessions.tell, visitor, notice)
    raise web.HTTPSeeOther(
        ListLinks(ListFilter(scope.only_tenant, scope.campaign or ""), "").to(PATH)
    )


def _settle(
    context: ConsoleContext,
    scope: AttentionScope,
    chosen: Sequence[str],
    decision: ManualDecision,
    reason: str,
) -> list[Resolved]:
    """Settle those chosen; without any, those of the list that wait for a person or a rule."""
    admin, jobs = context.admin, list(chosen)

    if not jobs:
        with admin.db() as db:
            rows = open_uncertain(
                db,
                admin.redis,
                tenants=scope.tenants,
                campaign=scope.campaign,
                limit=MAX_SETTLED,
            )
        jobs = [row["job"] for row in rows]

    return resolve(admin.redis, jobs, decision, reason)


def _decision(text: str) -> ManualDecision:
    try:
        return ManualDecision(text)
    except ValueError:
        raise WrongUse(
            "missing_decision",
            N_("Nothing was settled: it was not said what became of them."),
            N_("Go back, and choose one of the three."),
        ) from None


def _notice(results: Sequence[Resolved], decision: ManualDecision) -> Notice:
    """What came of it, in words."""
    done = sum(each.done for each in results)
    ended = sum(
        each.done and decision is ManualDecision.SEND_AGAIN and each.state in FINAL
        for each in results
    )
    words = f"{done:,} settled."
    if ended:
        words += f" {ended:,} of these are not sent again: they were called off meanwhile, or their content is lost."
    if left := len(results) - done:
        words += f" {left:,} were no longer uncertain, and stay as they are."
    return Notice(good=not left, message=words)


def _scope(given: Mapping[str, str]) -> AttentionScope:
    """Whose reminders are meant; raises WrongField."""
    fields = dict.fromkeys(("to", "state", "since", "until"), "")
    names = {name: given.get(name, "") for name in ("tenant", "campaign")}
    wanted = from_form(fields | names)
    tenants = frozenset({wanted.tenant}) if wanted.tenant else None
    return AttentionScope(tenants, wanted.campaign or None)
