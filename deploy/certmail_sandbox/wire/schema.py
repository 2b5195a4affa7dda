"""The fields of what Gmail takes and answers, of gmail.v1.json (rev 20261005).

A test compares them with Google's own document.
"""

from __future__ import annotations

from collections.abc import Mapping

Kind = str
"""`string`, `integer`, or the name of a schema; a list of it where `[]` stands behind."""
Schema = Mapping[str, Kind]

SCHEMAS: Mapping[str, Schema] = {
    "Message": {
        "id": "string",
        "threadId": "string",
        "labelIds": "string[]",
        "snippet": "string",
        "historyId": "string",
        "internalDate": "string",
        "payload": "MessagePart",
        "sizeEstimate": "integer",
        "raw": "string",
        "classificationLabelValues": "ClassificationLabelValue[]",
    },
    "MessagePart": {
        "partId": "string",
        "mimeType": "string",
        "filename": "string",
        "headers": "MessagePartHeader[]",
        "body": "MessagePartBody",
        "parts": "MessagePart[]",
    },
    "MessagePartBody": {"attachmentId": "string", "size": "integer", "data": "string"},
    "MessagePartHeader": {"name": "string", "value": "string"},
    "ClassificationLabelValue": {"labelId": "string", "fields": "ClassificationLabelFieldValue[]"},
    "ClassificationLabelFieldValue": {"fieldId": "string", "selection": "string"},
    "ListMessagesResponse": {
        "messages": "Message[]",
        "nextPageToken": "string",
        "resultSizeEstimate": "integer",
    },
    "Profile": {
        "emailAddress": "string",
        "messagesTotal": "integer",
        "threadsTotal": "integer",
        "historyId": "string",
    },
}


def of(kind: Kind) -> Schema | None:
    """The fields of a kind, of each item where it is a list; None for a plain value."""
    return SCHEMAS.get(kind.removesuffix("[]"))
