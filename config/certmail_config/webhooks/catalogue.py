"""Every type of event that an endpoint may be told, with the form of its payload and an example.

A payload is thin: ids, a state, times, a code. No address and no text of anybody's stands in it:
whoever needs more asks the API. New fields may come; one that changes its meaning, or goes, makes
another VERSION.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from certmail_config.base.dates import rfc3339

VERSION: Final = 1
"""Of the payloads' form; it stands in each."""
EVERY_TYPE: Final = "*"


class WebhookType(StrEnum):
    """What has happened, as an endpoint is told it; MEANINGS says each in a sentence."""

    REMINDER_ACCEPTED = "reminder.accepted"
    REMINDER_UNCERTAIN = "reminder.uncertain"
    REMINDER_FAILED = "reminder.failed"
    REMINDER_CANCELLED = "reminder.cancelled"
    REMINDER_SUPPRESSED = "reminder.suppressed"
    REMINDER_EXPIRED = "reminder.expired"
    CONNECTION_ATTENTION = "connection.attention"
    CONNECTION_ACTIVE = "connection.active"
    CONNECTION_CERTIFICATE_EXPIRING = "connection.certificate_expiring"
    WEBHOOK_DISABLED = "webhook.disabled"
    WEBHOOK_TEST = "webhook.test"


REMINDER_TYPES: Final = {
    "accepted": WebhookType.REMINDER_ACCEPTED,
    "uncertain": WebhookType.REMINDER_UNCERTAIN,
    "failed": WebhookType.REMINDER_FAILED,
    "cancelled": WebhookType.REMINDER_CANCELLED,
    "suppressed": WebhookType.REMINDER_SUPPRESSED,
    "expired": WebhookType.REMINDER_EXPIRED,
}
"""The type that tells of a state; the states on the way are told to nobody."""


class _Payload(BaseModel):
    model_config = ConfigDict(defer_build=True)


class ReminderNews(_Payload):
    """What is told of a reminder."""

    tenant: str = Field(description="The tenant's id.")
    reminder: str = Field(description="The reminder's id, as in its receipt.")
    state: Literal["accepted", "uncertain", "failed", "cancelled", "suppressed", "expired"] = Field(
        description="What it is now."
    )
    sequence: int = Field(
        ge=1,
        description="Grows with each event of the same reminder, not by one each time: of two, the greater is the later.",
    )
    reason: str | None = Field(description="A code for why; null where there is none.")
    held: bool = Field(description="Whether a person has to decide what became of it.")
    possible_duplicate: bool = Field(description="Whether it may have arrived twice by this.")


class ConnectionNews(_Payload):
    """What is told of a connection."""

    tenant: str = Field(description="The tenant's id.")
    connection: str = Field(description="The connection's id.")
    version: int = Field(description="Of what is configured: a greater one is the later.")
    code: str | None = Field(description="Why it does not send; null where it does.")


class CertificateNews(_Payload):
    """What is told of a connection's certificate."""

    tenant: str = Field(description="The tenant's id.")
    connection: str = Field(description="The connection's id.")
    version: int = Field(description="Of what is configured: a greater one is the later.")
    not_after: str = Field(description="When the certificate ends, RFC 3339.")
    days: int = Field(description="It ends in so many days or less: 30, 7 or 1.")


class EndpointNews(_Payload):
    """What is told of another endpoint."""

    webhook: str = Field(description="The endpoint's id.")
    code: str = Field(description="Why: `failing`, or `gone` where it answered 410.")


class TrialNews(_Payload):
    """What a trial says."""

    webhook: str = Field(description="The id of the endpoint that is tried out.")


DATA: Final[dict[WebhookType, type[BaseModel]]] = {
    **dict.fromkeys(REMINDER_TYPES.values(), ReminderNews),
    WebhookType.CONNECTION_ATTENTION: ConnectionNews,
    WebhookType.CONNECTION_ACTIVE: ConnectionNews,
    WebhookType.CONNECTION_CERTIFICATE_EXPIRING: CertificateNews,
    WebhookType.WEBHOOK_DISABLED: EndpointNews,
    WebhookType.WEBHOOK_TEST: TrialNews,
}
"""The form of each type's `data`."""
MEANINGS: Final = {
    WebhookType.REMINDER_ACCEPTED: "Gmail took the message. That is not yet delivery.",
    WebhookType.REMINDER_UNCERTAIN: "Google's answer is unknown; `held` says whether a person has to decide.",
    WebhookType.REMINDER_FAILED: "It cannot be sent, for the reason named.",
    WebhookType.REMINDER_CANCELLED: "It was called off before it was sent.",
    WebhookType.REMINDER_SUPPRESSED: "It was no longer wanted: the review is complete.",
    WebhookType.REMINDER_EXPIRED: "Its time passed while it waited.",
    WebhookType.CONNECTION_ATTENTION: "A mailbox sends nothing until somebody acts; its reminders wait.",
    WebhookType.CONNECTION_ACTIVE: "A mailbox may send, or may send again.",
    WebhookType.CONNECTION_CERTIFICATE_EXPIRING: "A connection's certificate ends soon: told 30, 7 and 1 days before.",
    WebhookType.WEBHOOK_DISABLED: "Another endpoint of the same tenants was disabled; what it misses is kept.",
    WebhookType.WEBHOOK_TEST: "A trial that somebody asked for; nothing has happened.",
}
"""Each type in a sentence, for the documents."""
SUBSCRIBABLE: Final = tuple(type_ for type_ in WebhookType if type_ != WebhookType.WEBHOOK_TEST)
"""What an endpoint may ask for; a trial goes to the one that is tried."""


def payload(kind: WebhookType, at: datetime, data: dict[str, Any]) -> str:
    """The body of a message, as it is kept and signed: ASCII, so that any receiver reads it."""
    whole = {"type": kind, "version": VERSION, "timestamp": rfc3339(at), "data": data}
    return to_json(whole, ensure_ascii=True).decode()


def schema(kind: WebhookType) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a type's whole payload."""
    data = DATA[kind].model_json_schema(mode="serialization")
    about = {"type": "string", "const": str(kind), "description": MEANINGS[kind]}
    return {
        "type": "object",
        "title": kind,
        "required": ["type", "version", "timestamp", "data"],
        "properties": {
            "type": about,
            "version": {"type": "integer", "const": VERSION, "description": "Of this form."},
            "timestamp": {
                "type": "string",
                "format": "date-time",
                "description": "When it happened, in UTC.",
            },
            "data": data,
        },
    }


def example(kind: WebhookType) -> dict[str, Any]:
    """A payload of a type, as one could come."""
    found: dict[str, Any] = {
        ReminderNews: _REMINDER | {"state": kind.partition(".")[2]} | _OF_STATE.get(kind, {}),
        ConnectionNews: _CONNECTION | _OF_STATE.get(kind, {}),
        CertificateNews: _CONNECTION | {"not_after": "2026-12-02T15:20:00Z", "days": 7},
        EndpointNews: {"webhook": _ID, "code": "failing"},
        TrialNews: {"webhook": _ID},
    }[DATA[kind]]
    at = rfc3339(datetime(2026, 11, 25, 15, 20, tzinfo=UTC))
    return {"type": str(kind), "version": VERSION, "timestamp": at, "data": found}


_ID: Final = "01939f5e-7c4a-7b53-9d5e-2f6d8a1b0c11"
_REMINDER: Final[dict[str, Any]] = {
    "tenant": "acme",
    "reminder": _ID,
    "state": "accepted",
    "sequence": 3,
    "reason": None,
    "held": False,
    "possible_duplicate": False,
}
_CONNECTION: Final[dict[str, Any]] = {"tenant": "acme", "connection": _ID, "version": 4}
_OF_STATE: Final[dict[WebhookType, dict[str, Any]]] = {
    WebhookType.REMINDER_UNCERTAIN: {"reason": "worker_lost", "held": True},
    WebhookType.REMINDER_FAILED: {"reason": "message_rejected"},
    WebhookType.REMINDER_CANCELLED: {"reason": "cancelled", "sequence": 2},
    WebhookType.REMINDER_SUPPRESSED: {"reason": None, "sequence": 1},
    WebhookType.REMINDER_EXPIRED: {"sequence": 2},
    WebhookType.CONNECTION_ATTENTION: {"code": "grant_revoked"},
    WebhookType.CONNECTION_ACTIVE: {"code": None},
}
