"""The two addresses that a connection is made of: what is one, and what is refused before anything is made."""

from __future__ import annotations

import pytest

from certmail_config.addresses import address, service_account_address
from certmail_config.errors import WrongUse


@pytest.mark.parametrize(
    "value",
    [
        "certmail@acme-it.iam.gserviceaccount.com",
        "certmail@acme-it.example.com.iam.gserviceaccount.com",
        "123456-compute@developer.gserviceaccount.com",
        "acme-it@appspot.gserviceaccount.com",
    ],
)
def test_google_gives_service_accounts_addresses_of_its_own(value: str) -> None:
    assert service_account_address(value, "--service-account") == value


@pytest.mark.parametrize(
    "value",
    [
        "maria@initech.example",
        "certmail@gserviceaccount.com",
        "certmail@iam.gserviceaccount.com.example",
        "certmail@evilgserviceaccount.com",
    ],
)
def test_any_other_address_is_no_service_accounts(value: str) -> None:
    with pytest.raises(
        WrongUse, match=r"--service-account .* is not the address of a service account"
    ) as said:
        service_account_address(value, "--service-account")
    assert said.value.code == "not_a_service_account"
    assert "iam.gserviceaccount.com" in said.value.remedy


def test_what_is_no_address_at_all_is_said_to_be_none() -> None:
    for check in (address, service_account_address):
        with pytest.raises(WrongUse, match="The mailbox 'nowhere' is not an email address"):
            check("nowhere", "The mailbox")
