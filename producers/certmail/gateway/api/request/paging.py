"""Cursors: where a page ended, opaque to clients, so that the order of lists may change."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence

from certmail.gateway.api.models import Fault
from certmail.gateway.api.request.problems import ApiProblem


def write_cursor(place: Sequence[str]) -> str:
    """The cursor of what follows a place."""
    return base64.urlsafe_b64encode(json.dumps(list(place)).encode()).decode().rstrip("=")


def read_cursor(cursor: str, parts: int) -> list[str] | None:
    """The place after which to go on; None for the beginning. Raises ApiProblem."""
    if not cursor:
        return None

    try:
        place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        place = None
    good = isinstance(place, list) and len(place) == parts and all(_plain(part) for part in place)
    if not good:
        raise no_such_cursor()

    assert place is not None, "checked just now"
    return [str(part) for part in place]


def no_such_cursor() -> ApiProblem:
    """The problem of a cursor that the list did not give."""
    detail = "not a cursor that this list gave"
    fault = Fault(parameter="cursor", code="invalid_cursor", detail=detail)
    return ApiProblem("invalid_query", f"cursor: {detail}", faults=[fault])


def _plain(part: object) -> bool:
    """Whether a part of a cursor is one: databases refuse some of what JSON allows."""
    return isinstance(part, str) and part.isprintable() and part.isascii()
