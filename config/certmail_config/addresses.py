"""The two addresses that a connection is made of: a mailbox, and a service account's. Pure."""

from __future__ import annotations

from typing import Final

from email_validator import EmailNotValidError, validate_email

from certmail_config.errors import WrongUse

_SERVICE_ACCOUNTS: Final = ".gserviceaccount.com"
"""All of Google's: `iam.` those that a person makes, `developer.` and `appspot.` those that come with a project."""


def address(value: str, what: str) -> str:
    """The address in its usual form; raises WrongUse that says what it was meant as."""
    try:
        return validate_email(value, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise WrongUse("invalid_address", f"{what} {value!r} is not an email address: {error}") from None


def service_account_address(value: str, what: str) -> str:
    """The same of a service account, which only Google makes: a person's mailbox is none. Raises WrongUse."""
    found = address(value, what)
    if not found.casefold().endswith(_SERVICE_ACCOUNTS):
        message = f"{what} {value!r} is not the address of a service account."
        remedy = "It ends in iam.gserviceaccount.com: copy it from the service account's page in the Google Cloud console."
        raise WrongUse("not_a_service_account", message, remedy)
    return found
