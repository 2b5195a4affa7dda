"""What a letter lists: open items in a short table, and the campaigns of a digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from typing import Final

from certmail_config.compose.facts import (
    DecisionProgress,
    Due,
    due_of,
    plausible,
    progress_of,
)
from certmail_config.compose.language import clean
from certmail_config.compose.language.catalogue import Catalogue
from certmail_config.compose.language.moments import LocalMoment, moment
from certmail_config.compose.language.phrases import Phrase
from certmail_config.compose.letter import Letter, PendingItem, Review
from certmail_config.compose.links import WebLink, link_of
from certmail_config.compose.voices import tone_of

MOST: Final = 10
"""So many rows are shown; the others are counted."""
_LONGEST: Final = 120


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item: what it is, whose access to what, and both in a line of text."""

    what: Phrase
    detail: Phrase | None
    line: Phrase


@dataclass(frozen=True, slots=True)
class Table:
    """The items that are shown, and how many there are besides."""

    heading: Phrase
    rows: tuple[ItemRow, ...]
    more: Phrase | None


@dataclass(frozen=True, slots=True)
class CampaignPart:
    """One campaign of a digest: the facts of a letter, in small."""

    name: Phrase
    progress: DecisionProgress | None
    due: Due | None
    link: WebLink | None
    link_sentence: Phrase | None
    button: Phrase
    tone: str


@dataclass(frozen=True, slots=True)
class Digest:
    """The campaigns that are shown, soonest first, and how many there are besides."""

    parts: tuple[CampaignPart, ...]
    more: Phrase | None
    count: int
    pending: int
    """Open decisions of all of them; 0 where one does not say."""
    late: int
    """So many are overdue."""
    soonest: LocalMoment | None


def table_of(words: Catalogue, items: Sequence[PendingItem], pending: int | None) -> Table | None:
    """The table of these items; `pending` is how many there are in all, where it is known."""
    rows = tuple(row for each in items[:MOST] if (row := _row(words, each)))
    if not rows:
        return None

    others = max(plausible(pending) or 0, len(items)) - len(rows)
    more = words.count("items.more", others) if others > 0 else None
    return Table(words.say("items.heading"), rows, more)


def _row(words: Catalogue, item: PendingItem) -> ItemRow | None:
    what, who, access = (clean.capped(clean.line(each), _LONGEST) for each in item)
    if not what:
        return None

    known = {"who": who, "access": access}
    said = tuple((name, value) for name, value in known.items() if value)
    pattern = words.pattern(f"- {_joined('what', *dict(said))}", opens=True)
    line = Phrase(pattern, (("what", what), *said))
    detail = Phrase(words.pattern(_joined(*dict(said))), said) if said else None
    return ItemRow(Phrase(words.pattern("{what}"), (("what", what),)), detail, line)


def _joined(*names: str) -> str:
    return " · ".join(f"{{{name}}}" for name in names)


def digest_of(words: Catalogue, letter: Letter, zone: tzinfo | None) -> Digest | None:
    """The campaigns of this letter that have something left to decide; None if none has.

    Raises ComposeError for a link that no mail can carry.
    """
    left = [each for each in letter.reviews if each.pending != 0]
    if not left:
        return None

    left.sort(key=lambda each: _order(each.due_at, zone))
    moments = [
        moment(each.due_at, letter.now, zone, words.locale) if each.due_at else None
        for each in left
    ]
    shown = zip(left[:MOST], moments[:MOST], strict=True)
    others = len(left) - MOST
    known = [plausible(each.pending) for each in left]
    return Digest(
        parts=tuple(_part(words, review, when) for review, when in shown),
        more=words.count("digest.more", others) if others > 0 else None,
        count=len(left),
        pending=0 if None in known else sum(filter(None, known)),
        late=sum(1 for when in moments if when and when.passed),
        soonest=moments[0],
    )


def _part(words: Catalogue, review: Review, when: LocalMoment | None) -> CampaignPart:
    name = clean.capped(clean.line(review.name), _LONGEST)
    link, button = link_of(review.link), words.say("reminder.button")
    return CampaignPart(
        name=words.plain(name) if name else words.say("digest.unnamed"),
        progress=progress_of(words, review.pending, review.completed),
        due=due_of(words, when) if when else None,
        link=link,
        link_sentence=_sentence(words, button, link) if link else None,
        button=button,
        tone=tone_of(when),
    )


def _sentence(words: Catalogue, button: Phrase, link: WebLink) -> Phrase:
    return words.say("labelled", label=str(button), value=link.url)


def _order(due_at: date | None, zone: tzinfo | None) -> tuple[bool, datetime]:
    """What is due first stands first, what nobody knows last; a day is as late as its end."""
    if due_at is None:
        return True, datetime.max.replace(tzinfo=UTC)
    if isinstance(due_at, datetime):
        return False, due_at
    return False, datetime.combine(due_at, time.max, zone or UTC)
