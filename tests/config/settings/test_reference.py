"""The settings reference in the repository is the one that the code would write."""

from __future__ import annotations

from pathlib import Path

from certmail_config.settings import Settings
from certmail_config.settings.reference import reference

REFERENCE = Path(__file__).parents[3] / "docs" / "settings.md"


def test_the_reference_is_up_to_date() -> None:
    assert REFERENCE.read_text("utf-8") == reference()


def test_every_setting_says_what_it_means() -> None:
    assert all(field.description for field in Settings.model_fields.values())
