"""Reading Google's error answers: JSON in its dialects, HTML, or nothing.

And the deadlines that are hidden in them.

Sources: google.md §1.3 and §1.4. `Retry-After` is not documented for Gmail, but honoured; the
deadline usually stands in the message: "User-rate limit exceeded.  Retry after
2026-11-23T18:03:15.961Z".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from certmail_config.base.redaction import quote
from certmail_worker.google.responses import Answered

MAX_WAIT_SECONDS: Final = 86_400.0
"""Google's longest wait is "up to 24 h" (google.md §1.2).

An answer that names a later deadline has a wrong clock.
"""
_MAX_PAGE_BYTES: Final = 10_000
_RETRY_AFTER: Final = re.compile(
    r"Retry after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)", re.IGNORECASE | re.ASCII
)
_DIGITS: Final = re.compile(r"\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class GoogleError:
    """An error answer, read.

    `wait` is seconds from the answer's own Date until the deadline that it names.
    """

    status: int
    reason: str
    """The most specific machine-readable reason, or ''."""
    message: str
    """Google's words, without addresses."""
    words: str
    """Every reason and the message, or the page's text: what the failure table looks through."""
    structured: bool
    """Whether the body was Google's JSON rather than a proxy's page."""
    broken: bool = False
    """Whether the body broke off, or cannot be read though it says that it is JSON.

    Then only status and headers count.
    """
    wait: float | None = None
    allowed: int | None = None
    """How many units a minute it says that it allows, where that is what was exceeded."""


def read_error(answer: Answered) -> GoogleError:
    """Read an error answer defensively; never raises."""
    error = _error_object(answer.body)
    reasons, message = _reasons(error), error.get("message")
    text = message if isinstance(message, str) else ""

    if not (reasons or text):
        page = answer.body[:_MAX_PAGE_BYTES].decode("utf-8", "replace")
        broken = is_broken(answer)
        lacks = "with a body that broke off" if broken else "without Google's error body"
        return GoogleError(
            answer.status,
            "",
            f"HTTP {answer.status} {lacks}",
            page,
            structured=False,
            broken=broken,
            wait=named_wait(answer, page),
        )

    quoted = quote(text)
    return GoogleError(
        answer.status,
        reasons[0] if reasons else "",
        quoted,
        " ".join((*reasons, quoted)),
        structured=True,
        wait=named_wait(answer, text),
        allowed=_allowed(error),
    )


def is_broken(answer: Answered) -> bool:
    """Whether an answer's body did not arrive as it was sent.

    It broke off, or says that it is JSON and is none.
    """
    if answer.broken:
        return True
    if "json" not in answer.headers.get("content-type", "").lower():
        return False

    try:
        json.loads(answer.body)
    except (ValueError, RecursionError):
        return True
    return False


def named_wait(answer: Answered, words: str = "") -> float | None:
    """The latest of the deadlines named, in seconds from the answer's own Date.

    So that our clock does not matter.

    A deadline that has passed says nothing: None, as if there were none.
    """
    date = _http_date(answer.headers.get("date", "")) or datetime.now(UTC)
    header = answer.headers.get("retry-after", "").strip()

    waits = [float(header)] if _DIGITS.fullmatch(header) else []
    deadlines = [_timestamp(text) for text in _RETRY_AFTER.findall(words)] + [_http_date(header)]
    waits += [(deadline - date).total_seconds() for deadline in deadlines if deadline is not None]

    ahead = [wait for wait in waits if wait > 0]
    return min(max(ahead), MAX_WAIT_SECONDS) if ahead else None


def _error_object(body: bytes) -> Mapping[str, Any]:
    """The error object, empty where there is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}

    error = value.get("error") if isinstance(value, dict) else None
    if isinstance(error, str):  # the token endpoint's form
        return {"message": value.get("error_description") or error, "errors": [{"reason": error}]}
    return error if isinstance(error, dict) else {}


def _reasons(error: Mapping[str, Any]) -> list[str]:
    """The machine-readable reasons, the most specific first.

    Which of Google's dialects has which differs (google.md §1.4).
    """
    items = (*_dicts(error.get("errors")), *_dicts(error.get("details")))
    found = [item.get("reason") for item in items] + [error.get("status")]
    return [quote(reason, 100) for reason in found if isinstance(reason, str) and reason]


def _allowed(error: Mapping[str, Any]) -> int | None:
    """The value of the quota that was exceeded, in units a minute.

    `ErrorInfo` gives it for quotas that count by the minute.
    """
    for item in _dicts(error.get("details")):
        metadata = item.get("metadata")
        if isinstance(metadata, dict) and "1/min/" in str(metadata.get("quota_unit")):
            value = str(metadata.get("quota_limit_value"))
            if _DIGITS.fullmatch(value) and 0 < int(value) < 10**9:
                return int(value)

    return None


def _dicts(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _timestamp(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # a thirteenth month, say
        return None


def _http_date(text: str) -> datetime | None:
    try:
        value = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
