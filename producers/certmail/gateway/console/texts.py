"""The console's own texts for states, kinds, steps and remedies.

Texts are marked for catalogues with `N_`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from certmail_config.google.checklist import Step
from certmail_config.tenants.models import Connection, ConnectionKind, ConnectionState


# gettext's usual name for a text that is translated where it is shown.
def N_(text: str) -> str:  # noqa: N802
    """Mark a text for the catalogue."""
    return text


STATES: Final[Mapping[ConnectionState, tuple[str, str]]] = {
    ConnectionState.ATTENTION: ("bad", N_("Needs attention")),
    ConnectionState.PENDING: ("wait", N_("Being set up")),
    ConnectionState.DRAFT: ("idle", N_("Not set up")),
    ConnectionState.ACTIVE: ("good", N_("Working")),
    ConnectionState.DISABLED: ("idle", N_("Suspended")),
}
"""Tone and name of each state, in the order in which they want looking at."""
KINDS: Final[Mapping[ConnectionKind, str]] = {
    ConnectionKind.SERVICE_PROVIDER_APP: N_("Linked Google account"),
    ConnectionKind.CUSTOMER_OWNED_APP: N_("The tenant’s service account"),
}
STEPS: Final[Mapping[str, str]] = {
    "certificate dates": N_("Certificate validity"),
    "certificate": N_("Certificate upload"),
    "clock": N_("Clock"),
    "service account": N_("Key at Google"),
    "token to send": N_("Permission to send"),
    "token to look": N_("Permission to look for sent mail"),
    "account": N_("Linked account"),
    "test mail": N_("Test mail"),
    "next certificate": N_("The next certificate"),
    "vault": N_("certmail’s own keys"),
    "remove": N_("Removal"),
}
REMEDIES: Final[Mapping[str, str]] = {
    "certificate_not_uploaded": N_(
        "Paste the commands under “Prepare Google Cloud”, or upload the certificate to the service account by hand, as described there."
    ),
    "key_unknown": N_(
        "See that its key is listed and enabled under the service account’s Keys. If it is not, upload the certificate again."
    ),
    "service_account_unknown": N_(
        "Check the service account’s email address. If it is wrong, correct it under “The service account”."
    ),
    "api_disabled": N_(
        "Enable the Gmail API in the service account’s project, wait a few minutes, then press “Check and send a test mail”."
    ),
    "mailbox_without_gmail": N_(
        "Give the user a licence with Gmail, or connect another mailbox. Then press “Check and send a test mail”."
    ),
    "domain_policy": N_(
        "The Workspace administrator must allow Gmail applications under “Security”, “API controls”. Then press “Check and send a "
        "test mail”."
    ),
    "certificate_valid": N_("Make the next certificate soon."),
    "certificate_expired": N_(
        "Make the next certificate and upload it; it takes over as soon as Google accepts it."
    ),
    "delegation_missing": N_(
        "Authorise the client ID for exactly the scope shown under “Allow it to send”. A change usually works within minutes, "
        "at most within 24 hours; certmail tries again by itself."
    ),
    "mailbox_unknown": N_(
        "Does this user exist in your Google Workspace? If not, create it. If the address is wrong, correct it under “The service "
        "account”: it must be a user’s primary address, not a group and not an alias."
    ),
    "consent_denied": N_("Link the account again and allow it."),
    "mailbox_busy": N_("Try again in a minute."),
    "account_unknown": N_("Try again in a minute."),
    "x509_unreachable": N_(
        "Try again in a minute; if it stays so, the network between certmail and Google is interrupted."
    ),
    "connection_disabled": N_("Resume it when its reminders may leave again."),
    "connection_resumed": N_("Check the connection: if it works, its reminders leave."),
    "connection_draft": N_("Set it up."),
    "connection_pending": N_("Finish the steps on this page, then check the connection."),
    "not_linked": N_("Link an account."),
    "unknown_tenant": N_("Check the address of this page, or go back to the connections."),
    "unknown_webhook": N_("Go back to the list of webhooks."),
    "unknown_campaign": N_("Go back to the list of campaigns."),
    "unknown_message": N_("Go back to the webhook: it lists the newest that are kept."),
    "no_worker": N_("Start a worker (certmail worker, or certmail up), then try again."),
}
"""What to do on these pages, where the command line's words would name a command."""
OF_KIND: Final[Mapping[tuple[str, ConnectionKind], str]] = {
    ("mailbox_unknown", ConnectionKind.SERVICE_PROVIDER_APP): N_(
        "Link the account again, or link another one."
    ),
    ("grant_revoked", ConnectionKind.SERVICE_PROVIDER_APP): N_("Link the account again."),
    ("session_ended", ConnectionKind.SERVICE_PROVIDER_APP): N_(
        "Link the account again. So that it lasts, your Workspace administrator must trust the application under “Security”, “API "
        "controls”, “App access control”, and exempt trusted apps from Google Cloud session control."
    ),
    ("grant_revoked", ConnectionKind.CUSTOMER_OWNED_APP): N_(
        "See that the service account, its key and the mailbox still exist and are enabled, then check again."
    ),
    ("scope_missing", ConnectionKind.SERVICE_PROVIDER_APP): N_(
        "Link the account again and tick the box for sending email."
    ),
    ("scope_missing", ConnectionKind.CUSTOMER_OWNED_APP): N_(
        "Authorise the client ID for exactly the scopes shown under “Allow it to send”."
    ),
}
"""The same where it depends on the kind of connection."""
AWAY: Final = (
    N_("The record is away."),
    N_("Redis does not answer at the moment."),
    N_("A store does not answer."),
    N_("Try again in a moment."),
)
"""What the gateway says of stores, as `store_outage.py` has it."""
NEXT: Final = N_(
    "Download the next certificate and upload it to the service account, beside the present one. If you have done so, give "
    "Google a minute."
)
FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "invalid_address": (N_("This is not an email address."), ""),
    "not_a_service_account": (
        N_("This is not the address of a service account."),
        N_(
            "It ends in iam.gserviceaccount.com. Copy it from the service account’s page in the Google Cloud console."
        ),
    ),
    "invalid_name": (
        N_("This cannot be used as a name."),
        N_(
            "Use only lower-case letters, digits and hyphens, and start with a letter or digit. It can have up to 63 characters."
        ),
    ),
    "invalid_project": (
        N_("This is not a project ID."),
        N_(
            "It has 6 to 30 lower-case letters, digits and hyphens, starts with a letter, and does not end in a hyphen. The project’s "
            "name or number is something else."
        ),
    ),
    "invalid_days": (N_("A certificate can be valid for 1 to 3650 days."), ""),
}
"""What is wrong with a field, and what to do; a page says it at the field."""


def remedy(code: str | None, otherwise: str | None, kind: ConnectionKind | None = None) -> str:
    """What to do: in the console's words where it has some."""
    if kind is not None and (found := OF_KIND.get((code or "", kind))) is not None:
        return found
    return REMEDIES.get(code or "", otherwise or "")


def step_remedy(step: Step, connection: Connection) -> str:
    """What to do about a step."""
    ended = step.code == "certificate_expired" and connection.next_certificate is not None
    if ended or (step.name == "next certificate" and not step.ok):
        return NEXT

    # A mail that was refused earlier: what to do is what it was refused for.
    code = connection.code if step.code == "mail_refused" else step.code
    return remedy(code, step.remedy, connection.kind) if step.remedy else ""


def step_name(step: Step) -> str:
    """What a step is called on a page."""
    return STEPS.get(step.name, step.name)


def planned(connection: Connection) -> tuple[str, ...]:
    """The steps that a checklist of this connection will have, in order, with the test mail."""
    tokens = ("token to send", "token to look") if connection.verify else ("token to send",)
    if connection.kind is ConnectionKind.CUSTOMER_OWNED_APP:
        return (
            "certificate dates",
            "certificate",
            "clock",
            "service account",
            *tokens,
            "test mail",
        )
    return (*tokens, "account", "clock", "test mail")
