"""To whom mails may go at all."""

import pytest

from certmail_config.base.addresses import NoAddress
from certmail_config.jobs.recipients import EVERYBODY, OnlyTo

SOME = OnlyTo.parse("QA@acme.example, @Staging.acme.example ,@bücher.example")


class TestEverybody:
    def test_may_get_mail_where_nobody_is_named(self) -> None:
        assert EVERYBODY.allows("anna@people.example")
        assert OnlyTo.parse(" , ") == EVERYBODY


class TestSome:
    @pytest.mark.parametrize(
        "address",
        [
            "qa@acme.example",
            "Qa@ACME.example",
            "anna@staging.acme.example",
            "anna@xn--bcher-kva.example",
            "anna@BÜCHER.example",
        ],
    )
    def test_who_is_named_gets_mail_however_it_is_written(self, address: str) -> None:
        assert SOME.allows(address)

    @pytest.mark.parametrize(
        "address",
        [
            "anna@acme.example",
            "qa+1@acme.example",
            "anna@sub.staging.acme.example",
            "anna@notstaging.acme.example",
            "qa@acme.example@elsewhere.example",
            "",
        ],
    )
    def test_nobody_else_does(self, address: str) -> None:
        assert not SOME.allows(address)

    def test_it_is_written_as_it_is_read(self) -> None:
        assert OnlyTo.parse(str(SOME)) == SOME
        assert str(SOME) == "qa@acme.example, @staging.acme.example, @xn--bcher-kva.example"

    @pytest.mark.parametrize("text", ["qa", "@", "qa@acme.example; b@acme.example", "@a b.example"])
    def test_what_is_neither_address_nor_domain_is_refused(self, text: str) -> None:
        with pytest.raises(NoAddress):
            OnlyTo.parse(text)
