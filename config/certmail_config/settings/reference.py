"""The settings reference, made from the settings themselves.

`python -m certmail_config.settings.reference` writes it.
"""

from __future__ import annotations

import sys

from pydantic_core import PydanticUndefined

from certmail_config.base.foreign_variables import LEFT, TAKEN_OUT
from certmail_config.settings import PREFIX, Settings


def reference() -> str:
    """The reference as Markdown."""
    lines = [
        "# Settings",
        "",
        "All from the environment. Made by `python -m certmail_config.settings.reference`; a test keeps it true.",
        "",
        "| setting | default | meaning |",
        "| --- | --- | --- |",
    ]

    lines += [
        f"| `{PREFIX}{name.upper()}` | {_default(name)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    lines += [
        "",
        "## Other variables",
        "",
        (
            "Libraries that certmail is made of read variables of their own, which other applications set for themselves. Certmail's processes "
            "take out of their environment what would lead them elsewhere (`doctor` and the log name it); an upstream application that imports "
            "certmail keeps its environment, and is not led astray by it either."
        ),
        "",
        "| variables | read by | taken out, because |",
        "| --- | --- | --- |",
        *(f"| {each.shown} | {each.reader} | {each.why} |" for each in TAKEN_OUT),
        "",
        "| variables | read by | left |",
        "| --- | --- | --- |",
        *(f"| {each.shown} | {each.reader} | {each.why} |" for each in LEFT),
    ]

    return "\n".join(lines) + "\n"


def _default(name: str) -> str:
    if name == "data_dir":
        return "`$XDG_DATA_HOME/certmail`, or `~/.local/share/certmail`"
    value = Settings.model_fields[name].default
    if value is None or value in {(), PydanticUndefined}:
        return "unset"
    return f"`{value}`"


if __name__ == "__main__":
    sys.stdout.write(reference())
