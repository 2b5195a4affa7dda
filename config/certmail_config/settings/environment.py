"""The environment, as far as settings are concerned, and the files that it names for secrets.

Nothing below an entry point reads it otherwise.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from certmail_config.base.errors import SettingsError
from certmail_config.settings.forms import misspelt
from certmail_config.settings.section import PREFIX

FROM_FILES: Final = (
    "redis_url",
    "database_url",
    "vault_keys",
    "flower_basic_auth",
    "operator_password",
    "oauth_client_secret",
    "operator_oauth_client_secret",
    "google_proxy",
    "api_key",
)
"""The settings that hold secrets: each may be read from a file.

That is how systemd's credentials, and the secrets of Compose and Kubernetes, are handed over.
"""
_IN_LINES: Final = "vault_keys"
"""The one whose parts may have lines of their own."""
_MAX_BYTES: Final = 65_536
_CONTROL: Final = re.compile(r"(?!\r\n)[\x00-\x08\x0b-\x1f\x7f]")


def file_variable(name: str) -> str:
    """The variable that names the file of a setting."""
    return f"{PREFIX}{name.upper()}_FILE"


def read_environment(known: Iterable[str]) -> dict[str, str]:
    """What is set of these settings, itself or in a file; what is blank counts as not set.

    Raises SettingsError for a file that gives nothing.
    """
    given = {name: _read(name) for name in known}
    return {name: value for name, value in given.items() if value}


def _read(name: str) -> str:
    variable = PREFIX + name.upper()
    value = os.environ.get(variable, "").strip()
    path = os.environ.get(file_variable(name), "").strip() if name in FROM_FILES else ""
    if not path:
        return value

    if value:
        raise SettingsError(
            "invalid_settings",
            f"{variable} and {file_variable(name)} are both set.",
            "Take one of them out, and run again.",
        )
    return _content(Path(path), file_variable(name))


def _content(path: Path, variable: str) -> str:
    """What a file holds, without the blanks around it; an error never repeats any of it."""
    remedy = "Correct the file or the variable, and run again."

    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
        text = content.decode("utf-8-sig").strip()  # Windows' editors mark text as such
    except OSError as error:
        message = f"{variable}: {path} cannot be read: {error.strerror}."
        raise SettingsError("invalid_settings", message, remedy) from None
    except UnicodeDecodeError:
        message = f"{variable}: {path} is not text."
        raise SettingsError("invalid_settings", message, remedy) from None

    if not text or len(content) > _MAX_BYTES:
        fault = "is too large" if text else "is empty"
        raise SettingsError("invalid_settings", f"{variable}: {path} {fault}.", remedy)
    if odd := _odd(text, several=variable == file_variable(_IN_LINES)):
        raise SettingsError("invalid_settings", f"{variable}: {path} {odd}.", remedy)
    return text


def _odd(text: str, *, several: bool) -> str | None:
    """What nobody could type, and so is a mistake: as a password it would let nobody in."""
    if _CONTROL.search(text):
        return "holds a character that cannot be typed"
    return "has more than one line" if "\n" in text and not several else None


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
    files = [file_variable(name).removeprefix(PREFIX) for name in FROM_FILES]
    return misspelt(names, [*(name.upper() for name in known), *files])
