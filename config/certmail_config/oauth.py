"""The token protocol, without I/O: what to post to the token endpoint, and what its answers mean.

Sources: google.md §3.3, §3.4, §4.1 and §4.4 (Google's OAuth 2.0 for service accounts).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, cast

from google.auth import jwt
from google.auth.crypt import RSASigner

AUDIENCE: Final = "https://oauth2.googleapis.com/token"
"""What an assertion is addressed to, wherever the endpoint is reached."""
JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFE_SECONDS: Final = 3600
_SKEW_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Granted:
    """An access token; `expires_in` in seconds from the answer."""

    access_token: str
    expires_in: float
    scopes: frozenset[str]

    def __repr__(self) -> str:
        """Without the token: values end up in logs and tracebacks."""
        return f"Granted(expires_in={self.expires_in:g})"


class Blame(Enum):
    """Who can do something about a token that was not granted."""

    NOBODY = "nobody"
    """Google or the network: tried again by itself."""
    CUSTOMER = "customer"
    """The tenant's administrator: the connection needs attention."""
    OPERATOR = "operator"
    """Whoever runs certmail: a clock, a setting, a bug of ours."""


@dataclass(frozen=True, slots=True)
class Denied:
    """No token: a code, Google's words, and what to do. `settling` means that Google may still be spreading a change."""

    blame: Blame
    code: str
    message: str
    remedy: str
    settling: bool = False


def assertion_form(
    signer: RSASigner, *, key_id: str | None, issuer: str, subject: str, scopes: frozenset[str], now: float
) -> dict[str, str]:
    """The form to post for a service account that impersonates `subject`; `now` is wall-clock seconds."""
    claims = {
        "iss": issuer,
        "sub": subject,
        "scope": " ".join(sorted(scopes)),
        "aud": AUDIENCE,
        "iat": int(now) - _SKEW_SECONDS,
        "exp": int(now) - _SKEW_SECONDS + _LIFE_SECONDS,
    }
    # An unknown key id is left out, never invented: Google then tries all keys of the account (google.md §4.1).
    header = {"typ": "JWT", "alg": "RS256"} | ({"kid": key_id} if key_id else {})
    assertion: bytes = cast("Any", jwt).encode(signer, claims, header=header)  # google-auth ships no types
    return {"grant_type": JWT_GRANT, "assertion": assertion.decode("ascii")}


def read_answer(status: int, body: bytes) -> Granted | Denied:
    """Read the token endpoint's answer."""
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, Mapping):
        value = {}
    token, life = value.get("access_token"), value.get("expires_in")
    if status == 200 and isinstance(token, str) and isinstance(life, int | float):
        return Granted(token, float(life), frozenset(str(value.get("scope", "")).split()))
    error = value.get("error")
    code = error if isinstance(error, str) else ""
    return _denied(
        status, code, str(value.get("error_description") or ""), str(value.get("error_subtype") or "")
    )


_TRANSIENT_ERRORS: Final = frozenset({"internal_failure", "server_error", "temporarily_unavailable"})


def _denied(status: int, error: str, description: str, subtype: str) -> Denied:
    words = (
        f"Google says: {': '.join(part for part in (error, description, subtype) if part)}"
        if error
        else f"HTTP {status} without a reason"
    )
    if status >= 500 or status in {408, 429} or error in _TRANSIENT_ERRORS or not error:
        return Denied(
            Blame.NOBODY,
            "token_unavailable",
            f"The token endpoint did not answer properly. {words}",
            "Nothing to do; it is tried again.",
        )
    for row in _ROWS:
        if row.error == error and row.says in description:
            return Denied(row.blame, row.code, f"{row.sentence} {words}", row.remedy, row.settling)
    return Denied(
        Blame.OPERATOR,
        "token_refused",
        f"The token endpoint refused for a reason that certmail does not know. {words}",
        "Report it.",
    )


@dataclass(frozen=True, slots=True)
class _Row:
    error: str
    says: str  # a part of the description; '' fits any
    blame: Blame
    code: str
    sentence: str
    remedy: str
    settling: bool = False


_DELEGATION = (
    "In the Google Admin console, under Security, Access and data control, API controls, Domain-wide delegation: authorise the "
    "service account's numeric client ID (not its email) for https://www.googleapis.com/auth/gmail.send. "
    "A change usually works within minutes, at most within 24 hours."
)
_ROWS: Final = (
    _Row(
        "unauthorized_client",
        "",
        Blame.CUSTOMER,
        "delegation_missing",
        "Domain-wide delegation for this service account and scope is not in place.",
        _DELEGATION,
        settling=True,
    ),
    _Row(
        "access_denied",
        "",
        Blame.CUSTOMER,
        "delegation_missing",
        "A scope is not authorised for this service account, or its service is restricted.",
        _DELEGATION,
        settling=True,
    ),
    _Row(
        "admin_policy_enforced",
        "",
        Blame.CUSTOMER,
        "admin_policy",
        "A policy of the Google Workspace domain forbids it.",
        "The Workspace administrator must trust the application under Security, API controls, App access control.",
    ),
    _Row(
        "org_internal",
        "",
        Blame.OPERATOR,
        "client_internal",
        "The OAuth client is limited to its own organisation.",
        "Make the OAuth consent screen external.",
    ),
    _Row(
        "invalid_grant",
        "Invalid JWT Signature",
        Blame.CUSTOMER,
        "key_unknown",
        "Google does not know the key that certmail signs with: the certificate is not uploaded, was deleted or disabled, or has expired.",
        "Download the certificate (`certmail connections certificate`) and upload it to the service account, under Keys, Upload existing key. "
        "A new key may take a minute.",
        settling=True,
    ),
    _Row(
        "invalid_grant",
        "Invalid JWT: Token must be a short-lived token",
        Blame.OPERATOR,
        "clock_wrong",
        "This machine's clock differs from Google's by minutes.",
        "Set the clock (NTP) of the machine that runs certmail.",
    ),
    _Row(
        "invalid_grant",
        "Not a valid email",
        Blame.CUSTOMER,
        "mailbox_unknown",
        "The mailbox does not exist in this Google Workspace domain.",
        "Check the mailbox's address; it must be a user's primary address, not a group or an alias.",
    ),
    _Row(
        "invalid_grant",
        "Invalid email or User ID",
        Blame.CUSTOMER,
        "mailbox_unknown",
        "The mailbox does not exist in this Google Workspace domain, or is suspended.",
        "Check the mailbox's address; it must be a user's primary address, not a group or an alias.",
    ),
    _Row(
        "invalid_grant",
        "account has been deleted",
        Blame.CUSTOMER,
        "mailbox_unknown",
        "The mailbox was deleted.",
        "Restore the user, or connect another mailbox.",
    ),
    _Row(
        "invalid_grant",
        "account not found",
        Blame.CUSTOMER,
        "service_account_unknown",
        "The service account does not exist.",
        "Check the service account's email address.",
    ),
    _Row(
        "invalid_grant",
        "No valid verifier found",
        Blame.CUSTOMER,
        "service_account_unknown",
        "The service account does not exist, or has no usable key.",
        "Check the service account's email address and its keys.",
        settling=True,
    ),
    _Row(
        "invalid_grant",
        "",
        Blame.CUSTOMER,
        "grant_revoked",
        "The permission to send was withdrawn or has ended.",
        "Link the account again.",
    ),
    _Row(
        "invalid_request",
        "impersonation",
        Blame.CUSTOMER,
        "mailbox_unknown",
        "The mailbox cannot be impersonated.",
        "It must be a user of the domain that granted the delegation: not a group, an alias, or a user of another domain.",
    ),
    _Row(
        "invalid_request",
        "prn email",
        Blame.CUSTOMER,
        "mailbox_unknown",
        "The mailbox cannot be impersonated.",
        "It must be a user of the domain that granted the delegation: not a group, an alias, or a user of another domain.",
    ),
    _Row(
        "disabled_client",
        "",
        Blame.CUSTOMER,
        "client_disabled",
        "The service account or client is disabled.",
        "Enable it in the Google Cloud console.",
    ),
    _Row(
        "deleted_client",
        "",
        Blame.CUSTOMER,
        "client_deleted",
        "The service account or client was deleted.",
        "Restore it, or set up the connection again.",
    ),
    _Row(
        "invalid_client",
        "",
        Blame.CUSTOMER,
        "client_invalid",
        "Google does not accept the service account or client.",
        "Check that it exists and is enabled.",
    ),
    _Row(
        "invalid_scope",
        "",
        Blame.OPERATOR,
        "request_wrong",
        "Google does not know the scope that certmail asked for.",
        "Report it: this is certmail's mistake.",
    ),
    _Row(
        "invalid_request",
        "",
        Blame.OPERATOR,
        "request_wrong",
        "Google does not understand the request for a token.",
        "Report it: this is certmail's mistake.",
    ),
    _Row(
        "unsupported_grant_type",
        "",
        Blame.OPERATOR,
        "request_wrong",
        "Google does not know the grant.",
        "Report it: this is certmail's mistake.",
    ),
)
