"""What is a tenant's own: its look, and its words in place of a block's."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage

import pytest

from certmail_config.compose import PLAIN, ComposeError, Letter, Look, Mail, Picture, compose
from certmail_config.compose.own.blocks import BLOCKS
from certmail_config.compose.samples import sample_letter
from support.data.own_blocks import says

Make = Callable[..., Letter]
Parse = Callable[[Mail], EmailMessage]
Body = Callable[[EmailMessage, str], str]

BRAND = Look(
    name="ACME & Sons",
    display_name="ACME access team",
    colour="#7a1fa2",
    colour_in_the_dark="#d7a6f0",
    logo=Picture("https://static.acme.example/logo.png", "ACME", 40),
    footer=("ACME Industries, 1 Main Street, Springfield",),
)


def test_nothing_of_ones_own_changes_nothing(letter: Make) -> None:
    assert compose(letter(), PLAIN) == compose(letter(), Look()) == compose(letter())
    assert compose(letter(), own=lambda _: {}) == compose(letter())


def test_a_brand_is_seen_in_the_page_and_its_lines_in_both_bodies(
    letter: Make, parsed: Parse, body: Body
) -> None:
    message = parsed(compose(letter(), BRAND))
    text, html = body(message, "plain"), body(message, "html")
    assert str(message["From"]) == "ACME access team <access-reviews@acme.example>"
    assert html.count("#7a1fa2") > 3
    assert html.count("#d7a6f0") > 3
    assert "#0b6067" not in html
    assert (
        '<img src="https://static.acme.example/logo.png" height="40" alt="ACME" border="0">' in html
    )
    for each in (text, html):
        assert "1 Main Street" in each

    plain = body(parsed(compose(letter())), "html")
    assert "<img" not in plain
    assert "#7a1fa2" not in plain
    named = parsed(compose(letter(), BRAND._replace(logo=None)))
    assert ">ACME &amp; Sons</td>" in body(named, "html")


def test_the_words_of_a_block_are_replaced_and_nothing_else(
    letter: Make, parsed: Parse, body: Body
) -> None:
    words = {name: f"Own {name} <b>" for name in BLOCKS} | {"ask": "One & all.\n\nTwo."}
    mail = compose(letter(), own=says(words))
    message = parsed(mail)
    text, html = body(message, "plain").replace("\r\n", "\n"), body(message, "html")
    assert mail.subject == message["Subject"] == "Own subject <b>"
    assert text.startswith(
        "Own headline <b>\n\nHello María López,\n\nOne & all.\n\nTwo.\n\n12 of 20"
    )
    assert "\nOwn button <b>: https://iga" in text
    assert text.endswith("\n-- \nOwn footer <b>\n")
    assert "<b>" not in html.replace('<b class="host"', "")
    assert "Own preheader &lt;b&gt;" in html


@pytest.mark.parametrize(
    "words", [{"greeting": "Hi"}, {"subject": " \u200b"}, {"ask": "\n"}, {"button": "One\nTwo"}]
)
def test_a_block_that_is_none_or_says_nothing_is_refused(
    letter: Make, words: dict[str, str]
) -> None:
    with pytest.raises(ComposeError):
        compose(letter(), own=says(words))


def test_own_words_and_looks_stay_out_of_other_mails(letter: Make) -> None:
    before = compose(letter())
    for number in range(30):
        compose(letter(), Look(colour=f"#0000{number:02}"), says({"ask": "Secret."}))
    assert compose(letter()) == before
    assert compose(sample_letter("digest", "he"), BRAND).raw
