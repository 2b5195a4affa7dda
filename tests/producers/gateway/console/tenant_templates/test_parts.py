"""Parts: what is typed becomes the document that is published, and nothing else of it changes."""

from __future__ import annotations

import pytest

from certmail.gateway.console.tenant_templates.findings_at import ABOVE, by_field
from certmail.gateway.console.tenant_templates.parts import BrandPart, WordsPart
from certmail_config.templates.documents import EMPTY, read_document
from certmail_config.templates.findings import TemplatesRefused, fault

WORDS = WordsPart("en", "reminder")
BRAND = BrandPart()
PUBLISHED = read_document(
    {
        "locale": "de",
        "brand": {"name": "Acme", "footer": ["Acme Inc.", "1 Main Street"]},
        "texts": {
            "en": {
                "reminder": {"ask": {"text": "Ours.", "base": "aaaaaaaaaaaa"}},
                "notice": {"subject": {"text": "Begun"}},
            },
            "de": {"reminder": {"ask": {"text": "Unsere."}}},
        },
    }
)


class TestWords:
    def test_what_is_typed_takes_the_place_of_that_kind_in_that_language_alone(self) -> None:
        made = WORDS.put(PUBLISHED, {"text-button": "Go\r\nthere", "text-ask": " \n "})

        assert made.texts["en"]["reminder"].keys() == {"button"}
        assert made.texts["en"]["reminder"]["button"].text == "Go\nthere"
        assert made.texts["en"]["notice"] == PUBLISHED.texts["en"]["notice"]
        assert made.texts["de"] == PUBLISHED.texts["de"]
        assert (made.brand, made.locale) == (PUBLISHED.brand, "de")

    def test_words_keep_what_they_were_made_on_until_the_difference_was_seen(self) -> None:
        kept = WORDS.put(PUBLISHED, {"text-ask": "Ours, too."})
        assert kept.texts["en"]["reminder"]["ask"].base == "aaaaaaaaaaaa"
        seen = WORDS.put(PUBLISHED, {"text-ask": "Ours.", "seen-ask": "1"})
        assert seen.texts["en"]["reminder"]["ask"].base == ""

    def test_nothing_typed_leaves_nothing_behind(self) -> None:
        assert WORDS.put(EMPTY, {}) == EMPTY
        only = read_document({"texts": {"en": {"reminder": {"ask": {"text": "x"}}}}})
        assert WORDS.put(only, {}) == EMPTY

    def test_what_is_shown_and_sent_back_is_the_same(self) -> None:
        for part in (WORDS, BRAND):
            assert part.put(PUBLISHED, part.typed(PUBLISHED)) == PUBLISHED

    def test_fields_of_another_kind_are_not_taken(self) -> None:
        made = WORDS.put(EMPTY, {"text-text": "of custom", "text-__class__": "x"})
        assert made == EMPTY

    def test_what_no_document_can_hold_is_refused_with_its_place(self) -> None:
        with pytest.raises(TemplatesRefused) as refused:
            WORDS.put(EMPTY, {"text-ask": "x" * 20_000})
        assert by_field(refused.value.findings, WORDS).keys() == {"text-ask"}

    def test_only_its_own_words_are_found_fault_with_and_none_for_their_base(self) -> None:
        alone = WORDS.alone(PUBLISHED)
        [override] = alone.overrides()
        assert (override.place, override.base) == ("en/reminder/ask", "")


class TestBrand:
    def test_lines_and_logo_are_read_from_their_fields(self) -> None:
        typed = {"footer": " Acme Inc. \r\n\r\n1 Main Street", "colour": " #0b6067 "}
        logo = {"logo-url": "https://a.example/x.png", "logo-alt": "Acme"}
        made = BRAND.put(PUBLISHED, typed | logo)

        assert made.brand.footer == ("Acme Inc.", "1 Main Street")
        assert made.brand.colour == "#0b6067"
        assert made.brand.logo is not None
        assert made.locale is None
        assert made.texts == PUBLISHED.texts

    def test_half_a_logo_is_refused_at_the_other_half(self) -> None:
        with pytest.raises(TemplatesRefused) as refused:
            BRAND.put(EMPTY, {"logo-url": "https://a.example/x.png"})
        assert by_field(refused.value.findings, BRAND).keys() == {"logo-alt"}


@pytest.mark.parametrize(
    ("place", "of_words", "of_brand"),
    [
        ("en/reminder/ask", "text-ask", ABOVE),
        ("texts/en/reminder/ask/text", "text-ask", ABOVE),
        ("de/reminder/ask", ABOVE, ABOVE),
        ("en/reminder", ABOVE, ABOVE),
        ("brand/colour", ABOVE, "colour"),
        ("brand/footer/2", ABOVE, "footer"),
        ("brand/logo/url", ABOVE, "logo-url"),
        ("brand/logo", ABOVE, "logo-url"),
        ("brand", ABOVE, ABOVE),
        ("locale", ABOVE, "locale"),
        ("templates", ABOVE, ABOVE),
    ],
)
def test_a_finding_is_shown_at_its_field_or_above_all(
    place: str, of_words: str, of_brand: str
) -> None:
    found = [fault(place, "it is wrong.")]
    assert list(by_field(found, WORDS)) == [of_words]
    assert list(by_field(found, BRAND)) == [of_brand]
