"""Google's side of the year: the sandbox in a process of its own, whose clock stands until it is set."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import requests

from certmail_config.google.oauth import OAuthClient
from certmail_config.tenants.models import SEND_SCOPE

REDIRECT = "http://localhost/callback"


@dataclass(frozen=True, slots=True)
class Google:
    """The sandbox at `url`, and what is ordered of it."""

    url: str
    _session: requests.Session = field(default_factory=requests.Session)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Make a request to its control API."""
        given: dict[str, Any] = {"data": body} if isinstance(body, str) else {"json": body}
        answer = self._session.request(method, f"{self.url}/_sandbox{path}", timeout=60, **given)
        assert answer.ok, answer.text
        return answer.json()

    def set_clock(self, now: datetime) -> None:
        """Let it be this time, until a later one is set."""
        self.control("PUT", "/clock", {"stands_at": now.isoformat()})

    async def set_clock_by(self, session: aiohttp.ClientSession, now: datetime) -> None:
        """The same, over connections that are open already."""
        order = {"stands_at": now.isoformat()}
        async with session.put(f"{self.url}/_sandbox/clock", json=order) as answer:
            assert answer.status == HTTPStatus.OK, await answer.text()

    def take_messages(self) -> list[dict[str, Any]]:
        """What arrived since it was last asked, without content."""
        found: list[dict[str, Any]] = self.control("DELETE", "/messages")
        return found

    def make_client(self) -> OAuthClient:
        """Register an application."""
        made = self.control("POST", "/oauth-clients", {"redirect_uris": [REDIRECT]})
        return OAuthClient(made["client_id"], made["client_secret"])

    def make_mailbox(self, address: str) -> None:
        """Make somebody with Gmail."""
        self.control("POST", "/accounts", {"email": address})

    def make_service_account(self, email: str, project: str, certificate: str) -> None:
        """Make a service account that may send for its domain, with a key."""
        self.control("POST", "/service-accounts", {"email": email, "project": project})
        path = f"/service-accounts/{email}"
        self.control("PUT", f"{path}/delegation", {"scopes": [SEND_SCOPE]})
        self.control("POST", f"{path}/keys", certificate)

    def consent(self, client: OAuthClient, account: str) -> str:
        """Sign in and allow everything; gives the refresh token."""
        query = {
            "client_id": client.id,
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": SEND_SCOPE,
            "access_type": "offline",
            "prompt": "consent",
        }
        form = {"account": account, "scope": SEND_SCOPE, "decision": "allow"}
        page = f"{self.url}/o/oauth2/v2/auth?{urlencode(query)}"
        back = self._session.post(page, data=form, allow_redirects=False, timeout=60)
        [code] = parse_qs(urlsplit(back.headers["Location"]).query)["code"]
        grant = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT,
            "client_id": client.id,
            "client_secret": client.secret,
        }
        answer = self._session.post(f"{self.url}/token", data=grant, timeout=60).json()
        return str(answer["refresh_token"])


@contextmanager
def google() -> Iterator[Google]:
    """Start it on a free port; it ends with the block."""
    command = [sys.executable, "-m", "certmail_sandbox", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None, "asked for above"
            yield Google(process.stdout.readline().strip())
        finally:
            process.terminate()
