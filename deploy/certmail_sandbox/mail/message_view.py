"""A stored message as the Gmail API shows it, and a small part of Gmail's search.

It is the part that a sender needs (google.md §2.5).
"""

from __future__ import annotations

import base64
from collections.abc import Collection
from email import message_from_bytes
from email.message import Message as MimeMessage

from certmail_sandbox.mail.mailstore import Message

Json = dict[str, object]


def encoded(content: bytes) -> str:
    """Gmail's `raw` and `data`: base64url with padding."""
    return base64.urlsafe_b64encode(content).decode()


def view(message: Message, form: str, only: Collection[str] = ()) -> Json:
    """The message resource in one of Gmail's formats.

    It shows the mailbox's own copy, Bcc included (google.md §2.4).
    """
    resource: Json = {
        "id": message.id,
        "threadId": message.thread_id,
        "labelIds": list(message.labels),
        "snippet": "",
        "sizeEstimate": len(message.sent_copy),
        "historyId": str(int(message.id, 16) % 10**9),
        "internalDate": str(int(message.accepted_at * 1000)),
    }

    if form == "raw":
        resource["raw"] = encoded(message.sent_copy)
    elif form == "metadata":
        wanted = {name.lower() for name in only}
        headers = [
            {"name": header.name, "value": header.text}
            for header in message.headers.fields
            if not wanted or header.name.lower() in wanted
        ]
        resource["payload"] = {"mimeType": _mime_type(message), "headers": headers}
    elif form == "full":
        payload = _part(message_from_bytes(message.sent_copy), "")
        payload["headers"] = [{"name": h.name, "value": h.text} for h in message.headers.fields]
        resource["payload"] = payload

    return resource


def _mime_type(message: Message) -> str:
    return message.headers.text("Content-Type").partition(";")[0].strip().lower() or "text/plain"


def _part(part: MimeMessage, number: str) -> Json:
    shown: Json = {
        "partId": number,
        "mimeType": part.get_content_type(),
        "filename": part.get_filename() or "",
        "headers": [{"name": name, "value": str(value)} for name, value in part.items()],
    }

    if part.is_multipart():
        children = [child for child in part.get_payload() if isinstance(child, MimeMessage)]
        prefix = f"{number}." if number else ""
        shown["body"] = {"size": 0}
        shown["parts"] = [_part(child, f"{prefix}{index}") for index, child in enumerate(children)]
    else:
        payload = part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else b""
        shown["body"] = {"size": len(content), "data": encoded(content)}

    return shown


def matches(message: Message, query: str) -> bool:
    """Whether every term of a `q` fits a message.

    The sender's own Message-ID never does, for it was replaced (google.md §2.5).
    """
    return all(_term(message, *_split(term)) for term in query.split())


def _split(term: str) -> tuple[str, str]:
    operator, colon, value = term.partition(":")
    return (operator.lower(), value.strip('"').lower()) if colon else ("", term.strip('"').lower())


def _term(message: Message, operator: str, value: str) -> bool:
    match operator:
        case "rfc822msgid":
            return message.headers.text("Message-ID").strip("<>").lower() == value.strip("<>")
        case "in" | "label":
            return value == "anywhere" or value.upper() in message.labels
        case "to" | "from" | "subject" | "cc" | "bcc":
            return value in message.headers.text(operator).lower()
        case _:
            return value in message.searchable
