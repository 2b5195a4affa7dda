"""Reading a request: its body within bounds, as JSON, as reminders; its query.

What is wrong is raised as ApiProblem.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from certmail.gateway.api.models import Fault
from certmail.gateway.api.request.bounds import (
    MAX_DEPTH,
    MAX_VALUES,
    count_values,
    excess,
    is_deep,
    shown_name,
)
from certmail.gateway.api.request.problems import ApiProblem, InvalidRequest, Named, of_rejected
from certmail_config.base.complaints import complaint
from certmail_config.base.json_text import NotJson, decode, read_object
from certmail_config.jobs.reminder import Reminder, parse_json

MAX_BYTES: Final = 64 * 1024
"""A reminder with every field at its longest has less than 20 KB, with its lists less than 60."""
MAX_BATCH_BYTES: Final = 4 * 1024 * 1024
MAX_SECONDS: Final = 15

M = TypeVar("M", bound=BaseModel)


async def read_json(
    request: web.Request, max_bytes: int, max_values: int = MAX_VALUES
) -> dict[str, Any]:
    """The body, a JSON object of at most so many bytes and values."""
    if request.content_type != "application/json":
        raise ApiProblem(
            "unsupported_media_type", f"The body is declared as {request.content_type[:100]!r}."
        )
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        remedy = "Send it as it is."
        raise ApiProblem(
            "unsupported_media_type", "The body is declared as compressed.", remedy=remedy
        )

    body = await _read(request, max_bytes)
    if len(body) <= MAX_BYTES:
        return _parse(body, max_values)
    return await asyncio.to_thread(_parse, body, max_values)


def _parse(body: bytes, max_values: int) -> dict[str, Any]:
    if count_values(body, max_values) > max_values:
        raise ApiProblem("body_too_large", f"The body may hold {max_values:,} values.")

    try:
        value = read_object(decode(body))
    except NotJson as error:
        raise ApiProblem(
            "malformed_body", f"The body is not one JSON object: {error.why}."
        ) from None

    if is_deep(value):
        detail = f"Lists and objects stand in one another more than {MAX_DEPTH} times."
        raise ApiProblem("malformed_body", detail)
    return value


async def _read(request: web.Request, max_bytes: int) -> bytes:
    too_large = f"The body may have {max_bytes:,} bytes."
    if (request.content_length or 0) > max_bytes:
        raise ApiProblem("body_too_large", too_large)

    body = bytearray()
    try:
        async with asyncio.timeout(MAX_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > max_bytes:
                    raise ApiProblem("body_too_large", too_large)
    except TimeoutError:
        raise ApiProblem(
            "body_too_slow", f"The body did not come within {MAX_SECONDS} s."
        ) from None

    return bytes(body)


def read_reminder(value: object, pointer: str = "") -> Reminder:
    """One reminder; raises ApiProblem with all that is wrong with it."""
    if not isinstance(value, dict):
        fault = Fault(pointer=pointer, code="malformed", detail="must be a JSON object")
        raise ApiProblem("invalid_reminder", "A reminder must be a JSON object.", faults=[fault])
    if detail := excess(value):
        raise InvalidRequest("invalid_reminder", [("", pointer, "too_much", detail)])

    found = parse_json(value)
    if isinstance(found, Reminder):
        return found
    raise of_rejected(found, pointer)


def read_model(model: type[M], value: object) -> M:
    """The body as a model; raises ApiProblem that says what is wrong, and where."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        named = [_named(item) for item in error.errors(include_input=False, include_url=False)]
    raise InvalidRequest("invalid_body", named)


def _named(item: ErrorDetails) -> Named:
    pointer = "".join(f"/{shown_name(str(part))}" for part in item["loc"])
    return pointer, pointer, item["type"], complaint(item)


def read_query(model: type[M], query: Mapping[str, str], given: Sequence[str]) -> M:
    """The query's parameters; `given` are their names as they came, since none may come twice."""
    twice = sorted(name for name, times in Counter(given).items() if times > 1)
    if twice:
        raise _wrong((name, "doubled", "given more than once") for name in twice)

    try:
        return model.model_validate(dict(query))
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        raise _wrong(
            ("".join(map(str, item["loc"][:1])), item["type"], complaint(item)) for item in found
        ) from None


def _wrong(found: Iterable[tuple[str, str, str]]) -> InvalidRequest:
    named = [
        (shown_name(name), shown_name(name) or None, code, detail) for name, code, detail in found
    ]
    return InvalidRequest("invalid_query", named, place="parameter")
