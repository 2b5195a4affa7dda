"""The three ways in which a message arrives at messages.send: JSON, bare bytes, and multipart.

See google.md §1.6 and §2.1.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from email.message import Message as MimeMessage

from certmail_sandbox.wire import body as json_body
from certmail_sandbox.wire import gmail_errors

JSON_MAX_BYTES = 5 * 1024 * 1024  # reported, not documented: "above ~5 MB of request"
UPLOAD_MAX_BYTES = 36_700_160  # mediaUpload.maxSize of gmail.v1.json
_BASE64 = re.compile(r"[A-Za-z0-9_-]*(={0,2})")


@dataclass(frozen=True, slots=True)
class Submitted:
    """A message as it was handed in, and the thread that it asks to join."""

    raw: bytes
    thread_id: str | None = None


def from_json(content_type: str, body: bytes) -> Submitted:
    """Read `{"raw": <base64url>, "threadId": …}`.

    Raises ApiError.
    """
    if content_type != "application/json":
        raise gmail_errors.bad_request(
            f"Invalid JSON payload received. Content-Type is {content_type}."
        )
    if len(body) > JSON_MAX_BYTES:
        raise gmail_errors.too_large(
            f"Request payload size exceeds the limit: {JSON_MAX_BYTES} bytes."
        )

    raw, thread_id = _message_resource(body)
    if not raw:
        raise gmail_errors.invalid_argument(
            "'raw' RFC822 payload message string or uploading message via /upload/* URL required"
        )

    return Submitted(_decoded(raw), thread_id)


def from_media(content_type: str, body: bytes) -> Submitted:
    """Read the bytes of a message, of content type `message/*`.

    Raises ApiError.
    """
    _check_media(content_type, len(body))
    return Submitted(body)


def from_multipart(content_type: str, body: bytes) -> Submitted:
    """Read a JSON part followed by the message, as `multipart/related`.

    Raises ApiError.
    """
    header = MimeMessage()
    header["Content-Type"] = content_type
    boundary = header.get_boundary()
    if header.get_content_maintype() != "multipart" or not boundary:
        raise gmail_errors.bad_request(
            "Multipart upload needs a multipart/related body with a boundary."
        )

    parts = _split(body, boundary.encode("latin-1", "replace"))
    if len(parts) != 2:
        raise gmail_errors.bad_request("Multipart upload needs a metadata part and a media part.")

    (_, metadata), (media_type, media) = parts
    _check_media(media_type, len(media))
    return Submitted(media, _message_resource(metadata)[1])


def thread_of(metadata: bytes) -> str | None:
    """The thread that a metadata body asks for."""
    return _message_resource(metadata)[1] if metadata.strip() else None


def _message_resource(content: bytes) -> tuple[str | None, str | None]:
    resource = json_body.read(content, "Message", "message")
    raw, thread_id = resource.get("raw"), resource.get("threadId")
    return raw if isinstance(raw, str) else None, thread_id if isinstance(thread_id, str) else None


def _decoded(raw: str) -> bytes:
    """Both base64 alphabets, padded or not; padding that is there must be right."""
    urlsafe = raw.translate(str.maketrans("+/", "-_"))
    match = _BASE64.fullmatch(urlsafe)
    padding = len(match[1]) if match else 0
    if match and (not padding or len(raw) % 4 == 0):
        try:
            return base64.urlsafe_b64decode(urlsafe + "=" * (-len(raw) % 4))
        except binascii.Error:
            pass

    raise gmail_errors.bad_request(
        "Invalid value at 'message.raw' (TYPE_BYTES), Base64 decoding failed"
    )


def _check_media(content_type: str, size: int) -> None:
    if not content_type.lower().startswith("message/"):
        raise gmail_errors.bad_request(
            f"Media type '{content_type.partition(';')[0]}' is not supported. Valid media types: [message/*]"
        )
    if size > UPLOAD_MAX_BYTES:
        raise gmail_errors.too_large(f"Upload too large: the limit is {UPLOAD_MAX_BYTES} bytes.")


def _split(body: bytes, boundary: bytes) -> list[tuple[str, bytes]]:
    """The content type and bytes of each part.

    Google's own Python client ends its lines with a bare LF.
    """
    found: list[tuple[str, bytes]] = []

    for part in re.split(rb"(?:^|\r?\n)--" + re.escape(boundary), body)[1:]:
        if part.startswith(b"--"):
            break
        block, _, content = _cut(part.lstrip(b" \t"))
        header = MimeMessage()
        for line in block.decode("latin-1").splitlines():
            name, _, value = line.partition(":")
            header[name.strip()] = value.strip()
        if header.get("Content-Transfer-Encoding", "").lower() == "base64":
            content = base64.b64decode(content)
        found.append((header.get_content_type(), content))

    return found


def _cut(part: bytes) -> tuple[bytes, bytes, bytes]:
    match = re.search(rb"\r?\n\r?\n", part)
    return (part[: match.start()].strip(), b"", part[match.end() :]) if match else (part, b"", b"")
