"""What a tenant wrote goes in its language's direction, whatever stands in its places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage
from functools import partial
from typing import Any

import pytest

from certmail_config.compose import Letter, Mail, compose
from certmail_config.compose.own.tenant_words import read_words
from certmail_config.compose.samples import sample_letter
from certmail_config.templates.documents import read_document

Parse = Callable[[Mail], EmailMessage]
Body = Callable[[EmailMessage, str], str]

LRM, RLM = "\u200e", "\u200f"
HEBREW = "סקירת הרשאות"


def in_own_words(letter: Letter, locale: str, **blocks: str) -> Mail:
    texts: dict[str, Any] = {block: {"text": text} for block, text in blocks.items()}
    document = read_document({"texts": {locale: {letter.kind: texts}}})
    words = read_words(1, document.written().encode(), (), ())
    mail = compose(letter, own=partial(words.blocks, letter))
    assert not words.failed
    return mail


def test_a_name_from_right_to_left_leaves_an_english_sentence_in_its_order(
    parsed: Parse, body: Body
) -> None:
    letter = replace(sample_letter("reminder", "en"), campaign_name=HEBREW)
    words = "{{ campaign }}: {{ pending }} left"
    mail = in_own_words(letter, "en", subject=words, headline=words, ask=words, button=words)
    written = f"{LRM}{HEBREW}{LRM}: 12 left"

    text, html = body(parsed(mail), "plain"), body(parsed(mail), "html")
    assert mail.subject == written
    assert text.count(written) == 3
    # In a page, too, by marks: the sentence is not taken for one of the other direction.
    assert f">{written}</h1>" in html
    assert f">{written}</a>" in html
    assert '<span dir="rtl">' not in html


@pytest.mark.parametrize(("organisation", "locale"), [("Acme Inc.", "he"), ("Acme Inc.", "ar")])
def test_a_sentence_from_right_to_left_may_begin_with_a_name_of_the_other_direction(
    parsed: Parse, body: Body, organisation: str, locale: str
) -> None:
    letter = replace(sample_letter("reminder", locale), organisation=organisation)
    rest = "ממתינה לך" if locale == "he" else "بانتظاركم"
    words = "{{ organisation }} " + rest
    mail = in_own_words(letter, locale, subject=words, headline=words, ask=words)
    written = f"{RLM}{LRM}Acme Inc.{LRM}{RLM} {rest}"

    text, html = body(parsed(mail), "plain").replace("\r\n", "\n"), body(parsed(mail), "html")
    assert mail.subject == written
    assert text.startswith(f"{RLM}{written}\n")
    assert f">{written}</h1>" in html


def test_what_has_no_letter_of_its_language_keeps_the_direction_that_it_has(
    parsed: Parse, body: Body
) -> None:
    mail = in_own_words(sample_letter("reminder", "he"), "he", ask="Please decide.")
    assert f">{RLM}{LRM}Please decide.{LRM}{RLM}</p>" in body(parsed(mail), "html")
    assert "\u2068Please decide.\u2069" in body(parsed(mail), "plain")


def test_marks_of_direction_that_upstream_wrote_are_dropped_as_ever() -> None:
    letter = replace(sample_letter("reminder", "en"), campaign_name="\u202eQ4\u200f review")
    assert in_own_words(letter, "en", subject="{{ campaign }}!").subject == "Q4 review!"
