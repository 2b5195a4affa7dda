"""The settings reference, made from the settings themselves.

`python -m certmail_config.settings.reference` writes it.
"""

from __future__ import annotations

import sys

from pydantic_core import PydanticUndefined

from certmail_config.base.foreign_variables import LEFT, TAKEN_OUT
from certmail_config.settings import FROM_FILES, PREFIX, Settings, file_variable


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
    files = ", ".join(f"`{file_variable(name)}`" for name in FROM_FILES)
    lines += [
        "",
        "## Secrets from files",
        "",
        (
            f"{files} each name a file that holds the setting, instead of the variable without `_FILE`: so secrets of systemd, Compose and "
            "Kubernetes are read from where those put them, and stand in no environment. It is read once, when a process starts; blanks "
            "around it do not count, and both variables together are refused."
        ),
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
