"""Mail addresses: which one Gmail can send to and from, and the one form in which each is kept.

Pure.

Reviewers, managers, mailboxes and service accounts are judged by the same rule, whoever gives them:
an application, a file, a person at a form, or Google's answer to whose account it is. A domain in
another script is kept in ASCII, as it travels.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from certmail_config.base.errors import WrongUse

MAX_PLAIN: Final = 120
"""The length up to which a plain address needs no closer look.

Addresses up to here, of plain letters, keep every rule on length, whatever form their domain takes.
"""
_PLAIN_LOCAL: Final = re.compile(r"[A-Za-z0-9_+-]{1,32}(?:\.[A-Za-z0-9_+-]{1,31})?")
_LONGEST: Final = 254
_SERVICE_ACCOUNTS: Final = ".gserviceaccount.com"
"""How the address of every service account of Google's ends.

Before it stands `iam` where a person made the account, `developer` or `appspot` where it came with
a project.
"""

_CONSUMER: Final = frozenset({"gmail.com", "googlemail.com"})
"""Of people, and of no Workspace."""


class NoAddress(ValueError):
    """Why a text is no address, as what follows "not an address: "; it quotes nothing of it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def written_address(text: str) -> str:
    """The address as it travels: the domain in small letters and ASCII, the rest as it is.

    Raises NoAddress.
    """
    value = text.strip()
    local, at, domain = value.rpartition("@")

    if at and len(value) <= MAX_PLAIN and _PLAIN_LOCAL.fullmatch(local):
        known = _domain(domain)
        if known is not None:
            return f"{local}@{known}"

    return _checked(value)


def recorded_address(text: str) -> str:
    """The form in which the record has an address, however it is typed.

    What is no address is given back as it is, to be looked for so.
    """
    try:
        return written_address(text).lower()
    except NoAddress:
        return text.strip().lower()


def kept_address(text: str) -> str:
    """The present form of an address that was stored by an older version.

    It was judged then, so nothing is refused here; older versions kept domains in other scripts as
    they were.
    """
    if text.isascii():
        return text

    try:
        return written_address(text)
    except NoAddress:
        return text  # it cannot send, as before, and the probe says so


def address(value: str, what: str) -> str:
    """The address as it travels; raises WrongUse that says what it was meant as."""
    try:
        return written_address(value)
    except NoAddress as error:
        raise WrongUse(
            "invalid_address", f"{what} {value!r} is not an email address: {error.why}."
        ) from None


def service_account_address(value: str, what: str) -> str:
    """Check the address of a service account, which only Google makes: a mailbox is none.

    Raises WrongUse.
    """
    found = address(value, what)
    if not found.casefold().endswith(_SERVICE_ACCOUNTS):
        message = f"{what} {value!r} is not the address of a service account."
        remedy = "It ends in iam.gserviceaccount.com: copy it from the service account's page in the Google Cloud console."
        raise WrongUse("not_a_service_account", message, remedy)
    return found


def impersonated_address(value: str, what: str) -> str:
    """Check the mailbox that a service account sends from: a user's of a Google Workspace.

    Domain-wide delegation reaches no other (google.md §4.4), which Google would only say after all
    has been set up. Raises WrongUse.
    """
    found = address(value, what)
    domain = found.rpartition("@")[2].casefold()
    if domain in _CONSUMER:
        message = f"{what} {value!r} is a personal Google account: a service account can send from mailboxes of a Google Workspace only."
        remedy = "Name a user of the Workspace whose administrator authorises the service account, or link this account by signing in."
        raise WrongUse("consumer_mailbox", message, remedy)

    if domain.endswith(_SERVICE_ACCOUNTS):
        message = (
            f"{what} {value!r} is a service account: it has no mailbox of its own to send from."
        )
        raise WrongUse(
            "not_a_mailbox",
            message,
            "Name the user of the Google Workspace whom reminders come from.",
        )

    return found


def _checked(value: str) -> str:
    written = _by_the_book(value)
    if written is None:
        raise NoAddress(_why_not(value))
    return written


@lru_cache(maxsize=4096)
def _domain(domain: str) -> str | None:
    """The form of a domain, checked once and remembered.

    A batch has few domains, and checking one takes longer than sealing a reminder.

    None for what takes a closer look, and for what is wrong.
    """
    written = _by_the_book(f"a@{domain}")
    return None if written is None else written.removeprefix("a@")


def _by_the_book(value: str) -> str | None:
    # It compiles its rules for as long as six reminders take to send; who only asks what became of
    # one needs none.
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

    try:
        found = validate_email(
            value, check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except EmailNotValidError:
        return None
    return found.ascii_email or found.normalized


def _why_not(value: str) -> str:
    """The first thing that is wrong, in words that a person can act on."""
    local, at, domain = value.rpartition("@")
    if not value:
        return "it is empty"
    if not value.isprintable() or " " in value:
        return "it holds a space, a line break, or a character that nobody sees"
    if not at:
        return "it has no @"
    if not local or not domain:
        return f"nothing stands {'before' if not local else 'behind'} the @"
    if "@" in local:
        return "it has more than one @"
    if not local.isascii():
        return "what stands before the @ must be plain letters, digits and signs (ASCII): Gmail sends nothing to or from others"
    if len(value) > _LONGEST:
        return f"it is longer than {_LONGEST} characters"
    if _by_the_book(f"{local}@acme.example") is None:
        return "what stands before the @ is not the name of a mailbox"
    if "." not in domain:
        return "what stands behind the @ is no domain: it has no dot"

    return "what stands behind the @ is no domain that mail goes to"
