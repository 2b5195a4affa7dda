"""What people would click at Google, done over HTTP.

By the sandbox's control API, and on the real consent page.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from certmail_config.base.errors import Refused
from certmail_config.tenants.models import METADATA_SCOPE, SEND_SCOPE


@dataclass(frozen=True, slots=True)
class SandboxGoogle:
    """The sandbox at `url`."""

    url: str

    def set_limits(self, units_per_minute: int) -> None:
        """Say what Google allows a mailbox."""
        self._control("PUT", "/limits", {"units_per_minute": units_per_minute})

    def add_mailbox(self, address: str) -> None:
        """Make a user with Gmail."""
        self._control("POST", "/accounts", {"email": address})

    def add_service_account(self, email: str, project: str) -> None:
        """Make a service account, delegated to send and to look into the sent mail's headers."""
        self.add_bare_service_account(email, project)
        self._control(
            "PUT",
            f"/service-accounts/{quote(email)}/delegation",
            {"scopes": [SEND_SCOPE, METADATA_SCOPE]},
        )

    def add_project(self, project: str) -> None:
        """Make a project, which has no API enabled yet."""
        self._control("PUT", f"/projects/{quote(project)}", {"gmail_api": False})

    def add_bare_service_account(self, email: str, project: str) -> None:
        """Make a service account that nobody has delegated anything to."""
        self._control("POST", "/service-accounts", {"email": email, "project": project})

    def upload(self, email: str, certificate: str) -> None:
        """Upload a certificate as an existing key."""
        self._control("POST", f"/service-accounts/{quote(email)}/keys", certificate)

    def add_oauth_client(
        self,
        redirect_uri: str,
        *,
        known: tuple[str | None, str | None] = (None, None),
        name: str = "Access reviews",
    ) -> tuple[str, str]:
        """Register an OAuth client; gives its id and secret.

        One that is `known` is registered for another address.
        """
        client, secret = known
        order = {
            "redirect_uris": [redirect_uri],
            "client_id": client,
            "client_secret": secret,
            "name": name,
        }
        made = self._control("POST", "/oauth-clients", order)

        return made["client_id"], made["client_secret"]

    def consent(self, url: str, account: str) -> None:
        """Sign in at the consent page, allow everything, and say yes where it leads back to.

        Raises Refused.
        """
        asked = parse_qs(urlsplit(url).query)["scope"][0].split()
        form = urlencode(
            {"account": account, "scope": asked, "decision": "allow"}, doseq=True
        ).encode()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

        try:
            with browser.open(url, data=form, timeout=20) as question:
                at, page = question.url, question.read().decode()
            [token] = re.findall(r'name="csrf" value="([^"]+)"', page)
            yes = urlencode({"csrf": token, "answer": "yes"}).encode()
            with browser.open(at, data=yes, timeout=20):
                return
        except urllib.error.HTTPError as error:
            raise Refused(
                "demo_not_linked",
                f"The consent did not work: HTTP {error.code} at {urlsplit(error.url).path}.",
            ) from None

    def fault(self, mailbox: str, fault: str, **more: Any) -> None:
        """Let the next send from this mailbox meet a fault."""
        match = {"mailbox": mailbox, "path": "/messages/send"}
        self._control("POST", "/faults", {"match": match, "fault": fault, **more})

    def faults_met(self) -> list[dict[str, Any]]:
        """The requests that met a fault."""
        return [item for item in self._control("GET", "/requests", None) if item["fault"]]

    def messages(self) -> list[dict[str, Any]]:
        """Everything that arrived."""
        found = self._control("GET", "/messages", None)
        assert isinstance(found, list), "the control API's own form"
        return found

    def _control(self, method: str, path: str, body: object) -> Any:
        data: bytes | None = None
        kind = "application/json"
        if isinstance(body, str):
            data, kind = body.encode(), "application/x-pem-file"
        elif body is not None:
            data = json.dumps(body).encode()

        # The sandbox's own address, always HTTP.
        request = urllib.request.Request(f"{self.url}/_sandbox{path}", data=data, method=method)  # noqa: S310
        request.add_header("Content-Type", kind)
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")
