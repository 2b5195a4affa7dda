"""A tenant's own words and look, as a worker composes with them.

What comes from a store is read and checked here as it was when it was published: whoever altered it
since can do no more than publish. Each block is read when a mail first needs it. What cannot be used
is noted, and certmail's own words stand there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from certmail_config.compose.content import Content
from certmail_config.compose.language.catalogue import Catalogue, catalogue
from certmail_config.compose.language.phrases import Alone
from certmail_config.compose.letter import Letter
from certmail_config.compose.look import PLAIN, Look, Picture
from certmail_config.compose.own.known import Known
from certmail_config.compose.own.plan import BlockPlan
from certmail_config.templates.blocks import BLOCKS, Block
from certmail_config.templates.checks import check
from certmail_config.templates.colours import palette
from certmail_config.templates.documents import Brand, Document, read_json
from certmail_config.templates.findings import TemplatesRefused, faults_of
from certmail_config.templates.language import OutOfBounds, TemplateRefused

EVERYTHING: Final = "templates"
"""The place of what concerns all of them."""
BRAND: Final = "brand"
LOCALE: Final = "locale"
_BY_DUE_DATE: Final = frozenset({"notice", "reminder", "final"})


@dataclass(slots=True)
class TenantWords:
    """What one version of a tenant's templates says.

    `failed` is what turned out not to be usable, by its place, and why; whoever composes with it
    records that.
    """

    version: int
    locale: str | None
    brand: Look
    sources: Mapping[tuple[str, str], Mapping[Block, str]]
    """By locale, in lower case, and kind."""
    off: set[str]
    size: int
    failed: dict[str, str] = field(default_factory=dict)
    _plans: dict[tuple[str, str], tuple[BlockPlan, ...]] = field(default_factory=dict)
    """By locale and kind, as the sources are."""

    @property
    def used(self) -> bool:
        """Whether there is anything of it to compose with."""
        return EVERYTHING not in self.off and bool(
            self.sources or self.locale or self.brand is not PLAIN
        )

    def blocks(self, letter: Letter, content: Content) -> dict[str, Sequence[Alone]]:
        """What stands in the blocks of this letter, which would have this content."""
        if EVERYTHING in self.off:
            return {}

        words, known = catalogue(content.lang), Known(letter, content)
        found: dict[str, Sequence[Alone]] = {}
        for plan in self._plans_for(content.lang, _spoken(letter.kind, content.tone)):
            if lines := self._lines(plan, words, known):
                found[plan.name] = lines
        return found

    def fails(self, place: str, why: str) -> None:
        """Leave that out from now on."""
        self.off.add(place)
        self.failed.setdefault(place, why)

    def _texts(self, lang: str, kind: str) -> tuple[str, Mapping[Block, str]]:
        """The words for that language: exactly it, else what is left when its end is cut off."""
        parts = lang.lower().split("-")
        while parts:
            locale = "-".join(parts)
            if texts := self.sources.get((locale, kind)):
                return locale, texts
            parts.pop()
        return "", {}

    def _plans_for(self, lang: str, kind: str) -> tuple[BlockPlan, ...]:
        """The blocks for mails in that language and of that kind, read when one first needs them."""
        locale, texts = self._texts(lang, kind)
        plans = self._plans.get((locale, kind))
        if plans is None:
            read = (self._read(f"{locale}/{kind}/{block}", block, texts[block]) for block in texts)
            plans = self._plans[locale, kind] = tuple(filter(None, read))
        return plans

    def _read(self, place: str, block: Block, source: str) -> BlockPlan | None:
        """A block; None where it was put aside, or cannot be read."""
        if place in self.off:
            return None
        try:
            return BlockPlan.of(block, place, source)
        except TemplateRefused as refused:
            self.fails(place, str(refused.faults[0]))
            return None

    def _lines(self, plan: BlockPlan, words: Catalogue, known: Known) -> Sequence[Alone]:
        """What a block says; nothing where it says nothing that is seen, or fails."""
        if plan.place in self.off:
            return ()
        try:
            return plan.lines(words, known)
        except OutOfBounds as error:
            self.fails(plan.place, str(error))
            return ()


def read_words(
    version: int, document: bytes, off: Collection[str], logo_hosts: Collection[str]
) -> TenantWords:
    """What a store holds of a tenant, checked; never raises for what somebody wrote there."""
    try:
        read = read_json(document)
    except TemplatesRefused as refused:
        nothing = TenantWords(version, None, PLAIN, {}, {*off}, len(document))
        nothing.fails(EVERYTHING, str(refused.findings[0]))
        return nothing

    found = TenantWords(version, read.locale, PLAIN, _sources(read), {*off}, len(document))
    for each in faults_of(check(Document(locale=read.locale, brand=read.brand), logo_hosts)):
        found.fails(LOCALE if each.place == LOCALE else BRAND, str(each))

    # A logo that is no longer allowed must not turn all mails into another language.
    if LOCALE in found.off:
        found.locale = None
    if BRAND not in found.off:
        found.brand = _brand(read.brand)
    return found


def _spoken(kind: str, tone: str) -> str:
    """The kind whose words hold: after the due date those of `overdue`, before it never those."""
    if kind == "overdue":
        return kind if tone == "late" else "reminder"
    return "overdue" if kind in _BY_DUE_DATE and tone == "late" else kind


def _sources(document: Document) -> dict[tuple[str, str], dict[Block, str]]:
    found: dict[tuple[str, str], dict[Block, str]] = {}
    for each in document.overrides():
        if each.kind in BLOCKS and each.block in BLOCKS[each.kind]:
            texts = found.setdefault((each.locale.lower(), each.kind), {})
            texts[Block(each.block)] = each.text
    return found


def _brand(brand: Brand) -> Look:
    colours = palette(brand.colour) if brand.colour else None
    made = Look(
        name=brand.name or None,
        display_name=brand.sender or None,
        colour=colours.light if colours else None,
        colour_in_the_dark=colours.dark if colours else None,
        logo=Picture(brand.logo.url, brand.logo.alt) if brand.logo else None,
        footer=brand.footer,
        calendar=brand.calendar,
    )
    return PLAIN if made == PLAIN else made
