"""The failure table of the token endpoint: what each of Google's refusals means, and what to do.

`TABLE` says which refusal is what, `MEANINGS` who can do something about that. Sources: google.md
§3.4 (refresh tokens, our own client) and §4.4 (assertions of a service account).
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple


class Blame(Enum):
    """Who can do something about a token that was not granted."""

    NOBODY = "nobody"
    """Google or the network: tried again by itself."""
    CUSTOMER = "customer"
    """The tenant's administrator: the connection needs attention."""
    OPERATOR = "operator"
    """Whoever runs certmail: a clock, a setting, a bug of ours."""


class GrantType(Enum):
    """What a token was asked for with: it decides whose fault a refusal is."""

    ASSERTION = "assertion"
    """A service account of the customer's."""
    SEEN_KEY = "seen_key"
    """The same, signed with a key whose certificate Google was just seen to list."""
    OUR_CLIENT = "our_client"
    """A refresh token, presented by our own OAuth client."""
    SIGN_IN = "sign_in"
    """An authorization code, presented by our own OAuth client: nothing was withdrawn yet."""


class Row(NamedTuple):
    """What an error is that has these words in its description or subtype.

    Capitals do not matter; no words fit any description. `grants`: what the token was asked for
    with. `meaning` is a key of `MEANINGS`: the code, and behind a slash which of its sentences.
    """

    error: str
    words: str
    grants: frozenset[GrantType]
    meaning: str


class Meaning(NamedTuple):
    """Who can do something, a sentence before Google's own words, and what to do.

    `settling` means that Google may still be spreading a change.
    """

    blame: Blame
    sentence: str
    remedy: str
    settling: bool = False


ANY: Final = frozenset(GrantType)
SIGN_IN: Final = frozenset({GrantType.SIGN_IN})
LINKED: Final = frozenset({GrantType.OUR_CLIENT})
OURS: Final = SIGN_IN | LINKED
"""Where our own client presented the grant, the tenant cannot be asked to mend the client."""
SEEN: Final = frozenset({GrantType.SEEN_KEY})
"""Where the certificate was seen: it need not be given to Google again."""
UNSEEN: Final = frozenset({GrantType.ASSERTION})
THEIRS: Final = SEEN | UNSEEN
"""Where the service account is the customer's, so is whatever limits it."""
_SHORT_LIVED: Final = "Invalid JWT: Token must be a short-lived token"

# Read from top to bottom: the first row that fits decides.
TABLE: Final = (
    #   error                     words in its description    with     what it is
    Row("unauthorized_client",    "",                         OURS,    "client_refused"),
    Row("unauthorized_client",    "",                         THEIRS,  "delegation_missing"),
    Row("access_denied",          "",                         OURS,    "admin_policy/ours"),
    Row("access_denied",          "",                         THEIRS,  "delegation_missing/scope"),
    Row("admin_policy_enforced",  "",                         ANY,     "admin_policy"),
    Row("org_internal",           "",                         OURS,    "client_internal/ours"),
    Row("org_internal",           "",                         THEIRS,  "client_internal"),
    Row("invalid_grant",          "",                         SIGN_IN, "sign_in_refused"),
    Row("invalid_grant",          "invalid_rapt",             LINKED,  "session_ended"),
    Row("invalid_grant",          "rapt_required",            LINKED,  "session_ended"),
    Row("invalid_grant",          "",                         LINKED,  "grant_revoked/ours"),
    Row("invalid_grant",          "Invalid JWT Signature",    SEEN,    "key_unknown/listed"),
    Row("invalid_grant",          "Invalid JWT Signature",    UNSEEN,  "key_unknown"),
    Row("invalid_grant",          _SHORT_LIVED,               THEIRS,  "clock_wrong"),
    Row("invalid_grant",          "Not a valid email",        THEIRS,  "mailbox_unknown"),
    Row("invalid_grant",          "Invalid email or User ID", THEIRS,  "mailbox_unknown/suspended"),
    Row("invalid_grant",          "account has been deleted", THEIRS,  "mailbox_unknown/deleted"),
    Row("invalid_grant",          "account not found",        THEIRS,  "service_account_unknown"),
    Row("invalid_grant",          "No valid verifier found",  THEIRS,  "service_account_unknown/key"),
    Row("invalid_grant",          "",                         THEIRS,  "grant_revoked"),
    Row("invalid_request",        "impersonation",            ANY,     "mailbox_unknown/foreign"),
    Row("invalid_request",        "prn email",                ANY,     "mailbox_unknown/foreign"),
    Row("invalid_request",        "",                         ANY,     "request_wrong"),
    Row("disabled_client",        "",                         OURS,    "client_refused"),
    Row("disabled_client",        "",                         THEIRS,  "client_disabled"),
    Row("deleted_client",         "",                         OURS,    "client_refused"),
    Row("deleted_client",         "",                         THEIRS,  "client_deleted"),
    Row("invalid_client",         "",                         OURS,    "client_refused"),
    Row("invalid_client",         "",                         THEIRS,  "client_invalid"),
    Row("redirect_uri_mismatch",  "",                         SIGN_IN, "callback_wrong"),
    Row("invalid_scope",          "",                         ANY,     "request_wrong/scope"),
    Row("unsupported_grant_type", "",                         ANY,     "request_wrong/grant"),
)  # fmt: skip

_CUSTOMER, _OPERATOR = Blame.CUSTOMER, Blame.OPERATOR
_DELEGATE: Final = (
    "In the Google Admin console, under Security, Access and data control, API controls, "
    "Domain-wide delegation: authorise the service account's numeric client ID (not its email) for "
    "https://www.googleapis.com/auth/gmail.send. A change usually works within minutes, at most "
    "within 24 hours."
)
_TRUST: Final = "The Workspace administrator must trust the application under Security, API controls, App access control."
_PRIMARY: Final = (
    "Does this user exist? If not, create it. It must be a user's primary address: not a group, "
    "and not an alias."
)
_REPORT: Final = "Report it: this is certmail's mistake."
MEANINGS: Final = {
    "client_refused": Meaning(
        _OPERATOR,
        "Google does not accept certmail's own OAuth client.",
        "Check CERTMAIL_OAUTH_CLIENT_ID, CERTMAIL_OAUTH_CLIENT_SECRET and the client in the Google "
        "Cloud console.",
    ),
    "delegation_missing": Meaning(
        _CUSTOMER,
        "Domain-wide delegation for this service account and scope is not in place.",
        _DELEGATE,
        settling=True,
    ),
    "delegation_missing/scope": Meaning(
        _CUSTOMER,
        "A scope is not authorised for this service account, or its service is restricted.",
        _DELEGATE,
        settling=True,
    ),
    "admin_policy": Meaning(
        _CUSTOMER, "A policy of the Google Workspace domain forbids it.", _TRUST
    ),
    "admin_policy/ours": Meaning(
        _CUSTOMER, "The Google Workspace domain does not allow it.", _TRUST
    ),
    "client_internal": Meaning(
        _CUSTOMER,
        "The project of the service account is limited to its own organisation.",
        "Use a service account of a project in the mailbox's own organisation.",
    ),
    "client_internal/ours": Meaning(
        _OPERATOR,
        "The OAuth client is limited to its own organisation.",
        "Make the OAuth consent screen external.",
    ),
    "sign_in_refused": Meaning(
        _CUSTOMER,
        "Google did not accept this sign-in: it is used already, too old, or not Google's.",
        "Start again: link the account once more.",
    ),
    "session_ended": Meaning(
        _CUSTOMER,
        "The Google Workspace domain asks for a new sign-in after some time (session control), "
        "which is over.",
        "Link the account again. So that it lasts, the Workspace administrator must trust the "
        "application (Security, API controls, App access control) and exempt trusted apps under "
        "Security, Access and data control, Google Cloud session control.",
    ),
    "grant_revoked": Meaning(
        _CUSTOMER,
        "The permission to send was withdrawn or has ended.",
        "Check that the service account, its key and the mailbox exist and are enabled, then probe "
        "the connection.",
    ),
    "grant_revoked/ours": Meaning(
        _CUSTOMER,
        "The permission to send was withdrawn or has ended.",
        "Link the account again. If it ends after seven days each time, whoever runs certmail must "
        "set the publishing status of its OAuth consent screen to “In production”.",
    ),
    "key_unknown": Meaning(
        _CUSTOMER,
        "Google does not know the key that certmail signs with: the certificate is not uploaded, "
        "was deleted or disabled, or has expired.",
        "Download the certificate (`certmail connections certificate`) and upload it to the "
        "service account, under Keys, Upload existing key. A new key may take a minute.",
        settling=True,
    ),
    "key_unknown/listed": Meaning(
        _CUSTOMER,
        "Google lists the certificate, but does not accept its key: it is so new that not all of "
        "Google knows it yet, or it was disabled.",
        "Wait a minute. If it stays so, look at the key in the Google Cloud console, under the "
        "service account's Keys, and enable it.",
        settling=True,
    ),
    "clock_wrong": Meaning(
        _OPERATOR,
        "This machine's clock differs from Google's by minutes.",
        "Set the clock (NTP) of the machine that runs certmail.",
    ),
    "mailbox_unknown": Meaning(
        _CUSTOMER, "The mailbox does not exist in this Google Workspace domain.", _PRIMARY
    ),
    "mailbox_unknown/suspended": Meaning(
        _CUSTOMER,
        "The mailbox does not exist in this Google Workspace domain, or is suspended.",
        _PRIMARY,
    ),
    "mailbox_unknown/deleted": Meaning(
        _CUSTOMER, "The mailbox was deleted.", "Restore the user, or connect another mailbox."
    ),
    "mailbox_unknown/foreign": Meaning(
        _CUSTOMER,
        "The mailbox cannot be impersonated.",
        "Does this user exist in the Google Workspace that granted the delegation? If not, create "
        "it. It must be a user: not a group, not an alias, and not a user of another Workspace.",
    ),
    "service_account_unknown": Meaning(
        _CUSTOMER,
        "The service account does not exist.",
        "Check the service account's email address.",
    ),
    "service_account_unknown/key": Meaning(
        _CUSTOMER,
        "The service account does not exist, or has no usable key.",
        "Check the service account's email address and its keys.",
        settling=True,
    ),
    "client_disabled": Meaning(
        _CUSTOMER,
        "The service account or client is disabled.",
        "Enable it in the Google Cloud console.",
    ),
    "client_deleted": Meaning(
        _CUSTOMER,
        "The service account or client was deleted.",
        "Restore it, or set up the connection again.",
    ),
    "client_invalid": Meaning(
        _CUSTOMER,
        "Google does not accept the service account or client.",
        "Check that it exists and is enabled.",
    ),
    "callback_wrong": Meaning(
        _OPERATOR,
        "Google knows the OAuth client under another redirect URI than certmail's.",
        "Register CERTMAIL_PUBLIC_URL/oauth/google/callback as the client's redirect URI in the "
        "Google Cloud console.",
    ),
    "request_wrong": Meaning(
        _OPERATOR, "Google does not understand the request for a token.", _REPORT
    ),
    "request_wrong/scope": Meaning(
        _OPERATOR, "Google does not know the scope that certmail asked for.", _REPORT
    ),
    "request_wrong/grant": Meaning(_OPERATOR, "Google does not know the grant.", _REPORT),
}
