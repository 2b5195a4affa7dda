"""Sending through the Gmail API: one HTTP request per call, never repeated here."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import aiohttp

from certmail_worker.answers import Answer
from certmail_worker.http import SendWindow, exchange

SEND_PATH = "/gmail/v1/users/me/messages/send"
MOST_MESSAGE_BYTES = 3_500_000
"""The JSON route fails above about 5 MB of request, a third of which is base64 (google.md §1.6)."""


@dataclass(frozen=True, slots=True)
class Gmail:
    """The Gmail API at `root`, over a shared session."""

    session: aiohttp.ClientSession
    root: str

    async def send(self, raw: bytes, token: str, window: SendWindow) -> Answer:
        """Send an RFC 5322 message from the token's own mailbox."""
        body = b'{"raw":"' + base64.urlsafe_b64encode(raw) + b'"}'
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return await exchange(
            self.session, "POST", self.root.rstrip("/") + SEND_PATH, window=window, headers=headers, data=body
        )
