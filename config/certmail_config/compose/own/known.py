"""What a letter knows, by the names that a tenant's own words may use; each is found when it is asked for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from certmail_config.compose.content import Content
from certmail_config.compose.facts import plausible
from certmail_config.compose.language import clean
from certmail_config.compose.language.catalogue import catalogue
from certmail_config.compose.language.moments import LocalMoment, moment, time_zone
from certmail_config.compose.letter import Letter
from certmail_config.compose.listing import MOST
from certmail_config.templates.language import Number

_Plain = str | Number | None
_Known = _Plain | Sequence[Mapping[str, _Plain]]


class Known(Mapping[str, _Known]):
    """The values for a letter, and for the content that it would have."""

    __slots__ = ("_found", "content", "letter", "words")

    def __init__(self, letter: Letter, content: Content) -> None:
        self.letter = letter
        self.content = content
        self.words = catalogue(letter.locale, letter.fallback_locale)
        self._found: dict[str, _Known] = {}

    def __getitem__(self, name: str) -> _Known:
        """What stands for that name; KeyError where nothing ever does."""
        found = self._found
        if name not in found:
            found[name] = _FIND[name](self)
        return found[name]

    def __iter__(self) -> Iterator[str]:
        """All names."""
        return iter(_FIND)

    def __len__(self) -> int:
        """How many there are."""
        return len(_FIND)

    def number(self, value: int | None) -> Number | None:
        """A number that people could have counted, as the language writes it."""
        known = plausible(value)
        return None if known is None else Number(known, self.words.number(known))

    def when(self) -> LocalMoment | None:
        """When it is due."""
        letter = self.letter
        if letter.due_at is None:
            return None
        return moment(letter.due_at, letter.now, time_zone(letter.time_zone), self.words.locale)


def _line(text: str | None, longest: int) -> str:
    return clean.capped(clean.line(text), longest)


# A campaign's reviewers have these in common.
_shared_line: Final = lru_cache(maxsize=1024)(_line)


def _organisation(known: Known) -> str:
    return dict(known.content.organisation.values).get("value", "")


def _pending(known: Known) -> Number | None:
    digest = known.content.digest
    return known.number(digest.pending or None if digest else known.letter.pending)


def _total(known: Known) -> Number | None:
    pending, completed = plausible(known.letter.pending), plausible(known.letter.completed)
    return None if pending is None or completed is None else known.number(pending + completed)


def _percent(known: Known) -> str:
    progress = known.content.progress
    return (
        ""
        if progress is None or progress.percent is None
        else known.words.percent(progress.percent)
    )


def _due(known: Known) -> str:
    return known.content.due.value if known.content.due else ""


def _days(known: Known, sign: int) -> Number | None:
    when = known.when()
    return None if when is None else known.number(max(sign * when.days_ahead, 0))


def _items(known: Known) -> Sequence[Mapping[str, _Plain]]:
    return [
        {
            "what": _line(each.what, 120),
            "who": _line(each.who, 120),
            "access": _line(each.access, 120),
        }
        for each in known.letter.items[:MOST]
    ]


def _campaigns(known: Known) -> Sequence[Mapping[str, _Plain]]:
    digest = known.content.digest
    return [
        {
            "name": str(each.name),
            "open": str(each.progress.sentence) if each.progress else "",
            "due": str(each.due.moment) if each.due else "",
            "due_in": str(each.due.relative) if each.due else "",
        }
        for each in (digest.parts if digest else ())
    ]


def _text(known: Known) -> str:
    lines = (clean.line(each) for each in (known.letter.own_text or "").splitlines())
    return "\n".join(line for line in lines if line)


_FIND: Final[Mapping[str, Callable[[Known], _Known]]] = {
    "organisation": _organisation,
    "name": lambda known: dict(known.content.greeting.values).get("name", ""),
    "reply_to": lambda known: _shared_line(known.letter.reply_to, 320),
    "campaign": lambda known: _shared_line(known.letter.campaign_name, 160),
    "pending": _pending,
    "completed": lambda known: known.number(known.letter.completed),
    "total": _total,
    "percent": _percent,
    "due": _due,
    "due_day": lambda known: when.short_day if (when := known.when()) else "",
    "due_in": lambda known: str(known.content.due.relative) if known.content.due else "",
    "days_left": lambda known: _days(known, 1),
    "days_late": lambda known: _days(known, -1),
    "items": _items,
    "about": lambda known: _line(known.letter.about, 80),
    "times_reminded": lambda known: known.number(known.letter.times_reminded),
    "campaigns": _campaigns,
    "subject": lambda known: _line(known.letter.own_subject, 160),
    "text": _text,
}
