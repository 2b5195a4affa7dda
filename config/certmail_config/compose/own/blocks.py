"""The named blocks of a letter, and its look: what a customer may have otherwise.

Whoever has words of their own gives a function from a letter's content to the blocks that are to be
replaced; all else of the mail stays certmail's.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from certmail_config.compose.content import Content
from certmail_config.compose.language import clean
from certmail_config.compose.language.catalogue import Catalogue, catalogue
from certmail_config.compose.language.phrases import Alone, Phrase
from certmail_config.compose.letter import ComposeError
from certmail_config.compose.look import PLAIN, Look

BLOCKS: Final = ("subject", "preheader", "headline", "ask", "button", "footer")
"""`ask` and `footer` may have several lines: paragraphs of the one, sentences of the other."""
_SEVERAL_LINES: Final = frozenset({"ask", "footer"})
OwnBlocks = Callable[[Content], Mapping[str, Sequence[Alone]]]
"""What a customer says in other words in a letter that would say this: the `own_lines` of each block."""


def own_lines(words: Catalogue, texts: Iterable[str]) -> tuple[Alone, ...]:
    """Lines of a customer's, cleaned; without those of which nothing is seen."""
    return tuple(
        [words.sentence(line) for each in texts if (line := clean.line(each, marked=True))]
    )


def dressed(content: Content, blocks: Mapping[str, Sequence[Alone]], look: Look = PLAIN) -> Content:
    """The content with these blocks in place of its own, in this look.

    Raises ComposeError for a block that there is not, or that says nothing.
    """
    changes: dict[str, Any] = {}
    for name, lines in blocks.items():
        if name not in BLOCKS:
            raise ComposeError(f"There is no block {name[:40]!r}; there are {', '.join(BLOCKS)}.")
        if not lines:
            raise ComposeError(f"The customer's own {name} says nothing.")
        _put(changes, content, name, lines)

    if look is not PLAIN:
        worn = _worn(look, catalogue(content.lang))
        changes["brand"] = worn.look
        changes["footer"] = (*changes.get("footer", content.footer), *worn.footer)
        if worn.name:
            changes["organisation"] = worn.name[0]
    return content._replace(**changes) if changes else content


def _put(changes: dict[str, Any], content: Content, name: str, lines: Sequence[Alone]) -> None:
    first, *others = lines
    if others and name not in _SEVERAL_LINES:
        raise ComposeError(f"The customer's own {name} has more than one line.")

    match name:
        case "ask":
            changes["ask"], changes["paragraphs"] = first, tuple(others)
        case "footer":
            changes["footer"] = tuple(lines)
        case "subject" | "preheader":
            changes[name] = first.value
        case "headline":
            changes["headline"], changes["phrased"] = first, False
        case _:
            changes[name] = first
    if name == "button":
        changes["link_sentence"] = _labelled(content, first)


def _labelled(content: Content, button: Alone) -> Phrase | None:
    """The text part's line of the link, with another label."""
    before = content.link_sentence
    if before is None:
        return None
    values = {**dict(before.values), "label": str(button)}
    return Phrase(before.pattern, tuple(values.items()))


class _Worn(NamedTuple):
    """What a look says in a language."""

    look: Look
    name: tuple[Alone, ...]
    footer: tuple[Alone, ...]


@lru_cache(maxsize=2048)
def _worn(look: Look, words: Catalogue) -> _Worn:
    if (logo := look.logo) is not None:
        look = look._replace(logo=logo._replace(alt=clean.line(logo.alt)))
    name, *footer = [clean.line(each) for each in (look.name, *look.footer)]
    return _Worn(
        look,
        (words.plain(name),) if name else (),
        tuple([words.plain(line) for line in footer if line]),
    )
