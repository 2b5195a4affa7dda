"""A letter's outline: which parts it has, and a content that has just these, with gaps for words.

All that the templates decide, they decide by an outline: what they make of one outline is the same
for each letter that has it, but for the words in the gaps.
"""

import re
from collections.abc import Callable, Sequence
from functools import reduce
from operator import attrgetter, itemgetter
from typing import Any, Final, NamedTuple, cast

from certmail_config.compose.content import Content
from certmail_config.compose.facts import DecisionProgress, Due
from certmail_config.compose.language.phrases import Pattern, Phrase
from certmail_config.compose.links import WebLink
from certmail_config.compose.listing import CampaignPart, Digest, ItemRow, Table
from certmail_config.compose.look import Look, Picture
from certmail_config.compose.wire.frames import gap

_PLACE: Final = re.compile(r"\.(\d+)\.?")


class _Table(NamedTuple):
    details: tuple[bool, ...]
    """For each row, whether it has them."""
    more: bool


class _PartOutline(NamedTuple):
    progress: bool
    due: bool
    link: bool
    tone: str


class _Digest(NamedTuple):
    parts: tuple[_PartOutline, ...]
    more: bool


class Outline(NamedTuple):
    """Which parts there are."""

    tone: str
    direction: str
    progress: bool
    share: bool
    """Whether the progress says how much is done."""
    due: bool
    zone: bool
    link: bool
    footer: int
    """So many sentences."""
    no_link: bool
    phrased: bool
    paragraphs: int
    reminded: bool
    table: _Table | None
    digest: _Digest | None
    coloured: bool
    in_the_dark: bool
    logo: bool


def outline_of(content: Content) -> Outline:
    """The outline of this content."""
    progress, due = content.progress, content.due
    return Outline(
        content.tone,
        content.direction,
        progress is not None,
        progress is not None and progress.done is not None,
        due is not None,
        due is not None and due.zone is not None,
        content.link is not None,
        len(content.footer),
        content.no_link is not None,
        content.phrased,
        len(content.paragraphs),
        content.reminded is not None,
        _outlined_table(content.table) if content.table else None,
        _outlined_digest(content.digest) if content.digest else None,
        content.brand.colour is not None,
        content.brand.colour_in_the_dark is not None,
        content.brand.logo is not None,
    )


def _outlined_table(table: Table) -> _Table:
    return _Table(tuple(row.detail is not None for row in table.rows), table.more is not None)


def _outlined_digest(digest: Digest) -> _Digest:
    parts = (
        _PartOutline(
            part.progress is not None, part.due is not None, part.link is not None, part.tone
        )
        for part in digest.parts
    )
    return _Digest(tuple(parts), digest.more is not None)


def gapped(outline: Outline) -> Content:
    """A content with these parts, each of whose values is a gap of its own name."""
    return Content(
        lang=gap("lang"),
        direction=outline.direction,
        tone=outline.tone,
        subject=gap("subject"),
        preheader=gap("preheader"),
        organisation=_phrase("organisation"),
        label=_phrase("label"),
        headline=_phrase("headline"),
        greeting=_phrase("greeting"),
        ask=_phrase("ask"),
        paragraphs=_phrases("paragraphs", outline.paragraphs),
        progress=_progress(outline) if outline.progress else None,
        due=_due("due", zone=outline.zone) if outline.due else None,
        reminded=_phrase("reminded") if outline.reminded else None,
        table=_table(outline.table) if outline.table else None,
        digest=_digest(outline.digest) if outline.digest else None,
        button=_phrase("button"),
        link=_link("link") if outline.link else None,
        shown_path=gap("shown_path"),
        link_sentence=_phrase("link_sentence") if outline.link else None,
        address_note=_phrase("address_note"),
        no_link=_phrase("no_link") if outline.no_link else None,
        footer=_phrases("footer", outline.footer),
        phrased=outline.phrased,
        brand=_brand(outline),
    )


def reader(names: Sequence[str]) -> Callable[[Content], Sequence[object]]:
    """Reads from a content what belongs into the gaps of these names, in their order.

    They are those of a page: two of them at least are no part of a list.
    """
    alone = [name for name in names if not _PLACE.search(name)]
    listed = [name for name in names if _PLACE.search(name)]
    read, reads = attrgetter(*alone), [_listed(name) for name in listed]
    in_order = itemgetter(*map([*alone, *listed].index, names))

    def values(content: Content) -> Sequence[object]:
        found: Sequence[object] = in_order([*read(content), *[each(content) for each in reads]])
        return found

    return values


def _listed(name: str) -> Callable[[Content], object]:
    steps = _PLACE.split(name)
    if steps[2:] == [""]:
        read, place = attrgetter(steps[0]), int(steps[1])
        return lambda content: read(content)[place]

    # "table.rows.3.what" is an attribute's, a place's and an attribute's turn.
    getters: list[Callable[[Any], Any]] = [
        itemgetter(int(step)) if step.isdigit() else attrgetter(step) for step in steps if step
    ]
    return lambda content: reduce(lambda value, read: read(value), getters, content)


def _progress(outline: Outline) -> DecisionProgress:
    return DecisionProgress(
        sentence=_phrase("progress.sentence"),
        said=gap("progress.said"),
        # Where it is known it is not 0: a template may ask whether there is one.
        percent=cast("int", gap("progress.percent")) if outline.share else None,
        done=_phrase("progress.done") if outline.share else None,
        line=_phrase("progress.line"),
    )


def _due(name: str, *, zone: bool) -> Due:
    return Due(
        label=_phrase(f"{name}.label"),
        moment=_phrase(f"{name}.moment"),
        zone=_phrase(f"{name}.zone") if zone else None,
        value=gap(f"{name}.value"),
        sentence=_phrase(f"{name}.sentence"),
        said=gap(f"{name}.said"),
        relative=_phrase(f"{name}.relative"),
        line=_phrase(f"{name}.line"),
    )


def _link(name: str) -> WebLink:
    return WebLink(gap(f"{name}.before"), gap(f"{name}.host"), gap(f"{name}.after"))


def _brand(outline: Outline) -> Look:
    logo = Picture(
        gap("brand.logo.url"), gap("brand.logo.alt"), cast("int", gap("brand.logo.height"))
    )
    return Look(
        colour=gap("brand.colour") if outline.coloured else None,
        colour_in_the_dark=gap("brand.colour_in_the_dark") if outline.in_the_dark else None,
        logo=logo if outline.logo else None,
    )


def _table(outline: _Table) -> Table:
    rows = (
        ItemRow(
            what=_phrase(f"table.rows.{place}.what"),
            detail=_phrase(f"table.rows.{place}.detail") if detail else None,
            line=_phrase(f"table.rows.{place}.line"),
        )
        for place, detail in enumerate(outline.details)
    )
    more = _phrase("table.more") if outline.more else None
    return Table(_phrase("table.heading"), tuple(rows), more)


def _digest(outline: _Digest) -> Digest:
    parts = tuple(_part(f"digest.parts.{place}", part) for place, part in enumerate(outline.parts))
    # Of what else it knows no template writes anything.
    return Digest(
        parts=parts,
        more=_phrase("digest.more") if outline.more else None,
        count=0,
        pending=0,
        late=0,
        soonest=None,
    )


def _part(name: str, outline: _PartOutline) -> CampaignPart:
    line = _phrase(f"{name}.progress.line")
    return CampaignPart(
        name=_phrase(f"{name}.name"),
        progress=DecisionProgress(line, "", None, None, line) if outline.progress else None,
        due=_due(f"{name}.due", zone=False) if outline.due else None,
        link=_link(f"{name}.link") if outline.link else None,
        link_sentence=_phrase(f"{name}.link_sentence") if outline.link else None,
        button=_phrase(f"{name}.button"),
        tone=outline.tone,
    )


def _phrases(name: str, count: int) -> tuple[Phrase, ...]:
    return tuple(_phrase(f"{name}.{place}") for place in range(count))


def _phrase(name: str) -> Phrase:
    return Phrase(Pattern(gap(name), gap(name)), ())
