"""certmail's own words by block: what a tenant's words stand in for, and the version of each.

A block's words are all texts of the catalogue that it is made of. Its version is their hash, so that
it changes when, and only when, they do.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from certmail_config.jobs.languages import language_of
from certmail_config.templates.blocks import BLOCKS, Block

CATALOGUES: Final = files(__package__) / "catalogues"
_SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {"overdue": ("overdue", "late")}
"""The groups of texts that a kind is made of, where that is not the one of its name."""
_SHARED: Final[Mapping[Block, tuple[str, ...]]] = {
    Block.SUBJECT: ("subject.",),
    Block.PREHEADER: ("progress.", "due."),
    Block.FOOTER: ("footer.",),
}
"""The beginnings of keys that are part of a block in each kind."""


@dataclass(frozen=True, slots=True)
class OwnWords:
    """certmail's words for a block: one line for each text, with its key."""

    lines: tuple[str, ...]

    @property
    def version(self) -> str:
        """Twelve digits that are others once a word is another."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()[:12]


@cache
def own_words(locale: str, kind: str, block: Block) -> OwnWords:
    """What certmail writes there itself."""
    texts = _texts(locale)
    sections = _SECTIONS.get(kind, (kind,))
    shared = _SHARED.get(block, ())
    return OwnWords(
        tuple(
            f"{key} = {text}"
            for key, text in texts.items()
            if _belongs(key, block, sections) or key.startswith(shared)
        )
    )


def own_versions(locale: str) -> Mapping[tuple[str, Block], str]:
    """The versions of all blocks in one locale."""
    return {
        (kind, block): own_words(locale, kind, block).version
        for kind, blocks in BLOCKS.items()
        for block in blocks
    }


def _belongs(key: str, block: Block, sections: tuple[str, ...]) -> bool:
    section, _, name = key.partition(".")
    return section in sections and (name.partition(".")[0]).partition("_")[0] == block


@cache
def _texts(locale: str) -> dict[str, str]:
    """The texts of a locale by their keys, plural forms one by one."""
    found = _file(language_of(locale))
    country = locale.replace("_", "-")
    return found | (_file(country) if "-" in country and _exists(country) else {})


def _exists(name: str) -> bool:
    return any(each.name == f"{name}.toml" for each in CATALOGUES.iterdir())


@cache
def _file(name: str) -> dict[str, str]:
    return dict(_flat(tomllib.loads((CATALOGUES / f"{name}.toml").read_text("utf-8")), ""))


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, str):
            yield prefix + key, value
        else:
            yield from _flat(value, f"{prefix}{key}.")
