"""Addresses as somebody sees them who is not to read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certmail_config.base.text.hidden_addresses import hidden, with_hidden_addresses


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("anna@acme.com", "a•••@acme.com"),
        ("a@acme.com", "•••@acme.com"),
        ("élodie.müller@acme.com", "é•••@acme.com"),
        ("nobody", "•••"),
    ],
)
def test_the_first_of_several_letters_and_the_domain_are_left(address: str, shown: str) -> None:
    assert hidden(address) == shown


def test_a_sentence_keeps_everything_else() -> None:
    said = "Gmail does not know <anna.b+x@acme.com>, or bob@acme.com: try again."
    assert with_hidden_addresses(said) == (
        "Gmail does not know <a•••@acme.com>, or b•••@acme.com: try again."
    )


@given(st.from_regex(r"[a-z]{3,12}(\.[a-z]{3,12})?@[a-z]{2,8}\.[a-z]{2,3}", fullmatch=True))
def test_no_address_is_left_in_a_sentence(address: str) -> None:
    assert address not in with_hidden_addresses(f"It is for {address}, and no other ({address}).")
