"""How a preview is looked at: which sample, in which language, what of the mail, on which page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from certmail_config.compose.samples import SampleSize
from certmail_config.jobs.languages import LANGUAGES, speaks
from certmail_config.templates.blocks import KINDS

LOCALES: Final = tuple(sorted((*LANGUAGES, "de-CH", "fr-CA", "pt-BR", "pt-PT", "zh-Hans")))
"""Languages to look at a mail in; there may be others."""
_LONGEST: Final = 35


@dataclass(frozen=True, slots=True)
class PreviewView:
    """See the module; `width` is the window's, in pixels."""

    kind: str
    locale: str
    sample: str = SampleSize.RICH.value
    theme: str = "light"
    show: str = "mail"
    width: str = "600"


_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "sample": tuple(SampleSize),
    "theme": ("light", "dark"),
    "show": ("mail", "text", "source"),
    "width": ("600", "360"),
}


def view_of(given: Mapping[str, Any], kind: str, locale: str) -> PreviewView:
    """The view that a form or query asks for; what it does not say, or nobody knows, is as usual.

    An empty `kind` leaves it to them.
    """
    chosen = {
        name: str(given[name]) if given.get(name) in values else values[0]
        for name, values in _CHOICES.items()
        if name != "sample"
    }
    sample = given.get("sample")
    asked = given.get("mail_locale")
    wanted = (
        asked if isinstance(asked, str) and len(asked) <= _LONGEST and speaks(asked) else locale
    )
    kinds = given.get("mail_kind")

    return PreviewView(
        kind or (str(kinds) if kinds in KINDS else "reminder"),
        wanted,
        str(sample) if sample in _CHOICES["sample"] else SampleSize.RICH.value,
        **chosen,
    )
