"""The domains that a tenant may send from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from certmail_config.base.errors import Refused, WrongUse
from certmail_config.tenants.domains import check_domain, domains_of, read_domains
from certmail_config.tenants.models import Tenant

GLOBEX = Tenant("globex", "active", b"", b"", b"", 1, "Globex", domains="globex.com,globex.co.uk")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ([], ""), ([""], ""), (["Globex.com"], "globex.com"), (["@globex.com", "globex.com"], "globex.com"),
        (["globex.com, globex.co.uk"], "globex.com,globex.co.uk"), (["a.example", "b.example."], "a.example,b.example"),
        (["bücher.example"], "xn--bcher-kva.example"), (["Straße.example"], "xn--strae-oqa.example"),
    ],
)  # fmt: skip
def test_they_are_kept_in_one_form(given: list[str], kept: str) -> None:
    assert read_domains(given) == kept


@pytest.mark.parametrize(
    "given", ["globex", "a@globex.com", "globex..com", "*.globex.com", "globex.com/x", "-a.com"]
)
def test_what_is_none_is_refused(given: str) -> None:
    with pytest.raises(WrongUse, match="is not a domain"):
        read_domains([given])


def test_one_that_an_older_version_kept_as_it_was_given_allows_the_mailbox_as_it_is_kept_now() -> (
    None
):
    check_domain(
        replace(GLOBEX, domains="globex.com,bücher.example"), "reviews@xn--bcher-kva.example"
    )


@pytest.mark.parametrize("mailbox", ["reviews@globex.com", "Reviews@GLOBEX.com", "a@globex.co.uk"])
def test_a_mailbox_of_one_of_them_is_allowed(mailbox: str) -> None:
    check_domain(GLOBEX, mailbox)


@pytest.mark.parametrize(
    "mailbox",
    ["reviews@acme.com", "a@mail.globex.com", "globex.com@evil.example", "a@notglobex.com"],
)
def test_another_is_refused_with_what_to_do(mailbox: str) -> None:
    with pytest.raises(Refused) as caught:
        check_domain(GLOBEX, mailbox)
    assert caught.value.code == "domain_not_allowed"
    assert "only from mailboxes of globex.com or globex.co.uk" in caught.value.message
    assert "tenants set globex --domain" in caught.value.remedy


def test_without_any_all_are_allowed() -> None:
    anywhere = replace(GLOBEX, domains="")
    check_domain(anywhere, "reviews@gmail.com")
    assert domains_of(anywhere) == []
