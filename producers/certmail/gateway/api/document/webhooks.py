"""What the document says of webhooks: each type of event, with its schema and an example; pure."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from certmail_config.webhooks.catalogue import MEANINGS, WebhookType, example, schema
from certmail_config.webhooks.signing import ID, SIGNATURE, TIMESTAMP

_HEADERS: Final = {
    ID: "Names the message: the same however often it comes. Do what it says once for each.",
    TIMESTAMP: "When it was sent, in seconds since 1970: refuse what is older than five minutes.",
    SIGNATURE: "Standard Webhooks: `v1,` and base64 of HMAC-SHA256 over id, timestamp and body with dots between; "
    "two of them, a blank between, while a secret is replaced.",
}


@cache
def webhooks() -> dict[str, Any]:
    """The `webhooks` of the document, by type."""
    return {str(kind): {"post": _operation(kind)} for kind in WebhookType}


def _operation(kind: WebhookType) -> dict[str, Any]:
    content = {"schema": schema(kind), "example": example(kind)}
    return {
        "operationId": "told" + "".join(part.title() for part in kind.replace("_", ".").split(".")),
        "tags": ["Webhooks"],
        "summary": MEANINGS[kind],
        "security": [],
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": True,
                "description": description,
                "schema": {"type": "string"},
            }
            for name, description in _HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {
            "2XX": {"description": "It was taken. Anything else, and it comes again."},
            "410": {"description": "No more of these: the webhook is disabled."},
        },
    }
