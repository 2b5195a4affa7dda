"""What is filtered as a file, read and written some at a time, however much it is.

Whoever reads slowly holds up the reading of the record, not the gateway: no more is read than was
taken. A file that could not be completed is cut off, so that nobody takes it for whole.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from certmail.gateway.console.context import CONSOLE, ConsoleContext
from certmail.gateway.console.long_answers import still_going
from certmail.gateway.console.record.delivery_list import seen
from certmail.gateway.console.record.list_page import wanted_by
from certmail.gateway.console.sessions.sessions import Visitor
from certmail.gateway.console.texts import N_
from certmail.gateway.request_ids import request_id
from certmail_config.base.errors import StoresUnreachable, WrongUse
from certmail_config.base.text.hidden_addresses import with_hidden_addresses
from certmail_config.sql.deliveries import Cursor, Filter, Row
from certmail_config.sql.record.export import ExportForm, heading, lines
from certmail_config.sql.record.merged import read_merged

log = logging.getLogger(__name__)

CHUNK: Final = 500
"""So many deliveries are read, and then written."""
AT_ONCE: Final = 4
"""So many files are written at once by one gateway."""
_TYPES: Final = {ExportForm.CSV: "text/csv", ExportForm.JSONL: "application/jsonl"}
_WORDS: Final = ("reason", "decided_by", "google_reason")


class Exports:
    """Counts the files that are being written; belongs to one event loop."""

    def __init__(self) -> None:
        self.under_way = 0


EXPORTS: Final[web.AppKey[Exports]] = web.AppKey("exports", Exports)


async def export(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """What the address asks for, as a file in the form that it names."""
    context, exports = request.app[CONSOLE], request.app[EXPORTS]
    form = _form(request.query.get("format", ExportForm.CSV))
    wanted = await asyncio.to_thread(wanted_by, context, request)
    questions = wanted.questions()
    if exports.under_way >= AT_ONCE:
        raise web.HTTPTooManyRequests(headers={"Retry-After": "30"})

    exports.under_way += 1
    try:
        # Whatever is wrong with the first is still answered with a page.
        first = await asyncio.to_thread(_read, context, questions, None)
        return await _write(request, visitor, form, questions, first)
    finally:
        exports.under_way -= 1


async def _write(
    request: web.Request,
    visitor: Visitor,
    form: ExportForm,
    questions: Sequence[Filter],
    first: tuple[Sequence[Row], Cursor | None],
) -> web.StreamResponse:
    name = f"deliveries-{datetime.now(UTC):%Y%m%d-%H%M%S}.{form}"
    response = web.StreamResponse(
        headers={
            "Content-Type": f"{_TYPES[form]}; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Accel-Buffering": "no",
        }
    )
    await response.prepare(request)
    rows, after = first
    text = heading(form)
    encoding = form.encoding

    try:
        while True:
            text += "".join(lines(form, (_shown(row, visitor) for row in rows)))
            if text:
                await response.write(text.encode(encoding))
            still_going(request)
            if after is None:
                break
            text, encoding = "", "utf-8"
            rows, after = await asyncio.to_thread(_read, request.app[CONSOLE], questions, after)
        await response.write_eof()
    except ConnectionError:
        pass  # whoever asked has hung up, or took nothing for too long
    except StoresUnreachable as error:
        log.warning("export_cut_off", extra={"code": error.code, "request": request_id(request)})
        if request.transport is not None:
            request.transport.abort()

    return response


def _read(
    context: ConsoleContext, questions: Sequence[Filter], after: Cursor | None
) -> tuple[Sequence[Row], Cursor | None]:
    """Some of it, in a transaction of its own: nobody holds one open who reads slowly."""
    with context.admin.db() as db:
        page = read_merged(db, questions, after=after, limit=CHUNK)
    return page.rows, page.next


def _shown(row: Row, visitor: Visitor) -> Row:
    if visitor.sees_addresses:
        return row
    hidden = {name: with_hidden_addresses(row[name]) for name in _WORDS if row[name]}
    return {**row, "recipient": seen(row["recipient"] or "", visitor) or None, **hidden}


def _form(text: str) -> ExportForm:
    try:
        return ExportForm(text)
    except ValueError:
        raise WrongUse(
            "unknown_format", N_("A file is CSV or JSONL."), N_("Go back, and choose one of them.")
        ) from None
