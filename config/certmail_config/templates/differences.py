"""A tenant's words beside certmail's own: which of them were written for texts that have changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff

from certmail_config.templates.base import own_words
from certmail_config.templates.blocks import BLOCKS, Block
from certmail_config.templates.documents import BlockText, Document

Kept = Mapping[str, Sequence[str]]
"""certmail's own words when a document was published, by the place of what stands in for them."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A tenant's words for a block, and certmail's: those of today, and those they were made on."""

    place: str
    theirs: str
    made_on: str
    now: str
    ours: tuple[str, ...]
    ours_then: tuple[str, ...] | None
    """None where nobody kept them."""

    @property
    def changed(self) -> bool:
        """Whether certmail's words are others than those that the tenant's were made on."""
        return self.made_on != self.now

    def what_changed(self) -> list[str]:
        """Certmail's own words, then and now, as lines of a diff; none where nothing changed."""
        if self.ours_then is None or not self.changed:
            return []
        lines = unified_diff(self.ours_then, self.ours, self.made_on, self.now, lineterm="", n=0)
        return [line for line in lines if not line.startswith("@@")]


def differences(document: Document, kept: Kept) -> Iterator[Difference]:
    """Each of a tenant's words, beside certmail's."""
    for each in document.overrides():
        if each.kind not in BLOCKS or each.block not in BLOCKS[each.kind]:
            continue
        ours = own_words(each.locale, each.kind, Block(each.block))
        then = kept.get(each.place)
        yield Difference(
            each.place,
            each.text,
            each.base,
            ours.version,
            ours.lines,
            None if then is None else tuple(then),
        )


def based(document: Document) -> Document:
    """The document, with the version of today where its words name none."""
    texts = {
        locale: {
            kind: {
                block: words
                if words.base
                else BlockText(text=words.text, base=own_words(locale, kind, Block(block)).version)
                for block, words in blocks.items()
            }
            for kind, blocks in kinds.items()
        }
        for locale, kinds in document.texts.items()
    }
    return document.model_copy(update={"texts": texts})


def to_keep(document: Document, before: Document, kept: Kept) -> dict[str, tuple[str, ...]]:
    """Certmail's own words to keep beside a document that is published.

    Those of today where its words are made on today's, else those kept before.
    """
    found: dict[str, tuple[str, ...]] = {}
    earlier = {each.place: each.base for each in before.overrides()}
    for each in differences(document, kept):
        if not each.changed:
            found[each.place] = each.ours
        elif each.ours_then is not None and earlier.get(each.place) == each.made_on:
            found[each.place] = each.ours_then
    return found
