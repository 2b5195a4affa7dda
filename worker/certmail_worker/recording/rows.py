"""What an event means for the record's rows; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from pydantic_core import from_json, to_json

from certmail_config.base.redis_answers import from_ms

DECISIONS: Final = frozenset(
    {"cancelled", "settled_by_hand", "tenant_removed", "erased", "retention"}
)
"""The reasons, by their code, that are somebody's decision; what follows the code says whose."""
REPORTED: Final = (
    "http_status",
    "google_reason",
    "gmail_id",
    "gmail_thread_id",
    "latency_ms",
    "key_id",
    "connection_version",
    "template_version",
    "locale",
    "message_sha256",
    "subject_sha256",
    "composed_at",
    "release",
)
"""What the detail of an attempt may report.

A later report that lacks a field leaves it as it was.
"""
NUMBERS: Final = frozenset({"http_status", "latency_ms", "connection_version", "template_version"})
"""Those of REPORTED that are numbers; the others are texts."""


class Event(NamedTuple):
    """One event of the stream, its fields decoded.

    `recipient` is opened from the sealed body of `enqueued`. `mailbox` and `key_id` are those of
    the connection that a request is `begun` with, or is presumed to have been.
    """

    id: str
    type: str
    at: datetime
    fields: Mapping[str, str]
    recipient: str | None = None
    mailbox: str | None = None
    key_id: str | None = None


Row = dict[str, Any]
"""Columns and values as both databases take them: times are texts (`written`)."""
_ZONE: Final = len("+00:00")


def event_row(event: Event) -> Row:
    """The row of the event itself, without payload and addresses."""
    ms, _, n = event.id.partition("-")
    data = {name: value for name, value in event.fields.items() if name not in {"job", "tenant"}}

    return {
        "stream_ms": int(ms),
        "stream_n": int(n),
        "type": event.type,
        "at": written(event.at),
        "tenant": event.fields.get("tenant"),
        "job": event.fields.get("job"),
        "data": to_json(data, ensure_ascii=True).decode(),
    }


def new_delivery(event: Event) -> Row:
    """The row of a delivery that was `enqueued`."""
    fields, at = event.fields, written(event.at)

    return {
        "job": fields["job"],
        "tenant": fields["tenant"],
        "connection": fields["connection"],
        "kind": fields["kind"],
        "campaign": fields["campaign"] or None,
        # Local parts differ by case on paper only: whoever is looked for, or erased, must be found.
        "recipient": event.recipient.lower() if event.recipient else None,
        "mailbox": None,
        "state": fields["state"],
        "reason": fields["reason"] or None,
        "held": False,
        "possible_duplicate": False,
        "enqueued_at": at,
        "send_at": _time(fields["send_at"]),
        "expires_at": _time(fields["expires_at"]),
        "updated_at": at,
        "dedupe": fields["dedupe"],
        "fingerprint": fields["fingerprint"],
        "decided_by": None,
    }


def change(event: Event) -> Row | None:
    """The state that a delivery is in from this event on.

    None for an event that says none, or that makes a delivery.
    """
    if event.type == "enqueued" or "job" not in event.fields or "state" not in event.fields:
        return None

    return {
        "job": event.fields["job"],
        "state": event.fields["state"],
        "reason": event.fields.get("reason") or None,
        "held": event.fields.get("held") == "1",
        "updated_at": written(event.at),
        "decided_by": decided_by(event.fields.get("reason", "")),
    }


def decided_by(reason: str) -> str | None:
    """Who decided, as far as the reason says; None if nobody did."""
    code, _, words = reason.partition(": ")
    return (words or code) if code in DECISIONS else None


def reports_request(kind: str, fields: Mapping[str, str]) -> bool:
    """Whether an event reports a new request.

    One that was begun, or that a repair presumes could have been made.
    """
    return kind == "begun" or _presumes(kind, fields)


def _presumes(kind: str, fields: Mapping[str, str]) -> bool:
    return kind in {"restored", "mended"} and "attempt" in fields


def new_attempt(event: Event) -> Row:
    """The row of a new request.

    By whom a presumed one was made nobody knows.
    """
    return {
        "job": event.fields["job"],
        "n": int(event.fields["attempt"]),
        "worker": event.fields.get("worker"),
        "begun_at": _time(event.fields.get("begun_at", "")) or written(event.at),
        "key_id": event.key_id,
    }


def end_of_attempt(event: Event) -> Row | None:
    """The end of an attempt; None for other events.

    Of an attempt whose worker was lost nothing more is known.
    """
    lost = event.type == "reaped" and "attempt" in event.fields
    if event.type != "settled" and not lost and not _presumes(event.type, event.fields):
        return None

    detail = _detail(event.fields.get("detail", "{}"))
    ended, composed = "ended_at" in detail, detail.get("composed_at")

    return {
        "job": event.fields["job"],
        "n": int(event.fields["attempt"]),
        "outcome": event.fields.get("outcome", "unknown"),
        "reason": event.fields.get("reason") or None,
        "reported_end": written(datetime.fromisoformat(detail["ended_at"])) if ended else None,
        "event_at": written(event.at),
        **{name: detail.get(name) for name in REPORTED},
        "composed_at": written(datetime.fromisoformat(composed)) if composed else None,
    }


def _detail(text: str) -> dict[str, Any]:
    """A worker's report of an attempt.

    Raises ValueError, TypeError for what no worker would have reported.
    """
    detail = from_json(text)
    if not isinstance(detail, dict):
        raise TypeError("its detail is no object")

    for name in REPORTED:
        value, kind = detail.get(name), int if name in NUMBERS else str
        if value is not None and not isinstance(value, kind):
            raise ValueError(f"the {name} in its detail is of another kind")

    return detail


def _time(ms: str) -> str | None:
    return written(from_ms(ms)) if ms else None


def written(at: datetime) -> str:
    """A time as both databases take it: in UTC, without saying so.

    Raises ValueError for one without zone, which would be stored as something else than meant.
    """
    if at.tzinfo is None:
        raise ValueError("a time in it is of no zone")
    return at.astimezone(UTC).isoformat(" ", "microseconds")[:-_ZONE]
