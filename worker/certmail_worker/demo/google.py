"""What an administrator would click at Google, done over the sandbox's control API."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from certmail_config.connections import SEND_SCOPE


@dataclass(frozen=True, slots=True)
class SandboxGoogle:
    """The sandbox at `url`."""

    url: str

    def set_limits(self, units_per_minute: int) -> None:
        """Say what Google allows a mailbox."""
        self._call("PUT", "/limits", {"units_per_minute": units_per_minute})

    def add_mailbox(self, address: str) -> None:
        """Make a user with Gmail."""
        self._call("POST", "/accounts", {"email": address})

    def add_service_account(self, email: str, project: str) -> None:
        """Make a service account, with domain-wide delegation for sending."""
        self._call("POST", "/service-accounts", {"email": email, "project": project})
        self._call("PUT", f"/service-accounts/{quote(email)}/delegation", {"scopes": [SEND_SCOPE]})

    def upload(self, email: str, certificate: str) -> None:
        """Upload a certificate as an existing key."""
        self._call("POST", f"/service-accounts/{quote(email)}/keys", certificate)

    def messages(self) -> list[dict[str, Any]]:
        """Everything that arrived."""
        found = self._call("GET", "/messages", None)
        assert isinstance(found, list), "the control API's own form"
        return found

    def _call(self, method: str, path: str, body: object) -> Any:
        data = body.encode() if isinstance(body, str) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox{path}", data=data, method=method)  # noqa: S310 - http to ourselves
        request.add_header(
            "Content-Type", "application/x-pem-file" if isinstance(body, str) else "application/json"
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            return json.loads(answer.read() or b"null")
