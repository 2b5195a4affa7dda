"""A letter's outline: which parts it has, and a content that has just these, with gaps for words.

All that the templates decide, they decide by an outline: what they make of one outline is the same
for each letter that has it, but for the words in the gaps.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import NamedTuple, cast

from markupsafe import Markup

from certmail_worker.compose.content import Content
from certmail_worker.compose.facts import DecisionProgress, Due
from certmail_worker.compose.language.phrases import Pattern, Phrase
from certmail_worker.compose.links import WebLink
from certmail_worker.compose.wire.frames import gap


class Outline(NamedTuple):
    """Which parts there are."""

    tone: str
    progress: bool
    share: bool
    """Whether the progress says how much is done."""
    due: bool
    zone: bool
    link: bool
    footer: int
    """So many sentences."""


def outline_of(content: Content) -> Outline:
    """The outline of this content."""
    progress, due = content.progress, content.due
    return Outline(
        content.tone,
        progress is not None,
        progress is not None and progress.done is not None,
        due is not None,
        due is not None and due.zone is not None,
        content.link is not None,
        len(content.footer),
    )


def gapped(outline: Outline) -> Content:
    """A content with these parts, each of whose values is a gap of its own name."""
    return Content(
        lang=gap("lang"),
        direction=gap("direction"),
        tone=outline.tone,
        subject=gap("subject"),
        preheader=gap("preheader"),
        organisation=_phrase("organisation"),
        label=_phrase("label"),
        headline=_phrase("headline"),
        greeting=_phrase("greeting"),
        ask=_phrase("ask"),
        progress=_progress(outline) if outline.progress else None,
        due=_due(outline) if outline.due else None,
        button=_phrase("button"),
        link=_link() if outline.link else None,
        shown_path=gap("shown_path"),
        link_sentence=_phrase("link_sentence") if outline.link else None,
        address_note=_phrase("address_note"),
        no_link=_phrase("no_link"),
        footer=tuple(_phrase(f"footer.{place}") for place in range(outline.footer)),
    )


def reader(name: str) -> Callable[[Content], object]:
    """Reads from a content what belongs into the gap of this name."""
    if name.startswith("footer."):
        place = int(name.removeprefix("footer."))
        return lambda content: content.footer[place]
    return attrgetter(name)


def _progress(outline: Outline) -> DecisionProgress:
    return DecisionProgress(
        sentence=_phrase("progress.sentence"),
        # Where it is known it is not 0: a template may ask whether there is one.
        percent=cast("int", gap("progress.percent")) if outline.share else None,
        done=_phrase("progress.done") if outline.share else None,
        line=_phrase("progress.line"),
    )


def _due(outline: Outline) -> Due:
    return Due(
        label=_phrase("due.label"),
        moment=_phrase("due.moment"),
        zone=_phrase("due.zone") if outline.zone else None,
        sentence=_phrase("due.sentence"),
        relative=_phrase("due.relative"),
        line=_phrase("due.line"),
    )


def _link() -> WebLink:
    return WebLink(gap("link.before"), gap("link.host"), gap("link.after"))


def _phrase(name: str) -> Phrase:
    return Phrase(Pattern(gap(name), Markup(gap(name))), ())  # noqa: S704 - no words at all
