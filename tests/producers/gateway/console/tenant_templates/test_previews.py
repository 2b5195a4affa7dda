"""Previews: the mail that a worker would write, of words that need not be published."""

from __future__ import annotations

import re
from typing import Any

import pytest

from certmail.gateway.console.tenant_templates.framed import framed
from certmail.gateway.console.tenant_templates.parts import WordsPart
from certmail.gateway.console.tenant_templates.previews import (
    certmails_own,
    page_of,
    plain_page,
    preview_of,
)
from certmail.gateway.console.tenant_templates.views import LOCALES, PreviewView, view_of
from certmail_config.compose import compose
from certmail_config.compose.own.tenant_words import read_words
from certmail_config.compose.samples import SampleSender, SampleSize, letter_of
from certmail_config.templates.blocks import BLOCKS, KINDS
from certmail_config.templates.documents import EMPTY, Document, read_document

SENDER = SampleSender("Acme", "reviews@acme.example", "help@acme.example")
VIEW = PreviewView("reminder", "en")


def saying(**blocks: str) -> Document:
    return WordsPart("en", "reminder").put(EMPTY, {f"text-{n}": t for n, t in blocks.items()})


def test_it_is_the_message_of_a_worker_to_the_byte() -> None:
    document = saying(ask="Only {{ pending }} left.", subject="Now: {{ campaign }}")
    words = read_words(7, document.written().encode(), (), ())
    letter = letter_of(SENDER, words, "reminder", "en", "rich")
    mail = compose(letter, words.brand, lambda shown: words.blocks(letter, shown))

    seen = preview_of(document, SENDER, VIEW, ())
    assert seen.source.encode() == mail.raw.replace(b"\r\n", b"\n")
    assert seen.subject == "Now: Quarterly access review Q4 2026"
    assert seen.sender == "Acme <reviews@acme.example>"
    assert "Only 12 left." in seen.text
    assert "Only 12 left." in seen.html
    assert not seen.clipped


def test_what_is_wrong_is_left_out_as_a_worker_leaves_it_out_and_named() -> None:
    seen = preview_of(saying(ask="{{ nothing }}", button="Go"), SENDER, VIEW, ())
    assert list(seen.failed) == ["en/reminder/ask"]
    assert "Go" in seen.html
    assert "Acme is still waiting for you to decide" in seen.text


def test_a_logo_is_shown_from_a_host_that_may_have_one_alone() -> None:
    logo = {"url": "https://static.example.com/x.png", "alt": "Acme"}
    document = read_document({"brand": {"name": "Own", "logo": logo}})
    assert "<img" in preview_of(document, SENDER, VIEW, ("static.example.com",)).html
    elsewhere = preview_of(document, SENDER, VIEW, ("other.example.com",))
    assert "<img" not in elsewhere.html
    assert "CERTMAIL_LOGO_HOSTS" in elsewhere.failed["brand"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sample", SampleSize)
def test_every_kind_and_sample_can_be_looked_at_in_every_language(
    kind: str, sample: SampleSize
) -> None:
    for locale in LOCALES:
        view = PreviewView(kind, locale, sample)
        seen = preview_of(EMPTY, SENDER, view, ())
        assert seen.locale.partition("-")[0] == locale.partition("-")[0]
        assert not seen.failed


@pytest.mark.parametrize("kind", KINDS)
def test_certmails_own_words_are_there_for_each_block(kind: str) -> None:
    for locale in ("en", "ar", "ja"):
        own = certmails_own(SENDER, kind, locale)
        assert all(own[block] for block in BLOCKS[kind])


def test_light_and_dark_are_as_asked_whatever_the_readers_screen_is() -> None:
    seen = preview_of(saying(ask="@media (prefers-color-scheme:dark) {}"), SENDER, VIEW, ())
    for theme, media in (("light", "@media not all"), ("dark", "@media all")):
        page = page_of(seen, PreviewView("reminder", "en", theme=theme))
        rules = re.findall("<style>.*?</style>", page, re.DOTALL)[0]
        assert media in rules
        assert "prefers-color-scheme" not in rules
        assert f'<meta name="color-scheme" content="{theme}">' in page
        assert "@media (prefers-color-scheme:dark) {}" in page, "somebody’s own words stay"


def test_its_links_open_nothing_in_its_own_place() -> None:
    page = page_of(preview_of(EMPTY, SENDER, VIEW, ()), VIEW)
    assert '<base target="_blank">' in page[: page.index("</head>")]


def test_text_and_source_are_text() -> None:
    seen = preview_of(saying(ask="</pre><script>x</script>"), SENDER, VIEW, ())
    for show in ("text", "source"):
        page = page_of(seen, PreviewView("reminder", "en", show=show))
        assert "<script" not in page
        assert page.count("</pre>") == 1
    assert "<b>" not in plain_page("<b>", '"><b>', '"><b>', "light")


def test_the_frames_answer_allows_its_styles_and_logos_and_no_more() -> None:
    policy = framed("x", ("a.example", "b.example")).headers["Content-Security-Policy"]
    assert "img-src https://a.example https://b.example;" in policy
    assert "img-src 'none';" in framed("x", ()).headers["Content-Security-Policy"]
    assert {"default-src 'none'", "sandbox", "form-action 'none'", "base-uri 'none'"} <= {
        each.strip() for each in policy.split(";")
    }


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ({}, PreviewView("reminder", "de")),
        ({"sample": "nasty", "theme": "dark"}, PreviewView("reminder", "de", "nasty", "dark")),
        ({"show": "source", "width": "360"}, PreviewView("reminder", "de", show="source", width="360")),
        ({"mail_locale": "pt-BR", "mail_kind": "digest"}, PreviewView("digest", "pt-BR")),
        ({"mail_locale": "tlh", "mail_kind": "x", "theme": "<b>"}, PreviewView("reminder", "de")),
        ({"mail_locale": "en" * 100, "sample": b"file"}, PreviewView("reminder", "de")),
    ],
)  # fmt: skip
def test_a_view_is_what_was_asked_for_where_there_is_such_a_thing(
    given: dict[str, Any], seen: PreviewView
) -> None:
    assert view_of(given, "", "de") == seen
