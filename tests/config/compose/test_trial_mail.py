"""The trial letter, by which the fault of one letter is told from a fault of ours."""

from __future__ import annotations

import pytest

from certmail_config.compose.trial_mail import composes


@pytest.mark.parametrize("locale", [None, "en-Shaw", "de-CH", "ja", "xx", "", "-", "\ud800"])
def test_a_plain_letter_can_be_composed_in_any_language(locale: str | None) -> None:
    assert composes(locale)
