"""Other people's words, made fit to be kept."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certmail_config.base.redaction import hide_secrets, quote, scrub, scrub_lines, visible


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("Delegation denied for ann@acme.example", "Delegation denied for (address)"),
        ("<ann@acme.example>, bob@acme.example.", "<(address)>, (address)."),
        ("ann.o'lee+x@emea.acme.example", "ann.o'(address)"),
        ("no address @ all, nor a@b", "no address @ all, nor a@b"),
        ("", ""),
    ],
)
def test_addresses_are_replaced_and_the_rest_is_kept(words: str, kept: str) -> None:
    assert scrub(words) == kept


def test_a_quotation_is_one_line_that_any_store_takes() -> None:
    assert quote("  a\r\nb\0c\x85d\ud83de \t") == "a b c d e"


def test_a_long_one_is_cut_without_leaving_half_an_address() -> None:
    words = "x" * 1990 + " ann.lee@acme.example and so on"
    for maximum in (10, 100, 500):
        assert len(quote(words, maximum)) <= maximum
    many = f"{'x' * 90}@acme.example " * 40
    assert "x" not in quote(many, 500).replace("(address)", "")


@pytest.mark.parametrize("nasty", ["@", "a", "a@", "a@b", "a@b.", "<"])
def test_a_megabyte_is_quoted_in_no_time(nasty: str) -> None:
    start = time.monotonic()
    quote(nasty * (1_000_000 // len(nasty)))
    assert time.monotonic() - start < 1


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=())), st.integers(1, 600))
def test_whatever_it_is_it_can_be_stored(text: str, maximum: int) -> None:
    kept = quote(text, maximum)
    assert len(kept) <= maximum
    kept.encode()
    assert "\0" not in kept


@pytest.mark.parametrize(
    "text",
    [
        "0193b2c4-7a2e-7d11-8f3c-2b1f0a9e6d55",
        "state=ready reason=token_expired code=403",
        "settled: accepted by Gmail",
        "/srv/certmail/config/keys.py, line 12",
        "https://gmail.googleapis.com/gmail/v1/users/me/messages/send",
        "1.2.3.4:8080 2026-11-26T10:00:00Z",
    ],
)
def test_what_only_looks_a_little_like_a_secret_stays(text: str) -> None:
    assert hide_secrets(text) == text


@pytest.mark.parametrize(
    "secret",
    [
        "GOCSPX-abcdefghijklmnop",
        "cm_abcdefgh_ABCDEFGHIJKL",
        "ya29.abcdefghijkl",
        "1//abcdefghijkl",
        "eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
        "-----BEGIN PRIVATE KEY-----\nMIIE",
    ],
)
def test_a_secret_with_nothing_around_it_is_hidden(secret: str) -> None:
    """Most texts are not searched: what a secret is recognised by must be in it alone."""
    assert hide_secrets(secret).endswith("(secret)")


def test_a_text_of_any_length_is_done_with_soon() -> None:
    before = time.process_time()
    for piece in ("x", "x.", "ab@", "eyJa.", "cm_", "a-"):
        assert len(scrub_lines(piece * 1_000_000)) <= 100_000
    assert time.process_time() - before < 5


class TestVisible:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("Acme Ltd, Zürich 日本 שלום", "Acme Ltd, Zürich 日本 שלום"),
            ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
            ("\x9b31m", "\\x9b31m"),
            ("acme\u202egpj", "acme\\u202egpj"),
            ("a\u2066b\u2069\u200f", "a\\u2066b\\u2069\\u200f"),
            ("a\r\x07\x08b", "a\\x0d\\x07\\x08b"),
        ],
    )
    def test_what_a_terminal_acts_upon_is_written_out(self, text: str, shown: str) -> None:
        assert visible(text) == shown

    def test_lines_stay_lines_but_in_a_cell(self) -> None:
        assert visible("a\n\tb") == "a\n\tb"
        assert visible("a\n\tb", one_line=True) == "a\\x0a\\x09b"


def test_set_up_links_of_either_form_are_secrets() -> None:
    for link in (f"acme.{'i' * 32}", f"acme.{'i' * 32}.{'s' * 43}"):
        assert hide_secrets(f"GET /connect/{link} HTTP") == "GET /connect/(secret) HTTP"
    assert hide_secrets(f"{'a' * 10}.{'b' * 33}") == f"{'a' * 10}.{'b' * 33}"
