"""The Gmail API: one HTTP request per call, never repeated here."""

from __future__ import annotations

from binascii import b2a_base64
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

import aiohttp

from certmail_config.tracing.spans import NO_TRACING, Span, Tracing
from certmail_worker.google.http import SendWindow, exchange
from certmail_worker.google.responses import Answer

SEND_PATH: Final = "/gmail/v1/users/me/messages/send"
UPLOAD_PATH: Final = "/upload/gmail/v1/users/me/messages/send?uploadType=media"
MESSAGES_PATH: Final = "/gmail/v1/users/me/messages"
MAX_JSON_BYTES: Final = 3_500_000
"""The JSON route fails above about 5 MB of request, a third of which is base64 (google.md §1.6)."""
MAX_MESSAGE_BYTES: Final = 36_700_160
"""The upload route's own limit, 35 MiB."""
LIST_UNITS: Final = 5
GET_UNITS: Final = 20


@dataclass(frozen=True, slots=True)
class Gmail:
    """The Gmail API at `root`, over a shared session."""

    session: aiohttp.ClientSession
    root: str
    tracing: Tracing = NO_TRACING

    async def send(self, raw: bytes, token: str, window: SendWindow) -> Answer:
        """Send an RFC 5322 message from the token's own mailbox; a large one goes by upload."""
        if len(raw) > MAX_JSON_BYTES:
            headers = _authorization(token) | {"Content-Type": "message/rfc822"}
            return await exchange(
                self.session,
                "POST",
                self._url(UPLOAD_PATH),
                window=window,
                headers=headers,
                data=raw,
                span=self._span("send", "POST", UPLOAD_PATH),
            )

        body = b'{"raw":"' + _base64url(raw) + b'"}'
        headers = _authorization(token) | {"Content-Type": "application/json"}
        return await exchange(
            self.session,
            "POST",
            self._url(SEND_PATH),
            window=window,
            headers=headers,
            data=body,
            span=self._span("send", "POST", SEND_PATH),
        )

    async def list_sent(self, token: str, *, page_size: int, page: str | None = None) -> Answer:
        """The ids of sent messages, the newest first; needs gmail.metadata. Costs LIST_UNITS."""
        query = {"labelIds": "SENT", "maxResults": str(page_size)}
        if page:
            query["pageToken"] = page

        url = self._url(f"{MESSAGES_PATH}?{urlencode(query)}")
        span = self._span("list", "GET", MESSAGES_PATH)
        return await exchange(self.session, "GET", url, headers=_authorization(token), span=span)

    async def get_certmail_id(self, token: str, message: str) -> Answer:
        """One message's X-Certmail-Id; needs gmail.metadata. Costs GET_UNITS."""
        query = urlencode({"format": "metadata", "metadataHeaders": "X-Certmail-Id"})
        return await exchange(
            self.session,
            "GET",
            self._url(f"{MESSAGES_PATH}/{message}?{query}"),
            headers=_authorization(token),
            span=self._span("get", "GET", f"{MESSAGES_PATH}/{{id}}"),
        )

    def _span(self, call: str, method: str, route: str) -> Span:
        return self.tracing.google(call, method, self.root, route.partition("?")[0])

    def _url(self, path: str) -> str:
        return self.root.rstrip("/") + path


def _base64url(raw: bytes) -> bytes:
    """What `base64.urlsafe_b64encode` gives, in a third of its time."""
    return b2a_base64(raw, newline=False).replace(b"+", b"-").replace(b"/", b"_")


def _authorization(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
