"""Making other people's words fit to be stored, logged and shown."""

from __future__ import annotations

import re
from typing import Final

_ADDRESS = re.compile(r"[^\s@<>\"',;:()]+@[^\s@<>\"',;:()]+\.[^\s@<>\"',;:().]+")
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
"""Control characters and lone surrogates: PostgreSQL takes no NUL, UTF-8 no surrogate."""


_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What a terminal acts upon instead of showing it.

These are escape sequences, and marks that turn the order of a line round.
"""
_SECRETS = re.compile(
    r"""
      (?P<key>cm_[a-z2-7]{8}_)[A-Za-z0-9_-]+                                # our API keys
    | (?P<header>\b[Aa]uthorization["']?\s*[:=]\s*["']?)[^\r\n"']+            # what requests are allowed by
    | (?P<named>\b(?:[Bb]earer|Basic)\s+)[^\s"',]+
    | (?P<url>\b[a-z][a-z0-9+.-]{1,15}://[^\s/:@"']*:)[^\s/@"']+(?=@)       # passwords in addresses of servers
    | (?P<cookie>certmail-[a-z-]+=)[^\s;"',]+
    | (?P<field>\b(?:code|state|access_token|refresh_token|id_token|client_secret|assertion|token|password|csrf)=)[^\s&;"',]{12,}
    | (?P<quoted>["'](?:access_token|refresh_token|id_token|client_secret|assertion|token|password|private_key|api_key)["']\s*:\s*["'])[^"']{8,}
    | \b[a-z0-9][a-z0-9-]{0,62}\.[A-Za-z0-9_-]{32}(?![A-Za-z0-9_-])(?:\.[A-Za-z0-9_-]{43})?   # set-up links
    | \bya29\.[\w.-]+ | \b1//[\w-]{10,} | \b4/[\w-]{20,} | \bGOCSPX-[\w-]+   # Google's tokens, codes, client secrets
    | \beyJ[\w-]{10,}\.[\w-]+\.[\w-]*                                      # signed assertions
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----.*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
_MARKS: Final = frozenset("_.=/: ")
_DASHED: Final = ("GOCSPX-", "-----BEGIN")
"""Each secret has a mark, or begins with one of these; ids, which are in every line, do not."""
_SIGNS: Final = (
    "@", "=", "cm_", "uthorization", "earer", "asic", "token", "secret", "assertion", "password",
    "private_key", "api_key", "ya29.", "1//", "4/", "GOCSPX-", "eyJ", "-----BEGIN",
)  # fmt: skip
"""Without one of these, or `_LONG`, nothing is a secret or an address."""
_LONG: Final = re.compile(r"\.[A-Za-z0-9_-]{32}")
_SHORT: Final = 8_000
_LINE: Final = 2_000
"""Finding addresses takes as long as a line's length squared."""


def visible(text: str, *, one_line: bool = False) -> str:
    r"""The text as it may be put before a person.

    What a terminal would act upon is written out: `\x1b` or `\u202e`.
    """
    shown = _UNSEEN.sub(lambda found: _written(found[0]), text)
    return re.sub(r"[\t\n]", lambda found: _written(found[0]), shown) if one_line else shown


def _written(character: str) -> str:
    return f"\\x{ord(character):02x}" if ord(character) < 0x100 else f"\\u{ord(character):04x}"


def hide_secrets(text: str) -> str:
    """The text without what has the form of a secret of ours or of Google's."""
    if len(text) < 12 or (
        _MARKS.isdisjoint(text) and not any(begins in text for begins in _DASHED)
    ):
        return text
    return _SECRETS.sub(
        lambda found: f"{found[found.lastgroup] if found.lastgroup else ''}(secret)", text
    )


def unsuspicious(text: str) -> bool:
    """Whether `scrub_lines` would leave a text as it is, as JSON too; found out in no time.

    Most log lines are, and need not be looked through.
    """
    for sign in _SIGNS:
        if sign in text:
            return False
    return len(text) < _SHORT and _LONG.search(text) is None


def scrub(text: str) -> str:
    """The text without secrets, and with every address replaced."""
    return _ADDRESS.sub("(address)", hide_secrets(text))


def scrub_lines(text: str, max_length: int = 60_000) -> str:
    """Scrub a text of any length, such as a traceback: what is far too long is cut."""
    hidden = hide_secrets(text[:max_length])
    if "@" not in hidden:
        return hidden
    lines = (line if len(line) <= _LINE else line[:_LINE] + "…" for line in hidden.split("\n"))
    return "\n".join(_ADDRESS.sub("(address)", line) for line in lines)


def quote(text: str, max_length: int = 500) -> str:
    """The beginning of somebody's words, on one line and without addresses.

    It has at most `max_length` characters, of those that any store takes.
    """
    start = text[
        : 4 * max_length
    ]  # finding addresses in a megabyte without spaces would take hours
    if len(start) < len(text):
        start = start.rpartition(" ")[0] or start  # half an address would not be recognised
    return scrub(_UNFIT.sub(" ", start)).strip()[:max_length]
