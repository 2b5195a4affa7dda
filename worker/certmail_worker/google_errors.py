"""Reading Google's error answers: JSON in two dialects, HTML, or nothing; and the deadlines hidden in them.

Sources: google.md §1.3 and §1.4. `Retry-After` is not documented for Gmail, but honoured; the deadline usually stands
in the message: "User-rate limit exceeded.  Retry after 2026-11-23T18:03:15.961Z".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from certmail_config.scrubbing import scrub
from certmail_worker.answers import Answered

_RETRY_AFTER = re.compile(r"Retry after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class GoogleError:
    """What an error answer says. `wait` is seconds from the answer's own Date until the deadline that it names."""

    status: int
    reason: str
    """The most specific machine-readable reason, or ''."""
    message: str
    """Google's words, without addresses."""
    structured: bool
    """Whether the body was Google's JSON rather than a proxy's page."""
    wait: float | None = None


def read_error(answer: Answered) -> GoogleError:
    """Read an error answer defensively; never raises."""
    error = _error_object(answer.body)
    if error is None:
        return GoogleError(
            answer.status,
            "",
            f"HTTP {answer.status} without Google's error body",
            structured=False,
            wait=_wait(answer, ""),
        )
    message = str(error.get("message") or "")
    return GoogleError(
        answer.status, _reason(error), scrub(message)[:500], structured=True, wait=_wait(answer, message)
    )


def _error_object(body: bytes) -> Mapping[str, Any] | None:
    try:
        value = json.loads(body)
    except ValueError:
        return None
    error = value.get("error") if isinstance(value, dict) else None
    if isinstance(error, str):  # the token endpoint's form
        return {"message": str(value.get("error_description") or error), "errors": [{"reason": error}]}
    return error if isinstance(error, dict) else None


def _reason(error: Mapping[str, Any]) -> str:
    for item in _dicts(error.get("errors")):
        if item.get("reason"):
            return str(item["reason"])
    for detail in _dicts(error.get("details")):
        if detail.get("reason"):
            return str(detail["reason"])
    return str(error.get("status") or "")


def _dicts(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _wait(answer: Answered, message: str) -> float | None:
    """The latest of the deadlines named, in seconds from the answer's own Date, so that our clock does not matter."""
    date = _http_date(answer.headers.get("date", "")) or datetime.now(UTC)
    waits = [(datetime.fromisoformat(text) - date).total_seconds() for text in _RETRY_AFTER.findall(message)]
    header = answer.headers.get("retry-after", "").strip()
    if header.isdigit():
        waits.append(float(header))
    elif (until := _http_date(header)) is not None:
        waits.append((until - date).total_seconds())
    return max(0.0, *waits) if waits else None


def _http_date(text: str) -> datetime | None:
    try:
        value = parsedate_to_datetime(text)
    except ValueError:
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
