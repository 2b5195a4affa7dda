"""Reading a request: its body within bounds, as JSON, as reminders; its query. What is wrong is raised as Trouble."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from certmail.gateway.api.models import Fault
from certmail.gateway.api.problems import Trouble, of_rejected
from certmail_config.reminder import Reminder, parse_json

MOST_BYTES: Final = 64 * 1024
"""A reminder with every field at its longest has less than 20 KB."""
MOST_BATCH_BYTES: Final = 4 * 1024 * 1024
MOST_SECONDS: Final = 15

M = TypeVar("M", bound=BaseModel)


async def read_json(request: web.Request, most: int) -> dict[str, Any]:
    """The body, a JSON object of at most so many bytes."""
    if request.content_type != "application/json":
        raise Trouble("unsupported_media_type", f"The body is declared as {request.content_type!r}.")
    body = await _read(request, most)
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise Trouble("malformed_body", f"The body is not UTF-8: byte {error.start} is wrong.") from None
    except (ValueError, RecursionError) as error:
        raise Trouble("malformed_body", f"The body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Trouble("malformed_body", "The body is not a JSON object.")
    return value


async def _read(request: web.Request, most: int) -> bytes:
    said = f"The body may have {most:,} bytes."
    if (request.content_length or 0) > most:
        raise Trouble("body_too_large", said)
    body = bytearray()
    try:
        async with asyncio.timeout(MOST_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > most:
                    raise Trouble("body_too_large", said)
    except TimeoutError:
        raise Trouble("body_too_slow", f"The body did not come within {MOST_SECONDS} s.") from None
    return bytes(body)


def _no_constant(name: str) -> NoReturn:
    message = f"{name} is no JSON number"
    raise ValueError(message)


def read_reminder(value: object, pointer: str = "") -> Reminder:
    """One reminder, with all that is wrong with it."""
    if not isinstance(value, dict):
        fault = Fault(pointer=pointer, code="malformed", detail="must be a JSON object")
        raise Trouble("invalid_reminder", "A reminder must be a JSON object.", faults=[fault])
    found = parse_json(value)
    if isinstance(found, Reminder):
        return found
    raise of_rejected(found, pointer)


def read_model(model: type[M], value: object) -> M:
    """The body as a model; what is wrong is said with its place."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = [
            Fault(pointer="".join(f"/{part}" for part in item["loc"]), code=item["type"], detail=item["msg"])
            for item in error.errors(include_input=False, include_url=False)
        ]
    said = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults)
    raise Trouble("invalid_body", said, faults=faults)


def read_query(model: type[M], query: Mapping[str, str], given: Sequence[str]) -> M:
    """The query's parameters; `given` are their names as they came, since none may come twice."""
    twice = sorted({name for name in given if given.count(name) > 1})
    if twice:
        raise _wrong([Fault(parameter=name, code="doubled", detail="given more than once") for name in twice])
    try:
        return model.model_validate(dict(query))
    except ValidationError as error:
        raise _wrong(
            [
                Fault(
                    parameter=str(item["loc"][0]) if item["loc"] else None,
                    code=item["type"],
                    detail=item["msg"],
                )
                for item in error.errors(include_input=False, include_url=False)
            ]
        ) from None


def _wrong(faults: Sequence[Fault]) -> Trouble:
    said = "; ".join(f"{fault.parameter}: {fault.detail}" for fault in faults)
    return Trouble("invalid_query", said, faults=faults)
