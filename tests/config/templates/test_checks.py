"""What is seen when templates are published: each mistake, where it is, and what there is instead."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certmail_config.templates.base import own_versions, own_words
from certmail_config.templates.blocks import BLOCKS, MEASURES, Block, written
from certmail_config.templates.checks import check, program_of
from certmail_config.templates.colours import ENOUGH, ON_DARK, ON_LIGHT, contrast, palette
from certmail_config.templates.differences import based, differences, to_keep
from certmail_config.templates.documents import EMPTY, BlockText, read_document, read_json
from certmail_config.templates.findings import Severity, TemplatesRefused
from certmail_config.templates.language import OutOfBounds
from certmail_config.templates.language.filters import FILTERS
from certmail_config.templates.variables import SAMPLES, scope_of

HOSTS = frozenset({"static.acme.example"})


def _found(**document: Any) -> list[str]:
    return [f"{each.severity} {each}" for each in check(read_document(document), HOSTS)]


def _text(text: str, *, locale: str = "en", kind: str = "reminder", block: str = "ask") -> Any:
    return {locale: {kind: {block: {"text": text}}}}


def test_nothing_is_wrong_with_nothing_or_with_what_is_usual() -> None:
    assert _found() == []
    assert (
        _found(
            locale="de",
            brand={
                "name": "Acme",
                "sender": "Acme reviews",
                "colour": "#0b6067",
                "logo": {"url": "https://static.acme.example/logo.png", "alt": "Acme"},
                "footer": ["Acme Inc., 1 Main Street"],
            },
            texts=_text("{{ organisation }} asks you to look at {{ campaign | default('this') }}."),
        )
        == []
    )


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"locale": "tlh"}, "fault locale: certmail writes no mail in 'tlh'"),
        ({"texts": _text("x", locale="tlh")}, "fault tlh/reminder/ask: certmail writes no mail in"),
        (
            {"texts": _text("x", kind="remindr")},
            "there is no kind `remindr`; did you mean `reminder`",
        ),
        ({"texts": _text("x", block="headlin")}, "has no block `headlin`; did you mean `headline`"),
        ({"texts": _text("x", block="text")}, "a mail of kind reminder has no block `text`"),
        (
            {"texts": _text("\n{{ campain }}")},
            "fault en/reminder/ask, line 2: there is no variable",
        ),
        ({"texts": _text("{{ about }}")}, "there is no variable `about`"),
        ({"texts": _text("{{ about }}", kind="escalation")}, ""),
        (
            {"texts": _text("x" * 81, block="button")},
            "with the sample `thin` it writes more than may",
        ),
        ({"texts": _text("a\n" * 11, block="footer")}, "it has more than 10 lines"),
        (
            {"texts": _text("{% for i in items %}{{ i.who }}{{ i.what }}{% endfor %}")},
            "fault en/reminder/ask: with the sample `nasty` it writes more than may stand there",
        ),
        (
            {"texts": _text("{{ name }}", block="subject")},
            "hint en/reminder/subject: with the sample",
        ),
        (
            {"texts": _text("see https://x.example")},
            "hint en/reminder/ask: an address stands in it",
        ),
        (
            {"texts": {"en": {"reminder": {"ask": {"text": "x", "base": "0" * 12}}}}},
            "it was made on 0",
        ),
        ({"brand": {"colour": "red"}}, "fault brand/colour: a colour is written as #rrggbb"),
        ({"brand": {"colour": "#ffff00"}}, "hint brand/colour: white on it could not be read"),
        ({"brand": {"name": "A\u202eB"}}, "fault brand/name: there is a character"),
        (
            {"brand": {"logo": {"url": "http://static.acme.example/l.png", "alt": "x"}}},
            "fault brand/logo/url: a logo's address is https://HOST/",
        ),
        (
            {"brand": {"logo": {"url": "https://evil.example/l.png", "alt": "x"}}},
            "`evil.example` is not in CERTMAIL_LOGO_HOSTS; it names: static.acme.example.",
        ),
        (
            {"brand": {"logo": {"url": "https://static.acme.example@evil.example/", "alt": "x"}}},
            "fault brand/logo/url",
        ),
    ],
)
def test_a_mistake_is_said(document: dict[str, Any], sentence: str) -> None:
    found = _found(**document)

    assert any(sentence in each for each in found) if sentence else found == []


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"colour": "#fff"}, "colour: certmail knows no such field."),
        ({"brand": {"logo": {"url": "x"}}}, "brand/logo/alt: this field is required."),
        (
            {"texts": {"en": {"reminder": {"ask": "x"}}}},
            "texts/en/reminder/ask: must be an object.",
        ),
        ({"texts": {str(n): {"a": {"b": {"text": "x" * 16000}}} for n in range(20)}}, "256 KiB"),
    ],
)
def test_another_form_is_refused(document: object, sentence: str) -> None:
    with pytest.raises(TemplatesRefused) as refused:
        read_document(document)

    assert sentence in str(refused.value.findings[0])


def test_a_document_is_the_same_wherever_it_was() -> None:
    document = read_document({"brand": {"footer": ["a"]}, "texts": _text("Grüße {{ name }}")})

    assert read_json(document.written()) == document
    assert read_json(document.written()).digest() == document.digest()
    assert read_json("{}") == EMPTY


@pytest.mark.parametrize("kind", BLOCKS)
def test_every_variable_is_in_the_samples(kind: str) -> None:
    for name, variable in scope_of(kind).items():
        for sample in ("rich", "nasty"):
            value = SAMPLES[sample][name]
            assert isinstance(value, list) is bool(variable.fields)


@given(st.integers(0, 0xFFFFFF))
@settings(max_examples=60)
def test_a_colour_can_be_read_on_every_ground(number: int) -> None:
    colour = f"#{number:06x}"
    used = palette(colour)

    assert all(contrast(used.light, ground) >= ENOUGH for ground in ON_LIGHT)
    assert all(contrast(used.dark, ground) >= ENOUGH for ground in ON_DARK)
    if all(contrast(colour, ground) >= ENOUGH for ground in ON_LIGHT):
        assert used.light == colour


def test_the_page_for_whoever_writes_them_names_all_there_is() -> None:
    page = (Path(__file__).parents[3] / "docs" / "templates.md").read_text("utf-8")
    variables = {name for kind in BLOCKS for name in scope_of(kind)}
    fields = {f for kind in BLOCKS for each in scope_of(kind).values() for f in each.fields}

    for name in {*variables, *fields, *BLOCKS}:
        assert f"`{name}`" in page, name
    for block, measure in MEASURES.items():
        assert f"| `{block}` |" in page
        assert re.search(rf"\| `{block}` \|.*\| {measure.longest:,} \| {measure.lines} \|", page)
    for each in FILTERS:
        assert f"`{each}" in page


def test_contrasts_are_those_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


def test_what_ours_says_has_a_version_of_its_own() -> None:
    ask = own_words("en", "reminder", Block.ASK)

    assert [line.partition(" = ")[0] for line in ask.lines] == [
        "reminder.ask",
        "reminder.ask_campaign",
    ]
    assert ask.version != own_words("de", "reminder", Block.ASK).version
    assert own_versions("en")["reminder", Block.ASK] == ask.version
    for block in (Block.SUBJECT, Block.PREHEADER, Block.HEADLINE, Block.BUTTON, Block.FOOTER):
        assert own_words("fr-CA", "notice", block).lines


def test_a_change_of_ours_is_seen_beside_the_tenants_words() -> None:
    now = own_words("en", "reminder", Block.ASK)
    first = based(read_document({"texts": _text("Please decide.")}))
    kept = to_keep(first, EMPTY, {})
    [same] = differences(first, kept)
    assert (same.changed, same.what_changed(), kept) == (False, [], {same.place: now.lines})

    older = first.model_copy(
        update={
            "texts": {"en": {"reminder": {"ask": BlockText(text="Please decide.", base="f" * 12)}}}
        }
    )
    [other] = differences(older, {same.place: ["reminder.ask = What it said."]})
    assert other.changed
    assert other.theirs == "Please decide."
    assert "-reminder.ask = What it said." in other.what_changed()
    assert f"+{now.lines[0]}" in other.what_changed()
    assert to_keep(older, older, {same.place: ["x"]}) == {same.place: ("x",)}


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200), st.sampled_from(list(Block)))
def test_a_block_is_written_in_lines_without_breaks(text: str, block: Block) -> None:
    try:
        lines = written(text, block)
    except OutOfBounds:
        lines = ()

    assert all(line.split() == line.split(" ") and line.splitlines() == [line] for line in lines)
    if MEASURES[block].lines == 1:
        assert len(lines) <= 1


def test_words_are_read_again_by_whoever_loads_them() -> None:
    [altered] = read_document({"texts": _text("{{ campaign.__class__ }}")}).overrides()

    with pytest.raises(Exception, match="cannot stand here"):
        program_of(altered)
    assert [each.severity for each in check(read_document({"texts": _text("{{ x }}")}), ())] == [
        Severity.FAULT
    ]
