"""Resumable uploads: a session is opened with the metadata, then filled, in one or more pieces."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field

from certmail_sandbox.mail.uploads import UPLOAD_MAX_BYTES
from certmail_sandbox.wire import gmail_errors

_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


@dataclass(slots=True)
class UploadSession:
    """A resumable upload under way: what came so far, and the thread that it asks to join."""

    thread_id: str | None
    received: bytearray = field(default_factory=bytearray)


@dataclass
class Uploads:
    """The resumable uploads under way, by id."""

    sessions: dict[str, UploadSession] = field(default_factory=dict)

    def open(self, thread_id: str | None) -> str:
        """Open a session; gives its id."""
        upload_id = secrets.token_urlsafe(40)
        self.sessions[upload_id] = UploadSession(thread_id)
        return upload_id

    def fill(self, upload_id: str, content_range: str | None, body: bytes) -> UploadSession | None:
        """Take a piece; gives the session once it is whole, None while more is to come.

        Raises ApiError if the session is unknown, the range does not continue it, or it has grown
        too large (google.md §1.6).
        """
        session = self.sessions.get(upload_id)
        if session is None:
            raise gmail_errors.not_found("Upload session not found.")

        start, total = 0, str(len(body))
        if content_range:
            match = _RANGE.fullmatch(content_range.strip())
            if not match:
                raise gmail_errors.bad_request("Failed to parse Content-Range header.")
            start, total = int(match[1] or len(session.received)), match[3]

        if start != len(session.received):
            raise gmail_errors.bad_request(
                "Invalid request. The range does not continue the upload."
            )
        if start + len(body) > UPLOAD_MAX_BYTES:
            raise gmail_errors.too_large(
                f"Upload too large: the limit is {UPLOAD_MAX_BYTES} bytes."
            )

        session.received += body
        if total != str(len(session.received)):
            return None

        del self.sessions[upload_id]
        return session
