"""The directory of who exists at Google.

It holds accounts, service accounts with their keys and delegation, OAuth clients, projects and
Workspace domains.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from certmail_sandbox.accounts.certificates import UploadedKey
from certmail_sandbox.accounts.spreading import Spreading

MAX_KEYS = 10  # per service account (google.md §4.3)


def numeric_id(text: str, digits: int) -> str:
    """A made-up number that is the same after a restart.

    What others wrote down still fits then.
    """
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()) % 10 ** (digits - 1)
    return f"1{number:0{digits - 1}d}"


def project_number(project: str) -> str:
    """The number of a project, which errors name in place of its ID (google.md §1.3)."""
    return numeric_id("project:" + project, 12)


@dataclass(slots=True, eq=False)
class Account:
    """A person with a Google account.

    Compared by identity: an address used again is somebody else.

    Attributes:
        workspace: Whether a Workspace domain administers it. Anybody may make an account of their
            own with an address in any domain; such have no `hd`.
        verified: Whether the person has shown that the address is theirs.
    """

    email: str
    sub: str
    name: str
    gmail_enabled: bool = True
    deleted: bool = False
    workspace: bool = True
    verified: bool = True
    send_as: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class ServiceAccount:
    """A service account.

    Attributes:
        name: What people call it.
        delegated: The scopes of its row in the Admin console's delegation table; None without one.
        delegated_from: When the row, as it is now, is known everywhere; until then what was before
            counts.
        delegated_before: The scopes of the row that it replaced.
        domains: The domains in whose Admin console the row stands; None means everywhere.
        spreading: How far that row has come.
    """

    email: str
    project: str
    client_id: str
    disabled: bool = False
    name: str = ""
    keys: dict[str, UploadedKey] = field(default_factory=dict)
    delegated: frozenset[str] | None = None
    delegated_from: float = 0.0
    delegated_before: frozenset[str] | None = None
    domains: frozenset[str] | None = None
    spreading: Spreading = field(default_factory=Spreading)

    def delegate(self, scopes: frozenset[str] | None, *, since: float) -> None:
        """Write its row anew, or take it away; `since` is when all of Google will know."""
        self.delegated_before, self.delegated, self.delegated_from = self.delegated, scopes, since

    def may(self, now: float) -> frozenset[str]:
        """The scopes that count by now."""
        known = self.delegated if self.delegated_from <= now else self.delegated_before
        return known or frozenset()


@dataclass(slots=True, eq=False)
class OAuthClient:
    """An OAuth client, as an application registers it; `used_at` is in seconds since the epoch."""

    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    project: str
    name: str
    deleted: bool = False
    used_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Project:
    """A Google Cloud project, with its consent screen and what its organisation forbids.

    As made, nothing stands in the way.

    Attributes:
        gmail_api: Whether the Gmail API is enabled in it.
        gmail_api_from: When that is known everywhere; until then the API answers as before.
        organisation: The domain whose members alone may consent (user type Internal); None for
            External.
        testing: Its consent screen has the publishing status Testing.
        test_users: Who may consent while it is tested.
        key_upload: False where `iam.disableServiceAccountKeyUpload` is enforced.
        key_expiry_hours: How long an uploaded certificate may last, by
            `iam.serviceAccountKeyExpiryHours` (google.md §4.3); None for as long as it likes.
    """

    gmail_api: bool = True
    gmail_api_from: float = 0.0
    organisation: str | None = None
    testing: bool = False
    test_users: frozenset[str] = frozenset()
    key_upload: bool = True
    key_expiry_hours: int | None = None

    def answers_gmail(self, now: float) -> bool:
        """Whether the Gmail API works in it by now."""
        return self.gmail_api if self.gmail_api_from <= now else not self.gmail_api


@dataclass(frozen=True, slots=True)
class Domain:
    """What the administrators of a Workspace domain have decided; as made, nothing.

    Attributes:
        gmail_apps: False where Gmail applications are disabled (403 `domainPolicy`, google.md
            §1.3).
        gmail_restricted: Gmail is a restricted service: only trusted OAuth clients get at it
            (google.md §3.4).
        trusted_clients: Their client IDs.
        session_seconds: After how long a person must sign in again, applications included; None
            for never.
    """

    gmail_apps: bool = True
    gmail_restricted: bool = False
    trusted_clients: frozenset[str] = frozenset()
    session_seconds: float | None = None


def new_service_account(email: str, project: str, name: str = "") -> ServiceAccount:
    """A service account whose numeric client ID is made up from its address."""
    return ServiceAccount(
        email, project, numeric_id("service-account:" + email.lower(), 21), name=name
    )


def new_account(email: str, *, sub: str | None = None, name: str | None = None) -> Account:
    """A person, with what was not given made up."""
    local = email.partition("@")[0]
    return Account(
        email,
        sub or numeric_id("account:" + email.lower(), 21),
        name or re.sub(r"[._-]+", " ", local).title(),
    )


# Nobody administers these: no delegation reaches them.
CONSUMER = frozenset({"gmail.com", "googlemail.com"})


def domain_of(address: str) -> str:
    """The domain of an address, in lower case."""
    return address.rpartition("@")[2].lower()


class Directory:
    """Everybody and everything that exists at Google.

    Addresses are looked up without regard to case.
    """

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.service_accounts: dict[str, ServiceAccount] = {}
        self.clients: dict[str, OAuthClient] = {}
        self.projects: dict[str, Project] = {}
        self.domains: dict[str, Domain] = {}

    def project(self, name: str) -> Project:
        """The project of this name; one that nobody made is as a new one."""
        return self.projects.get(name, Project())

    def project_names(self) -> list[str]:
        """The names of all projects that were made, or that something lives in."""
        lived_in = {a.project for a in self.service_accounts.values()} | {
            c.project for c in self.clients.values()
        }
        return sorted(lived_in | set(self.projects))

    def service_accounts_of(self, project: str) -> list[ServiceAccount]:
        """The service accounts that live in a project."""
        return [account for account in self.service_accounts.values() if account.project == project]

    def domain_names(self) -> list[str]:
        """The Workspace domains: those that somebody has an account in, but for consumers'."""
        return sorted(
            {domain_of(a.email) for a in self.accounts.values() if not a.deleted} - CONSUMER
        )

    def domain(self, address: str) -> Domain:
        """The decisions for the domain of an address."""
        return self.domains.get(domain_of(address), Domain())

    def account(self, email: str) -> Account | None:
        """The account at an address, also one that was deleted."""
        return self.accounts.get(email.lower())

    def find_account(self, hint: str) -> Account | None:
        """The account with this address or `sub`, as a login hint may be either.

        One that was deleted is not found.
        """
        return self._first(
            lambda a: not a.deleted and (a.email.lower() == hint.lower() or a.sub == hint)
        )

    def _first(self, wanted: Callable[[Account], bool]) -> Account | None:
        return next((account for account in self.accounts.values() if wanted(account)), None)

    def knows_domain(self, domain: str) -> bool:
        """Whether anybody has, or had, an account in a domain."""
        return self._first(lambda a: a.email.lower().endswith("@" + domain.lower())) is not None

    def service_account(self, email: str) -> ServiceAccount | None:
        """The service account at an address."""
        return self.service_accounts.get(email.lower())

    def find_service_account(self, hint: str) -> ServiceAccount | None:
        """The service account with this address or client ID."""
        by_id = (a for a in self.service_accounts.values() if a.client_id == hint)
        return self.service_account(hint) or next(by_id, None)
