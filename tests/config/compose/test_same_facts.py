"""Both bodies of a mail state the same: word by word, and held against what went in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from html import unescape

import pytest

from certmail_config.compose.language.catalogue import catalogue
from certmail_config.compose.letter import Letter
from certmail_config.compose.samples import SampleSize, sample_letter
from certmail_config.compose.voices import LetterKind
from judge.mails.samples import LOCALES, LOOKS, parsed, written

Seen = Callable[[str], str]
Body = Callable[[EmailMessage, str], str]

UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u2068\u2069]")
WORD = re.compile(r"[^\W_]+")
LINK = re.compile(r"https?://\S+")


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", LetterKind)
def test_text_and_page_state_the_same(
    body: Body, seen: Seen, kind: LetterKind, locale: str, look: str
) -> None:
    for sample in SampleSize:
        letter = sample_letter(kind, locale, sample)
        message = parsed(written(letter, look))
        html = body(message, "html")
        text, page = (UNSEEN.sub("", each) for each in (body(message, "plain"), seen(html)))
        links = [unescape(each) for each in re.findall(r'href="([^"]*)"', html)]
        assert set(LINK.findall(text)) == set(links), sample

        said, shown = words(LINK.sub(" ", text)), words(page)
        assert not said - shown, (sample, said - shown)
        more = shown - said - only_on_pages(letter, links)
        assert not more, (sample, more)

        if sample is SampleSize.RICH:
            for fact in facts(letter, own_footer=look == "own"):
                assert fact in text, fact
                assert fact in page, fact
            assert links[-1] == letter.link


def words(text: str) -> set[str]:
    return set(WORD.findall(text))


def only_on_pages(letter: Letter, links: list[str]) -> set[str]:
    """What kind of mail it is, whose, and what to do if its button fails; and what is seen of the links."""
    said = catalogue(letter.locale)
    labels = {f"{kind}.label" for kind in (*LetterKind, "late")}
    shown = [
        letter.organisation,
        *links,
        *(str(said.say(key)) for key in (*labels, "address_note")),
    ]
    return {word for each in shown for word in words(each)} | {
        word for link in links for word in cut_words(link)
    }


def cut_words(link: str) -> Iterator[str]:
    """What a word of it may be cut to: of a long link the beginning is seen."""
    for word in WORD.finditer(link):
        for end in range(max(word.start() + 1, 80), word.end()):
            yield link[word.start() : end]


def facts(letter: Letter, *, own_footer: bool) -> Iterator[str]:
    """What went in and must be found."""
    yield from filter(None, [letter.name, letter.about, None if own_footer else letter.reply_to])
    for each in letter.items:
        yield from filter(None, each)
    for review in letter.reviews:
        yield review.name
        yield from filter(None, [review.pending and str(review.pending)])
    if letter.kind != "digest" and letter.pending and letter.completed and letter.due_at:
        yield from (str(letter.pending), str(letter.pending + letter.completed))
        yield from (str(letter.due_at.day), str(letter.due_at.year))
