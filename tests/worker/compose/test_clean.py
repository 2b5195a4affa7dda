import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certmail_worker.compose.clean import capped, line


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (None, ""), ("", ""), (" \t\r\n", ""),
        ("Ann\r\nBcc: eve@evil.example", "Ann Bcc: eve@evil.example"),
        ("Ann\0Lee\x7f\x85\u2028x", "Ann Lee x"),
        ("\u202eecilA\u202c", "ecilA"), ("\u2066Ann\u2069\u200f", "Ann"), ("Ad\u00admin\u200b", "Admin"),
        ("half \ud83d pair", "half pair"),
        ("Jose\u0301", "José"),
        ("  Ann   Lee ", "Ann Lee"), ("Ann\u00a0Lee\u3000Kim", "Ann Lee Kim"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"), ("می\u200cخ", "می\u200cخ"),
        ("{{7*7}} <b> %s {name}", "{{7*7}} <b> %s {name}"),
    ],
)  # fmt: skip
def test_text_is_made_harmless_and_keeps_its_meaning(text: str | None, clean: str) -> None:
    assert line(text) == clean


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=())))
def test_clean_text_is_one_visible_line_and_stays_so(text: str) -> None:
    clean = line(text)
    assert clean == clean.strip()
    assert "  " not in clean
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in clean)
    assert not any(
        unicodedata.bidirectional(c) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        for c in clean
    )
    assert len(clean.splitlines()) <= 1
    assert line(clean) == clean
    clean.encode()


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("Access review", 20, "Access review"),
        ("Access review of finance", 15, "Access review…"),
        ("Access, review of finance", 10, "Access…"),
        ("Rechtsschutzversicherung", 10, "Rechtssch…"),
        ("漢字" * 10, 5, "漢字漢字…"),
        ("e\u0323" * 10, 4, "e\u0323…"),
    ],
)
def test_long_text_is_cut_at_a_word_or_else_at_a_whole_character(text: str, limit: int, short: str) -> None:
    assert capped(text, limit) == short


@settings(deadline=None)
@given(st.text(), st.integers(1, 40))
def test_capped_text_fits(text: str, limit: int) -> None:
    assert len(capped(text, limit)) <= limit
