"""What is remembered from mail to mail changes no mail, and says nothing of one in another."""

import gc
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import product
from types import FunctionType, ModuleType
from typing import Any

import pytest

from certmail_config.compose import Letter, PendingItem, compose
from certmail_config.compose.bodies import html_body, text_body
from certmail_config.compose.content import content
from certmail_config.compose.outline import outline_of
from certmail_config.compose.own.tenant_words import read_words
from certmail_config.compose.pages import html_page, text_page
from certmail_config.compose.wire.frames import frame
from certmail_config.templates.documents import read_document
from support.data.caches import caches, forget_all

Make = Callable[..., Letter]

DUE = datetime(2026, 12, 11, 16, tzinfo=UTC)
PARTS: dict[str, list[Any]] = {
    "kind": ["reminder", "final"],
    "due_at": [None, DUE, DUE.date()],
    "time_zone": [None, "Asia/Tokyo"],
    "pending": [None, 0, 12],
    "completed": [None, 0, 30],
    "link": [None, "https://iga.acme.example", "https://iga.acme.example/r/1?a=b"],
    "reply_to": [None, "help@acme.example"],
    "now": [DUE.replace(day=8), DUE, DUE.replace(day=20)],
}
OF_LANGUAGES_AND_ZONES = {
    "catalogue.languages", "catalogue._names", "catalogue._texts", "catalogue._file",
    "zones._names_of", "zones._alike", "zones._region_format",
}  # fmt: skip
OF_TEMPLATES = {"pages._text_template", "pages._html_template"}


def test_in_every_outline_the_frames_give_what_the_templates_do(letter: Make) -> None:
    outlines = set()

    for values in product(*PARTS.values()):
        shown = content(letter(**dict(zip(PARTS, values, strict=True))))
        assert text_body(shown) == frame(text_page(shown)).filled(())
        assert html_body(shown) == frame(html_page(shown)).filled(())
        outlines.add(outline_of(shown))

    assert len(outlines) > 60


def of_tenant(letter: Make, word: str, locale: str) -> Letter:
    """A letter whose every word is its tenant's own."""
    return letter(
        job_id="01937e6c-5a00-7000-8000-0000000000aa",
        sender=f"{word}@{word}.example",
        sender_name=f"{word} sender",
        reply_to=f"help@{word}.example",
        to=f"r@{word}.example",
        name=f"{word} name",
        campaign_name=f"{word} campaign",
        organisation=f"{word} organisation",
        link=f"https://{word}.example/{word}",
        locale=locale,
    )


@pytest.mark.parametrize("locale", ["en", "pl", "ja"])
def test_nothing_of_one_tenant_is_in_a_mail_of_another(letter: Make, locale: str) -> None:
    words = [f"tenant{number}" for number in range(10, 40)]
    alone = {}
    for word in words:
        forget_all()
        alone[word] = compose(of_tenant(letter, word, locale))

    for word in [*words, *reversed(words), *words]:
        mail = compose(of_tenant(letter, word, locale))
        assert mail == alone[word]
        # What is encoded shows no words, but it is the same as when there was no other tenant.
        assert not any(other.encode() in mail.raw for other in words if other != word)


def remembered() -> set[str]:
    """Each text that any cache holds, in a key or a result."""
    texts: set[str] = set()
    seen: set[int] = set()
    held = [each for _, each in caches()]
    while held:
        each = held.pop()
        if isinstance(each, str | bytes):
            texts.add(each if isinstance(each, str) else each.decode("ascii"))
        elif id(each) not in seen and not isinstance(each, type | ModuleType | FunctionType):
            seen.add(id(each))
            held += gc.get_referents(each)
    return texts


@pytest.mark.parametrize("locale", ["en", "ja"])
def test_what_says_who_a_reviewer_is_is_not_remembered(letter: Make, locale: str) -> None:
    forget_all()
    mail = compose(
        letter(
            locale=locale,
            to="zebra-to@acme.example",
            name="Zebra Name",
            link="https://iga.acme.example/r/zebra-link",
        )
    )
    assert b"zebra-to" in mail.raw

    texts = remembered()
    assert any("Quarterly access review" in text for text in texts), "what is remembered is found"
    assert not [text for text in texts if "zebra" in text.lower()]


def test_nor_is_it_where_a_tenants_own_words_name_it(letter: Make) -> None:
    texts = {
        "subject": "{{ campaign }} for {{ name }}",
        "headline": "{{ pending }} of {{ campaign }}",
        "ask": "{% for item in items %}{{ item.what }}{% endfor %}",
    }
    blocks = {block: {"text": text} for block, text in texts.items()}
    document = read_document({"texts": {"en": {"reminder": blocks}}})
    words = read_words(1, document.written().encode(), (), ())
    made = letter(name="Zebra Name", items=(PendingItem("Zebra system"),))
    forget_all()
    mail = compose(made, own=lambda shown: words.blocks(made, shown))
    assert "Zebra" in mail.subject

    texts_held = remembered()
    assert any("12 of Quarterly" in text for text in texts_held), "what names nobody is remembered"
    assert not [text for text in texts_held if "zebra" in text.lower()]


def test_what_is_remembered_is_bounded() -> None:
    unbounded = {name for name, each in caches() if each.cache_parameters()["maxsize"] is None}
    assert unbounded == OF_LANGUAGES_AND_ZONES | OF_TEMPLATES, "their keys are files' and CLDR's"
    assert len(dict(caches())) > 15, "they are found"
    assert all((each.cache_parameters()["maxsize"] or 0) <= 4096 for _, each in caches())


def test_what_is_forgotten_is_made_again(letter: Make) -> None:
    before = [compose(letter(name=f"Name {number}")) for number in range(3)]
    for number in range(4200):
        compose(letter(name=f"Other {number}"))
    assert [compose(letter(name=f"Name {number}")) for number in range(3)] == before
