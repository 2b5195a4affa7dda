"""The editor: all that its page shows, worked out of what is on record and what is typed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from aiohttp import web

from certmail.gateway.console.templates_limits import (
    FORMS_PER_MINUTE,
    SAMPLES_PER_MINUTE,
    SECONDS_PER_MINUTE,
    TemplatesLimits,
)
from certmail.gateway.console.tenant_templates.editor import edited
from certmail.gateway.console.tenant_templates.parts import BrandPart, WordsPart
from certmail.gateway.console.tenant_templates.tenant_facts import TenantFacts
from certmail.gateway.console.tenant_templates.variables import variables_of
from certmail.gateway.console.tenant_templates.views import PreviewView
from certmail_config.admin.templates.publishing import TemplatesState
from certmail_config.compose.samples import SampleSender
from certmail_config.templates.blocks import KINDS, Block
from certmail_config.templates.documents import EMPTY, Document, read_document
from certmail_config.templates.language import compiled
from certmail_config.templates.variables import scope_of
from certmail_config.tenants.models import Tenant

WORDS = WordsPart("en", "reminder")
VIEW = PreviewView("reminder", "en")


def facts(document: Document = EMPTY, **off: str) -> TenantFacts:
    tenant = Tenant("acme", "active", b"", b"", b"", 1)
    state = TemplatesState("acme", document, None, {k.replace("_", "/"): v for k, v in off.items()})
    return TenantFacts(tenant, state, (), (), SampleSender("acme"))


class TestWhatIsTyped:
    def test_each_block_has_its_findings_and_certmails_words_beside_it(self) -> None:
        editor = edited(facts(), WORDS, {"text-ask": "{{ campain }}"}, VIEW, ())
        by_block = {each.block: each for each in editor.blocks}

        assert by_block[Block.ASK].faulty
        assert by_block[Block.ASK].findings[0].line == 1
        assert not by_block[Block.BUTTON].findings
        assert by_block[Block.BUTTON].example == "Review access"
        assert by_block[Block.SUBJECT].ours.lines
        assert editor.faulty
        assert editor.unsaved

    def test_what_no_document_can_hold_is_said_and_the_mail_is_as_published(self) -> None:
        published = read_document({"texts": {"en": {"reminder": {"ask": {"text": "Ours."}}}}})
        editor = edited(facts(published), WORDS, {"text-ask": "x" * 20_000}, VIEW, ())

        assert editor.stale
        assert editor.faulty
        assert editor.preview is not None
        assert "Ours." in editor.preview.text

    def test_what_is_shown_as_published_is_not_unsaved(self) -> None:
        published = read_document(
            {"texts": {"en": {"reminder": {"ask": {"text": "One.\nTwo."}}}}, "brand": {"name": "A"}}
        )
        for part in (WORDS, BrandPart()):
            typed = part.typed(published)
            as_a_browser_sends = {n: t.replace("\n", "\r\n") for n, t in typed.items()}
            assert not edited(facts(published), part, as_a_browser_sends, VIEW, ()).unsaved

    def test_a_difference_and_what_was_put_aside_stand_at_their_block(self) -> None:
        ask = {"text": "Ours.", "base": "0123456789ab"}
        published = read_document({"texts": {"en": {"reminder": {"ask": ask}}}})
        known = facts(published, en_reminder_ask="altered")
        block = edited(known, WORDS, WORDS.typed(published), VIEW, ()).blocks[3]

        assert block.changed is not None
        assert block.suspended == "altered"
        assert not block.findings, "what changed is shown, and needs no hint besides"

    def test_what_others_published_meanwhile_stands_where_it_differs(self) -> None:
        theirs = {"ask": {"text": "Theirs."}, "button": {"text": "Go"}}
        published = read_document({"texts": {"en": {"reminder": theirs}}})
        typed = {"text-ask": "Mine.", "text-button": "Go"}
        editor = edited(facts(published), WORDS, typed, VIEW, (), meanwhile=True)

        assert {each.block: each.theirs for each in editor.blocks if each.theirs is not None} == {
            Block.ASK: "Theirs."
        }

    def test_a_colour_is_shown_as_it_becomes(self) -> None:
        editor = edited(facts(), BrandPart(), {"colour": "#ffd400"}, VIEW, ())
        assert editor.palette is not None
        assert editor.palette.light == "#836d00"
        assert not editor.faulty, "it is a hint"
        wrong = edited(facts(), BrandPart(), {"colour": "red"}, VIEW, ())
        assert wrong.palette is None
        assert wrong.faulty


@pytest.mark.parametrize("kind", KINDS)
def test_every_variable_on_offer_can_be_put_in_as_it_is(kind: str) -> None:
    offered = variables_of(kind)
    assert {each.name for each in offered} == set(scope_of(kind))
    for each in offered:
        compiled(each.insert, scope_of(kind), "en")


class TestLimits:
    def test_a_visit_may_send_so_many_forms_and_samples_a_minute(self) -> None:
        at = [0.0]
        limits = TemplatesLimits(lambda: at[0])
        for _ in range(FORMS_PER_MINUTE):
            limits.count_form("one")
        for _ in range(SAMPLES_PER_MINUTE):
            limits.count_sample("one")
        for count in (limits.count_form, limits.count_sample):
            with pytest.raises(web.HTTPTooManyRequests):
                count("one")
            count("another")

        at[0] = 60.0
        limits.count_form("one")

    async def test_a_visit_may_have_pages_worked_out_for_so_many_seconds_a_minute(self) -> None:
        at = [0.0]
        limits = TemplatesLimits(lambda: at[0])
        async with limits.turn("one"):
            at[0] += SECONDS_PER_MINUTE + 1

        with pytest.raises(web.HTTPTooManyRequests):
            async with limits.turn("one"):
                pass
        async with limits.turn("another"):
            pass
        at[0] = 60.0
        async with limits.turn("one"):
            pass


def test_what_was_put_aside_is_found_however_its_locale_is_written() -> None:
    known = replace(facts(), state=TemplatesState("acme", EMPTY, None, {"en/pt-br/ask": "x"}))
    assert known.suspended("en/pt-BR/ask") == "x"
    assert known.suspended("brand") == ""
    assert known.written == {}
