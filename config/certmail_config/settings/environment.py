"""The environment, as far as settings are concerned.

Nothing below an entry point reads it otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from certmail_config.base.errors import SettingsError
from certmail_config.settings.forms import misspelt
from certmail_config.settings.section import PREFIX


def read_environment(known: Iterable[str]) -> dict[str, str]:
    """What is set of these settings; what is blank counts as not set."""
    given = {name: os.environ.get(PREFIX + name.upper(), "").strip() for name in known}
    return {name: value for name, value in given.items() if value}


def check_names(known: Iterable[str]) -> None:
    """Raises SettingsError where a variable's name is like a setting's, but none."""
    alike, _ = _misspelt(known)
    if alike:
        meant = (
            f"{PREFIX}{name} is unknown: did you mean {PREFIX}{each}?"
            for name, each in alike.items()
        )
        raise SettingsError(
            "invalid_settings", " ".join(meant), "Correct the name, or take it out, and run again."
        )


def names_of_others(known: Iterable[str]) -> tuple[str, ...]:
    """The variables with our prefix that are no settings, nor like one.

    They belong to another version, or to somebody else.
    """
    return tuple(f"{PREFIX}{name}" for name in _misspelt(known)[1])


def proxies_of_others() -> tuple[str, ...]:
    """The variables that name a proxy for whoever goes by them, which certmail does not."""
    names = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
    return tuple(name for name in names if os.environ.get(name))


def _misspelt(known: Iterable[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    names = [name.removeprefix(PREFIX) for name in os.environ if name.startswith(PREFIX)]
    return misspelt(names, [name.upper() for name in known])
