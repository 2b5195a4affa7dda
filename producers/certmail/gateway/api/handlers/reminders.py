"""Enqueueing reminders, asking for them, and calling them off."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection
from typing import Any

from certmail.client.async_mailer import Answer as Sent
from certmail.client.batches import split
from certmail.client.receipt import Receipt
from certmail.gateway.access_log import log_batch, note
from certmail.gateway.api import models
from certmail.gateway.api.context import Answer, ApiCall
from certmail.gateway.api.request.bodies import (
    MAX_BATCH_BYTES,
    MAX_BYTES,
    read_json,
    read_model,
    read_reminder,
)
from certmail.gateway.api.request.bounds import MAX_VALUES_OF_BATCH, share_of_faults
from certmail.gateway.api.request.concurrency import in_slices
from certmail.gateway.api.request.problems import ApiProblem, InvalidRequest, of_rejected, of_stores
from certmail.gateway.meters import note_intake
from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_config.base.errors import (
    BatchInterrupted,
    ReminderRejected,
    SealBroken,
    StoresUnreachable,
)
from certmail_config.base.ids import ConnectionId
from certmail_config.base.redis_answers import hash_of
from certmail_config.jobs.reminder import Reminder
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Cancellation
from certmail_config.ledger.view import AttemptView, JobView
from certmail_config.tenants.working_copy import read_connection

LOT = 100
"""Reminders of a batch that go to the ledger together."""
_NOT_CANCELLED = {
    Cancellation.ALREADY_SENDING: "already_sending",
    Cancellation.ALREADY_FINAL: "already_final",
    Cancellation.UNCERTAIN: "outcome_unknown",
    Cancellation.UNKNOWN: "unknown_reminder",
}


async def body_of_one(call: ApiCall) -> dict[str, Any]:
    """The body of a request to enqueue one."""
    return await read_json(call.request, MAX_BYTES)


async def body_of_batch(call: ApiCall) -> dict[str, Any]:
    """The body of a request to enqueue many, each still to be checked."""
    value = await read_json(call.request, MAX_BATCH_BYTES, MAX_VALUES_OF_BATCH)
    items = value.get("reminders")
    if not isinstance(items, list) or value.keys() != {"reminders"}:
        raise _wrong("", "wrong_fields", "the object has one field, `reminders`, a list")
    if not 1 <= len(items) <= models.MAX_IN_BATCH:
        raise _wrong("/reminders", "wrong_length", f"from 1 to {models.MAX_IN_BATCH} reminders")

    await asyncio.to_thread(call.context.authenticator.count, call.grant, len(items) - 1)
    return value


async def enqueue(call: ApiCall, body: dict[str, Any]) -> Answer:
    """POST /reminders."""
    try:
        reminder = _allowed(call, read_reminder(body), "")
        [sent] = await call.context.mailer.send_each([reminder])
        receipt = _taken(sent, "")
    except ApiProblem as problem:
        note_intake(call.context.meters, problem.kind.status)
        raise
    note(call.request, job=receipt.id)

    place = f"/v1/reminders/{receipt.id}"
    new = not receipt.duplicate
    note_intake(call.context.meters, 202 if new else 200)
    return Answer(202 if new else 200, _shown(receipt), {"Location": place}, repeatable=new)


async def enqueue_batch(call: ApiCall, body: dict[str, Any]) -> Answer:
    """POST /reminders:batch.

    What is wrong with one is its own answer; the others are taken.
    """
    # One after another: together they would hold the loop up for as long each.
    async with call.context.validating:
        found = await in_slices(enumerate(body["reminders"]), lambda each: _checked(call, *each))

    sent = iter(await _send(call, [each for each in found if isinstance(each, Reminder)]))
    share = share_of_faults(sum(isinstance(each, ApiProblem) for each in found))

    def answer(each: Reminder | ApiProblem, n: int) -> models.BatchItem:
        if isinstance(each, Reminder):
            return _item(call, next(sent), n)
        return _problem(call, each.shortened(share) if isinstance(each, InvalidRequest) else each)

    answers = await in_slices(enumerate(found), lambda each: answer(each[1], each[0]))
    for item in answers:
        note_intake(call.context.meters, item.status)
    log_batch(call.request, [item.receipt.id for item in answers if item.receipt])

    stopped = any(item.status == 429 or item.status >= 500 for item in answers)
    if any(item.status >= 500 for item in answers) and not any(item.receipt for item in answers):
        raise ApiProblem("stores_unreachable", _first_detail(answers))

    new = any(item.status == 202 for item in answers)
    return Answer(200, models.BatchAnswer(items=answers), repeatable=new and not stopped)


def _checked(call: ApiCall, n: int, value: object) -> Reminder | ApiProblem:
    try:
        return _allowed(call, read_reminder(value, f"/reminders/{n}"), f"/reminders/{n}")
    except ApiProblem as problem:
        return problem.with_traceback(None)  # which would hold on to the body


async def _send(call: ApiCall, reminders: list[Reminder]) -> list[Sent]:
    """Enqueue them in lots, so that others' get in between.

    Once a store has failed nothing more is sent.
    """
    answers: list[Sent] = []

    for lot in split(reminders, LOT):
        answers += await call.context.mailer.send_each(lot)
        last = answers[-1]
        if isinstance(last, StoresUnreachable):
            left = range(len(reminders) - len(answers))
            answers += [BatchInterrupted(last, answered=0, unknown=0) for _ in left]
            break

    return answers


async def show(call: ApiCall) -> Answer:
    """GET /reminders/{id}."""
    view = await _visible(call)
    mailboxes = await asyncio.to_thread(_mailboxes, call.context.admin, {view.connection})
    return Answer(200, _status(view, mailboxes[view.connection]))


async def body_of_lookup(call: ApiCall) -> dict[str, Any]:
    """The body of a request to ask for many."""
    return await read_json(call.request, 2 * MAX_BYTES, 10 * models.MAX_IN_LOOKUP)


async def look_up(call: ApiCall, body: dict[str, Any]) -> Answer:
    """POST /reminders:lookup."""
    ids = read_model(models.Lookup, body).ids
    known = {id_: found for id_ in ids if (found := _uuid(id_))}

    asked = list(dict.fromkeys(known.values()))
    views = dict(zip(asked, await call.context.mailer.status_many(asked), strict=True))

    connections = {
        view.connection for view in views.values() if view and call.grant.reaches(view.tenant)
    }
    mailboxes = await asyncio.to_thread(_mailboxes, call.context.admin, connections)

    def answer(id_: str) -> models.LookupItem:
        view = views.get(known.get(id_, ""))
        if view is None or not call.grant.reaches(view.tenant):
            return models.LookupItem(id=id_, reminder=None)
        return models.LookupItem(id=id_, reminder=_status(view, mailboxes[view.connection]))

    return Answer(200, models.LookupAnswer(items=await in_slices(ids, answer)))


async def cancel(call: ApiCall) -> Answer:
    """DELETE /reminders/{id}."""
    view = await _visible(call)
    result = await call.context.mailer.cancel(view.id, reason=f"by API key {call.grant.id}")
    if result is not Cancellation.CANCELLED or view.state is State.CANCELLED:
        raise ApiProblem(
            _NOT_CANCELLED.get(result, "already_final"),
            f"The reminder {view.id} is not called off.",
        )
    return Answer(200, models.Called(id=view.id, state=State.CANCELLED))


async def _visible(call: ApiCall) -> JobView:
    """The reminder of the address, if the key reaches its tenant."""
    id_ = _uuid(call.path_id)
    view = await call.context.mailer.status(id_) if id_ else None
    if view is None or not call.grant.reaches(view.tenant):
        raise ApiProblem(
            "unknown_reminder", "There is no reminder of this id that the API key reaches."
        )
    note(call.request, tenant=view.tenant, job=view.id)
    return view


def _uuid(text: str) -> str:
    """An id as the ledger writes it; empty for what is none."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return ""


def _allowed(call: ApiCall, reminder: Reminder, pointer: str) -> Reminder:
    call.check_reach(reminder.tenant, f"{pointer}/tenant")
    return reminder


def _taken(sent: Sent, pointer: str) -> Receipt:
    if isinstance(sent, Receipt):
        return sent
    if isinstance(sent, ReminderRejected):
        raise of_rejected([sent], pointer)
    raise of_stores(sent)


def _item(call: ApiCall, sent: Sent, n: int) -> models.BatchItem:
    try:
        receipt = _taken(sent, f"/reminders/{n}")
    except ApiProblem as problem:
        return _problem(call, problem)
    return models.BatchItem(status=200 if receipt.duplicate else 202, receipt=_shown(receipt))


def _problem(call: ApiCall, problem: ApiProblem) -> models.BatchItem:
    return models.BatchItem(status=problem.kind.status, problem=problem.document(call.context.base))


def _first_detail(answers: list[models.BatchItem]) -> str:
    return next(item.problem.detail for item in answers if item.problem and item.status >= 500)


def _shown(receipt: Receipt) -> models.Receipt:
    return models.Receipt(
        id=receipt.id,
        state=receipt.state,
        duplicate=receipt.duplicate,
        forecast_at=receipt.forecast_at,
        language=receipt.language,
        language_note=receipt.language_note,
    )


def _status(view: JobView, mailbox: str | None) -> models.ReminderStatus:
    return models.ReminderStatus(
        id=view.id,
        tenant=view.tenant,
        state=view.state,
        reason=view.reason,
        held=view.held,
        attempts=[_attempt(each) for each in view.attempts],
        send_at=view.send_at,
        expires_at=view.expires_at,
        forecast_at=view.forecast_at,
        mailbox=mailbox,
        possible_duplicate=view.possible_duplicate,
    )


def _attempt(view: AttemptView) -> models.Attempt:
    return models.Attempt(
        n=view.n,
        begun_at=view.begun_at,
        ended_at=view.ended_at,
        http_status=view.http_status,
        google_reason=view.google_reason,
        outcome=AttemptOutcome(view.outcome) if view.outcome is not None else None,
        gmail_id=view.gmail_id,
    )


def _mailboxes(admin: Admin, connections: Collection[str]) -> dict[str, str | None]:
    return {each: _mailbox(admin, ConnectionId(each)) for each in connections}


def _mailbox(admin: Admin, connection: ConnectionId) -> str | None:
    """The address that a connection's reminders leave from.

    None where the connection is gone, or this process lacks the key to it.
    """
    fields = hash_of(admin.redis, redis_keys.CONNECTION + connection)
    try:
        found = read_connection(fields, connection, admin.vault)
    except SealBroken:
        return None
    return found.mailbox if found else None


def _wrong(pointer: str, code: str, detail: str) -> ApiProblem:
    fault = models.Fault(pointer=pointer, code=code, detail=detail)
    return ApiProblem("invalid_body", f"The body is wrong: {detail}.", faults=[fault])
