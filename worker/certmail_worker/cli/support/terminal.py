"""What Rich prints; imported only where something is printed that needs it."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from certmail_config.base.redaction import visible


class Terminal(Console):
    """A console that writes out what a terminal would act upon.

    In whatever words it is given: names are other people's.
    """

    def render_str(self, text: str, **given: Any) -> Text:
        """As Rich's, which every text that is printed comes through."""
        return super().render_str(visible(text), **given)


__all__ = ["Table", "Terminal", "escape"]
