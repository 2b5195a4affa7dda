"""Whole mails in a tenant's words and look, as they are judged when those are published."""

from __future__ import annotations

from typing import Any

import pytest

from certmail_config.compose import Look, Picture, compose
from certmail_config.compose.content import content
from certmail_config.compose.own.whole_mails import (
    MOST_LOCALES,
    all_findings,
    low_contrast,
    strange,
    whole_mails,
)
from certmail_config.compose.pages import html_page
from certmail_config.compose.samples import sample_letter
from certmail_config.jobs.languages import LANGUAGES
from certmail_config.templates.blocks import BLOCKS, MEASURES
from certmail_config.templates.documents import EMPTY, Document, read_document
from certmail_config.templates.findings import Severity

HOSTS = frozenset({"static.acme.example"})
LOGO = {"url": "https://static.acme.example/logo.png?a=1&b=2", "alt": "Acme"}
PAGE = html_page(content(sample_letter("reminder", "en")))


def document(blocks: dict[str, str], kind: str = "reminder", **more: Any) -> Document:
    texts = {name: {"text": text} for name, text in blocks.items()}
    return read_document({"texts": {"en": {kind: texts}}, **more})


def said(found: Document) -> list[str]:
    return [f"{each.severity} {each}" for each in whole_mails(found, HOSTS)]


def test_nothing_is_wrong_with_nothing_or_with_what_is_usual() -> None:
    assert said(EMPTY) == []
    brand = {"name": "Acme", "colour": "#ffee00", "footer": ["1 Main Street"], "logo": LOGO}
    assert said(document({"ask": "{{ name }}, please decide."}, brand=brand, locale="ar")) == []


def test_the_longest_and_oddest_words_in_all_languages_make_whole_mails() -> None:
    most = {block: "&" * measure.longest for block, measure in MEASURES.items()}
    texts = {
        locale: {
            kind: {str(block): {"text": most[block]} for block in blocks}
            for kind, blocks in BLOCKS.items()
        }
        for locale in ("en", "ar")
    }
    brand = {
        "name": "&" * 80,
        "sender": "&" * 80,
        "colour": "#000000",
        "footer": ["&" * 120] * 8,
        "logo": {"url": f"https://static.acme.example/{'a' * 400}", "alt": "&" * 80},
    }
    found = whole_mails(read_document({"texts": texts, "brand": brand}), HOSTS)
    assert [each for each in found if each.severity is Severity.FAULT] == []


def test_what_fails_in_a_whole_mail_is_a_fault_at_its_place() -> None:
    [fault] = said(document({"ask": "{{ nobody }}"}))
    assert fault.startswith(
        "fault en/reminder/ask: in a whole mail it fails: line 1: there is no variable `nobody`"
    )


def test_whole_mails_are_composed_only_where_each_block_is_right() -> None:
    found = all_findings(document({"ask": "{{ nobody }}", "button": "b" * 40}), HOSTS)
    assert [each.place for each in found] == ["en/reminder/ask"]

    found = all_findings(document({"button": "b" * 40}), HOSTS)
    assert [each.place for each in found] == ["en/reminder/button"]


def test_of_very_many_languages_some_are_looked_at_whole() -> None:
    words = {"reminder": {"ask": {"text": "Please."}}}
    locales = [f"{language}-{country}" for language in LANGUAGES for country in ("DE", "US")]
    [hint] = said(read_document({"texts": dict.fromkeys(locales, words)}))
    assert hint == f"hint texts: whole mails were looked at in {MOST_LOCALES} languages only."


@pytest.mark.parametrize(
    ("blocks", "hint"),
    [
        ({"button": "Decide about all of your accesses now"}, "en/reminder/button: on a phone"),
        ({"subject": "RE: {{ campaign }}"}, "en/reminder/subject: it begins as an answer does"),
        ({"subject": "DECIDE NOW PLEASE"}, "en/reminder/subject: it is all in capitals"),
        ({"ask": "Please.\n> decide"}, "en/reminder/ask: a line that begins with `>`"),
        ({"footer": "--\nAcme"}, "en/reminder/footer: what stands under a line of `--`"),
    ],
)
def test_a_hint_says_what_mail_programs_make_of_words(blocks: dict[str, str], hint: str) -> None:
    [found] = said(document(blocks))
    assert found.startswith(f"hint {hint}")


@pytest.mark.parametrize("end", ["svg", "webp", "avif", "SVG?v=2"])
def test_a_hint_says_which_pictures_mail_programs_do_not_show(end: str) -> None:
    logo = LOGO | {"url": f"https://static.acme.example/logo.{end}"}
    [found] = said(document({}, brand={"logo": logo}))
    assert found.startswith("hint brand/logo/url: ")
    assert "PNG is shown everywhere" in found


@pytest.mark.parametrize(
    ("planted", "what"),
    [
        ("<script>alert(1)</script>", "an element `script`"),
        ("<IMG src='https://x.example/p.png'>", "an element `IMG`"),
        ("<svg onload=alert(1)>", "an element `svg`"),
        ("<link rel=stylesheet href=https://x.example/>", "an element `link`"),
        ('<td background="https://x.example/p.png">', "loads something"),
        ('<p style="background:url(https://x.example/p.png)">', "loads something"),
        ("<style>@import 'https://x.example/x.css';</style>", "loads something"),
    ],
)
def test_what_certmail_would_never_write_is_seen_in_a_page(planted: str, what: str) -> None:
    assert strange(PAGE, Look()) is None
    why = strange(PAGE.replace("</body>", f"{planted}</body>"), Look())
    assert why is not None
    assert what in why


def test_only_the_logo_is_a_picture_and_only_once() -> None:
    brand = Look(logo=Picture(LOGO["url"], LOGO["alt"]))
    page = compose(sample_letter("reminder", "en"), brand)
    assert page.raw
    picture = '<img src="https://static.acme.example/logo.png?a=1&amp;b=2" alt="Acme">'
    assert strange(PAGE.replace("</body>", f"{picture}</body>"), brand) is None
    assert strange(PAGE.replace("</body>", f"{picture}{picture}</body>"), brand) is not None
    assert strange(PAGE.replace("</body>", f"{picture}</body>"), Look()) is not None


def test_a_colour_that_could_not_be_read_is_a_fault() -> None:
    assert list(low_contrast(Look(colour="#0b6067", colour_in_the_dark="#7fd1d1"))) == []
    assert len(list(low_contrast(Look(colour="#ffee00", colour_in_the_dark="#202020")))) == 2
