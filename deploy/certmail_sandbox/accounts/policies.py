"""What the decision of an administrator or publisher does to an OAuth client's access.

It stands against the client at the consent and ever after.

| decision | at the consent | at the token endpoint | source |
|---|---|---|---|
| user type Internal, account of another domain | 403 `org_internal` | `org_internal` | google.md §3.1, §4.4 |
| publishing status Testing, account not a test user | 403 `access_denied` | nothing | support.google.com/cloud/answer/15549945 |
| Gmail is a restricted service, client not trusted | 400 `admin_policy_enforced` | `admin_policy_enforced` | google.md §3.1, §3.4 |
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from certmail_sandbox.accounts import scopes
from certmail_sandbox.accounts.directory import Account, Directory, OAuthClient, domain_of


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A decision against access: the status of Google's page, the error, the sentence."""

    status: int
    error: str
    sentence: str


def forbidden(
    directory: Directory, client: OAuthClient, account: Account, wanted: Collection[str]
) -> Forbidden | None:
    """What keeps a client from an account, whether it has consented or not."""
    organisation = directory.project(client.project).organisation
    if organisation is not None and domain_of(account.email) != organisation:
        return Forbidden(
            403,
            "org_internal",
            f"{client.name} can only be used within its organization: {organisation}.",
        )

    domain = directory.domain(account.email)
    restricted = domain.gmail_restricted and client.client_id not in domain.trusted_clients
    if restricted and scopes.GMAIL & frozenset(wanted):
        return Forbidden(
            400,
            "admin_policy_enforced",
            f"Access blocked: your institution's admin needs to review {client.name}.",
        )

    return None


def no_consent(
    directory: Directory, client: OAuthClient, account: Account, wanted: Collection[str]
) -> Forbidden | None:
    """What keeps a person from consenting."""
    project = directory.project(client.project)
    if project.testing and account.email.lower() not in project.test_users:
        return Forbidden(
            403,
            "access_denied",
            f"{client.name} has not completed the Google verification process. The app is currently being tested, and"
            " can only be accessed by developer-approved testers.",
        )

    return forbidden(directory, client, account, wanted)
