"""The two addresses that a connection is made of.

What is one, and what is refused before anything is made.
"""

from __future__ import annotations

import pytest

from certmail_config.base.addresses import (
    NoAddress,
    address,
    impersonated_address,
    recorded_address,
    service_account_address,
    written_address,
)
from certmail_config.base.errors import WrongUse
from support.data.sentences import foreign


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


@pytest.mark.parametrize(
    ("mailbox", "code"),
    [
        ("ann@gmail.com", "consumer_mailbox"),
        ("Ann@GoogleMail.com", "consumer_mailbox"),
        ("certmail@acme-it.iam.gserviceaccount.com", "not_a_mailbox"),
    ],
)
def test_what_no_delegation_reaches_is_refused_when_it_is_entered(mailbox: str, code: str) -> None:
    with pytest.raises(WrongUse) as raised:
        impersonated_address(mailbox, "--mailbox")
    assert raised.value.code == code
    assert "Google Workspace" in f"{raised.value.message} {raised.value.remedy}"


def test_a_mailbox_of_a_workspace_is_taken() -> None:
    assert impersonated_address("reviews@acme.example", "--mailbox") == "reviews@acme.example"


def test_what_is_no_address_at_all_is_said_to_be_none() -> None:
    for check in (address, service_account_address):
        with pytest.raises(WrongUse, match="The mailbox 'nowhere' is not an email address"):
            check("nowhere", "The mailbox")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("access@bücher.example", "access@xn--bcher-kva.example"), ("Access@BÜCHER.example", "Access@xn--bcher-kva.example"),
        ("access@xn--bcher-kva.example", "access@xn--bcher-kva.example"), ("a@straße.example", "a@xn--strae-oqa.example"),
        (" a@acme.example ", "a@acme.example"), ("a@漢字.example", "a@xn--p8s937b.example"), ("A.B+c@ACME.example", "A.B+c@acme.example"),
    ],
)  # fmt: skip
def test_a_mailbox_is_kept_as_a_mail_can_carry_it(text: str, written: str) -> None:
    assert address(text, "--mailbox") == written
    assert recorded_address(text) == recorded_address(written) == written.lower()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"), ("nowhere", "it has no @"), ("@acme.example", "nothing stands before the @"), ("a@", "nothing stands behind the @"),
        ("a@b@acme.example", "more than one @"), ("müller@acme.example", "plain letters, digits and signs (ASCII)"), ("a@acme", "no dot"),
        ("a b@acme.example", "a space"), ("a@acme.example\r\nBcc: x@y.example", "a line break"), ("a@acme\u200b.example", "nobody sees"),
        ("<b>@acme.example", "not the name of a mailbox"), ("a..b@acme.example", "not the name of a mailbox"), ("a@acme_x.example", "no domain"),
        ("a@-acme.example", "no domain"), ("a@[127.0.0.1]", "no domain"), ("a" * 300 + "@acme.example", "longer than 254"), ("a@xn--a.example", "no domain"),
        ("a@" + "b" * 64 + ".example", "no domain"), ("a@☕.example", "no domain"), ("\ud800@acme.example", "nobody sees"), ("a@acme.invalid", "no domain"),
    ],
)  # fmt: skip
def test_why_a_text_is_no_address_is_said_in_our_own_words(text: str, why: str) -> None:
    with pytest.raises(NoAddress) as raised:
        written_address(text)
    assert why in raised.value.why
    assert not foreign(raised.value.why)
    with pytest.raises(WrongUse, match="is not an email address: ") as said:
        address(text, "--mailbox")
    assert not foreign(said.value.message)
