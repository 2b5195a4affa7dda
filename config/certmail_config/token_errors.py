"""The failure tables of the token endpoint: from Google's refusal to who can do something about it, and what.

Sources: google.md §3.4 (refresh tokens, our own client) and §4.4 (assertions of a service account).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


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
    """No token: a code, Google's words, and what to do.

    `settling` means that Google may still be spreading a change; `wait` is how many seconds nobody should ask again, as far as
    that is known; `limited` that Google has had too many requests; `confirmed` that more than one answer stands behind it.
    """

    blame: Blame
    code: str
    message: str
    remedy: str
    settling: bool = False
    wait: float | None = None
    limited: bool = False
    confirmed: bool = False


class Grant(Enum):
    """What a token was asked for with: it decides whose fault a refusal is."""

    ASSERTION = "assertion"
    """A service account of the customer's."""
    SEEN_KEY = "seen_key"
    """The same, signed with a key whose certificate Google was just seen to list."""
    OUR_CLIENT = "our_client"
    """A refresh token, presented by our own OAuth client."""
    SIGN_IN = "sign_in"
    """An authorization code, presented by our own OAuth client: of a sign-in that ends just now, so that nothing was withdrawn yet."""


_TRANSIENT_ERRORS: Final = frozenset({"internal_failure", "server_error", "temporarily_unavailable"})
_LIMITED_ERRORS: Final = frozenset({"rate_limit_exceeded", "quota_exceeded", "slow_down"})
"""Whatever the status: Google gives the first of them as 403, too."""
_AGAIN: Final = "Nothing to do; it is tried again."
_IN_BETWEEN: Final = "Check CERTMAIL_GOOGLE_TOKEN_URL, and the proxy or firewall between certmail and Google (CERTMAIL_GOOGLE_PROXY)."


@dataclass(frozen=True, slots=True)
class Said:
    """What a refusal consists of; the description is Google's words without addresses. `page`: it is no JSON of anybody's."""

    status: int
    error: str
    description: str
    subtype: str
    page: bool = False


def denied(said: Said, grant: Grant) -> Denied:
    """Say what a refusal means; total."""
    parts = [part for part in (said.error, said.description, said.subtype) if part]
    words = f"Google says: {': '.join(parts)}" if said.error else f"HTTP {said.status} without a reason"
    if said.status == 429 or said.error in _LIMITED_ERRORS:
        message = f"The token endpoint has had too many requests. {words}"
        return Denied(Blame.NOBODY, "token_unavailable", message, _AGAIN, limited=True)
    if said.page and said.status < 500 and said.status != 408:
        message = (
            f"Something else than Google answers in its token endpoint's place: a proxy or firewall? {words}."
        )
        return Denied(Blame.OPERATOR, "not_google", message, _IN_BETWEEN)
    if said.status >= 500 or said.status == 408 or said.error in _TRANSIENT_ERRORS or not said.error:
        message = f"The token endpoint did not answer properly. {words}"
        return Denied(Blame.NOBODY, "token_unavailable", message, _AGAIN)
    for row in _rows(grant):
        if row.error == said.error and row.says.casefold() in f"{said.description} {said.subtype}".casefold():
            return Denied(row.blame, row.code, f"{row.sentence} {words}", row.remedy, row.settling)
    return Denied(
        Blame.OPERATOR,
        "token_refused",
        f"The token endpoint refused for a reason that certmail does not know. {words}",
        "Report it.",
    )


def _rows(grant: Grant) -> tuple[_Row, ...]:
    """The table for what was presented; the first row that fits decides."""
    match grant:
        case Grant.ASSERTION:
            return (*_THEIRS, *_ROWS)
        case Grant.SEEN_KEY:
            return (*_SEEN_KEY, *_THEIRS, *_ROWS)
        case Grant.OUR_CLIENT:
            return (*_OURS, *_ROWS)
        case Grant.SIGN_IN:
            return (*_SIGN_IN, *_OURS, *_ROWS)


@dataclass(frozen=True, slots=True)
class _Row:
    error: str
    says: str  # a part of the description or subtype; '' fits any
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
_OUR_CLIENT = (
    "Check CERTMAIL_OAUTH_CLIENT_ID, CERTMAIL_OAUTH_CLIENT_SECRET and the client in the Google Cloud console."
)
_OURS: Final = (
    *(
        _Row(
            error,
            "",
            Blame.OPERATOR,
            "client_refused",
            "Google does not accept certmail's own OAuth client.",
            _OUR_CLIENT,
        )
        for error in ("invalid_client", "deleted_client", "disabled_client", "unauthorized_client")
    ),
    _Row(
        "access_denied",
        "",
        Blame.CUSTOMER,
        "admin_policy",
        "The Google Workspace domain does not allow it.",
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
    *(
        _Row(
            "invalid_grant",
            says,
            Blame.CUSTOMER,
            "session_ended",
            "The Google Workspace domain asks for a new sign-in after some time (session control), which is over.",
            "Link the account again. So that it lasts, the Workspace administrator must trust the application (Security, API controls, "
            "App access control) and exempt trusted apps under Security, Access and data control, Google Cloud session control.",
        )
        for says in ("invalid_rapt", "rapt_required")
    ),
    _Row(
        "invalid_grant",
        "",
        Blame.CUSTOMER,
        "grant_revoked",
        "The permission to send was withdrawn or has ended.",
        "Link the account again. If it ends after seven days each time, whoever runs certmail must set the publishing status of its OAuth "
        "consent screen to “In production”.",
    ),
)
"""Where our own client presented the grant, the tenant cannot be asked to mend the client."""
_SIGN_IN: Final = (
    _Row(
        "invalid_grant",
        "",
        Blame.CUSTOMER,
        "sign_in_refused",
        "Google did not accept this sign-in: it is used already, too old, or not Google's.",
        "Start again: link the account once more.",
    ),
    _Row(
        "redirect_uri_mismatch",
        "",
        Blame.OPERATOR,
        "callback_wrong",
        "Google knows the OAuth client under another redirect URI than certmail's.",
        "Register CERTMAIL_PUBLIC_URL/oauth/google/callback as the client's redirect URI in the Google Cloud console.",
    ),
)
"""Before all others where a code was presented."""
_SEEN_KEY: Final = (
    _Row(
        "invalid_grant",
        "Invalid JWT Signature",
        Blame.CUSTOMER,
        "key_unknown",
        "Google lists the certificate, but does not accept its key: it is so new that not all of Google knows it yet, or it was disabled.",
        "Wait a minute. If it stays so, look at the key in the Google Cloud console, under the service account's Keys, and enable it.",
        settling=True,
    ),
)
"""Before all others where the certificate was seen: it need not be given to Google again."""
_THEIRS: Final = (
    _Row(
        "org_internal",
        "",
        Blame.CUSTOMER,
        "client_internal",
        "The project of the service account is limited to its own organisation.",
        "Use a service account of a project in the mailbox's own organisation.",
    ),
)
"""Where the service account is the customer's, so is whatever limits it."""
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
        "Does this user exist? If not, create it. It must be a user's primary address: not a group, and not an alias.",
    ),
    _Row(
        "invalid_grant",
        "Invalid email or User ID",
        Blame.CUSTOMER,
        "mailbox_unknown",
        "The mailbox does not exist in this Google Workspace domain, or is suspended.",
        "Does this user exist? If not, create it. It must be a user's primary address: not a group, and not an alias.",
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
        "Check that the service account, its key and the mailbox exist and are enabled, then probe the connection.",
    ),
    _Row(
        "invalid_request",
        "impersonation",
        Blame.CUSTOMER,
        "mailbox_unknown",
        "The mailbox cannot be impersonated.",
        "Does this user exist in the Google Workspace that granted the delegation? If not, create it. "
        "It must be a user: not a group, not an alias, and not a user of another Workspace.",
    ),
    _Row(
        "invalid_request",
        "prn email",
        Blame.CUSTOMER,
        "mailbox_unknown",
        "The mailbox cannot be impersonated.",
        "Does this user exist in the Google Workspace that granted the delegation? If not, create it. "
        "It must be a user: not a group, not an alias, and not a user of another Workspace.",
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
