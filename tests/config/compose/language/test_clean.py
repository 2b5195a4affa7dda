import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certmail_config.compose.language.clean import capped, line


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
        ("葛\U000e0100城", "葛\U000e0100城"), ("辻\U000e01ef", "辻\U000e01ef"), ("A\U000e0100nn", "Ann"), ("❤\ufe0f", "❤\ufe0f"),
        ("🏴\U000e0067\U000e0062\U000e007f", "🏴"), ("e\u200b\u0301", "é"), ("e\u00ad\u0323\u202e\u0302", "\u1ec7"), ("\u1100\u200b\u1161", "가"),
        ("\u200d", ""), ("\u2800 \u2800", ""), ("\u3164", ""), ("\u115f\u1160", ""), ("\u0301", ""), ("\ufe0f", ""), ("\u200c\u2800\u0308", ""),
        ("\u2800Ann\u2800Lee\u2800", "Ann Lee"), ("¡", "¡"), ("🙂", "🙂"), ("\ue000", "\ue000"),
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
        unicodedata.bidirectional(c)
        in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        for c in clean
    )
    assert len(clean.splitlines()) <= 1
    assert line(clean) == clean
    assert unicodedata.is_normalized("NFC", clean)
    assert not clean or any(
        unicodedata.category(c)[0] in "LNPSC" for c in clean.replace("\u200d", "")
    )
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
def test_long_text_is_cut_at_a_word_or_else_at_a_whole_character(
    text: str, limit: int, short: str
) -> None:
    assert capped(text, limit) == short


CLUSTERS = [
    "👩\u200d👩\u200d👧", "🇩🇪", "🇫🇷", "👍🏽", "❤\ufe0f\u200d🔥", "1\ufe0f\u20e3", "葛\U000e0100", "e\u0323\u0302", "ẹ", "가", "각\u0301", "한", "क्षि", "நி", "ก็", "ی\u200c", "a", "Z", "漢", " ",
]  # fmt: skip
"""What people see as one character each, however many Unicode makes of it."""


@settings(deadline=None)
@given(st.lists(st.sampled_from(CLUSTERS), max_size=60), st.integers(4, 60))
def test_no_character_is_cut_in_half(clusters: list[str], limit: int) -> None:
    short = capped("".join(clusters), limit)
    assert len(short) <= limit
    if len("".join(clusters)) > limit:
        beginnings = {"".join(clusters[:n]).rstrip() for n in range(len(clusters) + 1)}
        assert short.removesuffix("…") in beginnings
        assert short.endswith("…") or not short


@pytest.mark.parametrize("one", ["a" + "\u0301" * 90, "👩" + "\u200d👩" * 40, "ᄀ" * 90])
def test_of_one_character_that_never_ends_nothing_is_left(one: str) -> None:
    assert capped(one, 20) == ""


@settings(deadline=None)
@given(st.text(), st.integers(1, 40))
def test_capped_text_fits(text: str, limit: int) -> None:
    assert len(capped(text, limit)) <= limit
