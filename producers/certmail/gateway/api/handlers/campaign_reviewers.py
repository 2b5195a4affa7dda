"""The reviewers of a campaign by the page, what is left to them, and reminding them now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from certmail.gateway.api import models
from certmail.gateway.api.context import Answer, ApiCall
from certmail.gateway.api.handlers.planned_campaigns import acting, carry_out, tenant_of
from certmail.gateway.api.request.bodies import MAX_BATCH_BYTES, MAX_BYTES, read_json, read_model
from certmail.gateway.api.request.bounds import MAX_VALUES_OF_BATCH
from certmail.gateway.api.request.problems import InvalidRequest
from certmail_config.admin.campaigns.progress import report_progress
from certmail_config.admin.campaigns.remind import remind_now
from certmail_config.admin.campaigns.reviewers import put_reviewers
from certmail_config.campaigns.reading import faults
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.campaigns.running.progress import ProgressNews

M = TypeVar("M", bound=BaseModel)
_UNKNOWN: Final = ("unknown_reviewer", "the campaign has no such reviewer")


async def body_of_page(call: ApiCall) -> dict[str, Any]:
    """The body of a page of reviewers, or of news."""
    tenant_of(call)
    return await read_json(call.request, MAX_BATCH_BYTES, MAX_VALUES_OF_BATCH)


async def put_page(call: ApiCall, value: dict[str, Any]) -> Answer:
    """PUT /campaigns/{campaign}/reviewers."""
    tenant, admin = tenant_of(call), acting(call)
    wanted = read_model(models.ReviewersWanted, value)
    if wanted.last and wanted.roster is None:
        sentence = "last is of a list: name it in roster"
        raise InvalidRequest("invalid_body", [("/last", "/last", "missing", sentence)])
    await asyncio.to_thread(call.context.space.require)

    found, rejected = await asyncio.to_thread(_read_page, wanted.reviewers)
    named = [id_ for each in rejected if isinstance(id_ := _id(wanted.reviewers[each.index]), str)]
    done = await carry_out(
        lambda: put_reviewers(
            admin,
            tenant,
            call.path_campaign,
            found,
            roster=wanted.roster,
            last=wanted.last,
            named=named,
        )
    )
    misplaced = [
        models.RejectedItem(
            index=_place(wanted.reviewers, each.id), field="subdivision", code=code, detail=detail
        )
        for each, code, detail in done.misplaced
    ]
    answer = models.ReviewersAnswer(
        added=len(done.page.added),
        changed=len(done.page.changed),
        unchanged=len(done.page.unchanged),
        removed=len(done.removed),
        kept_progress=len(done.page.kept),
        rejected=sorted([*rejected, *misplaced], key=lambda each: each.index),
    )
    return Answer(200, answer)


async def report(call: ApiCall, value: dict[str, Any]) -> Answer:
    """POST /campaigns/{campaign}/progress."""
    tenant, admin = tenant_of(call), acting(call)
    wanted = read_model(models.ProgressWanted, value)
    items = await asyncio.to_thread(lambda: [_read(ProgressNews, each) for each in wanted.progress])
    news = [each for each in items if isinstance(each, ProgressNews)]
    verdicts = iter(
        await carry_out(lambda: report_progress(admin, tenant, call.path_campaign, news))
    )

    shown = []
    for each, given in zip(items, wanted.progress, strict=True):
        if not isinstance(each, ProgressNews):
            code, detail = each[1:]
            shown.append(models.ProgressItem(reviewer=_id(given), code=code, detail=detail))
        elif (verdict := next(verdicts)) is None:
            code, detail = _UNKNOWN
            shown.append(models.ProgressItem(reviewer=each.reviewer, code=code, detail=detail))
        else:
            shown.append(models.ProgressItem(reviewer=each.reviewer, verdict=verdict))
    return Answer(200, models.ProgressAnswer(items=shown))


async def body_of_remind(call: ApiCall) -> dict[str, Any]:
    """The body of a request to remind now."""
    tenant_of(call)
    return await read_json(call.request, 4 * MAX_BYTES, 2 * models.MAX_REMINDED)


async def remind(call: ApiCall, value: dict[str, Any]) -> Answer:
    """POST /campaigns/{campaign}/remind."""
    tenant, admin = tenant_of(call), acting(call)
    wanted = read_model(models.RemindWanted, value)
    if wanted.all == (wanted.reviewers is not None):
        sentence = "name reviewers, or say all: one of both"
        raise InvalidRequest("invalid_body", [("", "", "missing", sentence)])
    await asyncio.to_thread(call.context.space.require)

    campaign, waits = call.path_campaign, wanted.within_hours
    done = await carry_out(
        lambda: remind_now(admin, tenant, campaign, wanted.reviewers, wait_for_hours=waits)
    )
    return Answer(
        200,
        models.Reminded(
            reminded=len(done.reminded),
            later=len(done.later),
            complete=len(done.complete),
            unknown=list(done.unknown),
        ),
    )


Wrong = tuple[str | None, str, str]
"""The field that is wrong, a code and a sentence."""


def _read_page(rows: Sequence[object]) -> tuple[list[Reviewer], list[models.RejectedItem]]:
    found: dict[str, Reviewer] = {}
    rejected = []
    for index, row in enumerate(rows):
        each = _read(Reviewer, row)
        if isinstance(each, Reviewer) and each.id in found:
            each = ("id", "doubled_reviewer", "the page has this id already; only that one counts")

        if isinstance(each, Reviewer):
            found[each.id] = each
        else:
            field, code, detail = each
            rejected.append(models.RejectedItem(index=index, field=field, code=code, detail=detail))
    return list(found.values()), rejected


def _read(model: type[M], row: object) -> M | Wrong:
    if not isinstance(row, dict):
        return None, "malformed", "must be a JSON object"
    try:
        return model.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return faults.place(first) or None, faults.code(first), faults.words(first)


def _id(row: object) -> str | None:
    found = (row.get("id") or row.get("reviewer")) if isinstance(row, dict) else None
    return found if isinstance(found, str) else None


def _place(rows: Sequence[object], id_: str) -> int:
    return next(index for index, row in enumerate(rows) if (_id(row) or "").strip() == id_)
