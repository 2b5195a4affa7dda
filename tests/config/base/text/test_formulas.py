"""Cells that no spreadsheet calculates."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from certmail_config.base.text.formulas import as_meant, harmless


@given(st.text(alphabet="'=+-@\t\r\n\uff1d\uff0b\uff0d\uff20a1", max_size=6))
@example("=1+1")
@example("'=1")
@example("\uff1dcmd()")
def test_what_an_export_keeps_from_calculating_is_read_as_it_was(text: str) -> None:
    assert not harmless(text).startswith(tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"))
    assert as_meant(harmless(text)) == text


def test_other_apostrophes_stay() -> None:
    for text in ("'t Hooft", "O'Neill", "'"):
        assert as_meant(text) == text == harmless(text)
