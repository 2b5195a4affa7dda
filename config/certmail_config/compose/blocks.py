"""The named blocks of a letter: what a customer may say in other words.

Whoever has words of their own gives a function from a letter's content to the blocks that are to be
replaced; all else of the mail stays certmail's.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from certmail_config.compose.content import Content
from certmail_config.compose.language import clean
from certmail_config.compose.language.catalogue import catalogue
from certmail_config.compose.language.phrases import OwnPhrase
from certmail_config.compose.letter import ComposeError
from certmail_config.compose.look import Look

BLOCKS: Final = ("subject", "preheader", "headline", "ask", "button", "footer")
"""`ask` and `footer` may have several lines: paragraphs of the one, sentences of the other."""
OwnBlocks = Callable[[Content], Mapping[str, str]]
"""What a customer says in other words in a letter that would say this."""


def with_blocks(content: Content, texts: Mapping[str, str]) -> Content:
    """The content with these blocks in place of its own; texts are plain, and cleaned here.

    Raises ComposeError for a block that there is not, or that nobody would see.
    """
    changes: dict[str, Any] = {}

    for name, text in texts.items():
        if name not in BLOCKS:
            raise ComposeError(f"There is no block {name[:40]!r}; there are {', '.join(BLOCKS)}.")
        lines = [line for each in text.splitlines() if (line := clean.line(each, marked=True))]
        if not lines:
            raise ComposeError(f"The customer's own {name} says nothing.")
        changes |= _changes(content, name, lines)

    return replace(content, **changes)


def branded(content: Content, brand: Look) -> Content:
    """The content in this look."""
    own = catalogue(content.lang).plain
    lines = [line for each in brand.footer if (line := clean.line(each))]
    if (logo := brand.logo) is not None:
        brand = brand._replace(logo=logo._replace(alt=clean.line(logo.alt)))
    return replace(
        content,
        brand=brand,
        organisation=own(clean.line(brand.name)) if brand.name else content.organisation,
        footer=(*content.footer, *map(own, lines)),
    )


def _changes(content: Content, name: str, lines: list[str]) -> dict[str, Any]:
    if name in {"subject", "preheader"}:
        return {name: " ".join(lines)}

    own = catalogue(content.lang).sentence
    if name == "ask":
        first, *others = map(own, lines)
        return {"ask": first, "paragraphs": tuple(others)}
    if name == "footer":
        return {"footer": tuple(map(own, lines))}

    phrase = own(" ".join(lines))
    if name == "button" and content.link:
        return {"button": phrase, "link_sentence": _labelled(content, phrase)}
    if name == "headline":
        return {name: phrase, "phrased": False}
    return {name: phrase}


def _labelled(content: Content, button: OwnPhrase) -> OwnPhrase | None:
    """The text part's line of the link, with another label."""
    before = content.link_sentence
    if before is None:
        return None
    values = {**dict(before.values), "label": str(button)}
    return OwnPhrase(before.pattern, tuple(values.items()))
