"""The two facts that a reminder shows as figures: how much is done, and by when the rest is due."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from certmail_config.compose.language.catalogue import Catalogue
from certmail_config.compose.language.moments import LocalMoment
from certmail_config.compose.language.phrases import Phrase

_BEYOND_COUNTING: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class DecisionProgress:
    """How many decisions are open; `percent` and `done` only where their total is known.

    `line` is all of it.
    """

    sentence: Phrase
    said: str
    """The sentence as text."""
    percent: int | None
    done: Phrase | None
    line: Phrase


@dataclass(frozen=True, slots=True)
class Due:
    """When it is due, in parts and as sentences.

    A label, the moment, its zone if it has one, both in words, and how far away it is. `line` is all
    of it.
    """

    label: Phrase
    moment: Phrase
    zone: Phrase | None
    value: str
    sentence: Phrase
    said: str
    """The sentence as text."""
    relative: Phrase
    line: Phrase
    day: date | None = None
    """The day of a calendar; None once it has passed."""


def plausible(number: int | None) -> int | None:
    """The number, if people could have counted it; else None.

    Repeating a mistake from upstream is worse than saying nothing.
    """
    return number if number is not None and 0 <= number < _BEYOND_COUNTING else None


@lru_cache(maxsize=4096)
def progress_of(
    words: Catalogue, pending: int | None, completed: int | None
) -> DecisionProgress | None:
    """As much as the two numbers tell; nothing where they tell nothing."""
    still, made = plausible(pending), plausible(completed)
    if still is None:
        return _bare(words.count("progress.made", made)) if made else None
    if made is None or still + made == 0:
        return _bare(words.count("progress.open", still)) if still else None
    if not made:
        # "12 of 12 open (0% done)" says it three times.
        return _bare(words.count("progress.open", still))

    total = still + made
    # Neither "0 %" once something is made, nor "100 %" before everything is.
    percent = 100 if not still else min(max(made * 100 // total, 1), 99)

    if still:
        sentence = words.count(
            "progress.open_of", still, pending=words.number(still), total=words.number(total)
        )
    else:
        sentence = words.count("progress.all_made", total)

    done = words.say("progress.done", percent=words.percent(percent))
    line = words.say("progress.line", progress=str(sentence), done=str(done))
    return DecisionProgress(sentence, str(sentence), percent, done, line)


def _bare(sentence: Phrase) -> DecisionProgress:
    return DecisionProgress(sentence, str(sentence), None, None, sentence)


def distance(words: Catalogue, when: LocalMoment) -> Phrase:
    """How far away it is, ahead or passed."""
    timing = "late" if when.passed else "due"
    days = abs(when.days_ahead)
    if days == 0:
        return words.say(f"{timing}.today")
    if days == 1:
        return words.say(f"{timing}.day")
    return words.count(f"{timing}.days", days)


@lru_cache(maxsize=2048)
def due_of(words: Catalogue, when: LocalMoment) -> Due:
    """That moment in words, ahead or passed."""
    timing = "late" if when.passed else "due"
    relative = distance(words, when)
    label = words.say(f"{timing}.term")

    if when.time is None:
        there = words.say("moment_end", date=when.day)
    else:
        there = words.say("moment", date=when.day, time=when.time)

    zone = words.say("zone", zone=when.zone) if when.zone else None
    # What stands in brackets as wide as a letter brings the blank with it.
    blank = "" if str(zone).startswith("\uff08") else " "
    value = f"{there}{blank}{zone}" if zone else str(there)
    sentence = words.say("labelled", label=str(label), value=value)
    said = str(sentence)
    line = words.say("due.line", due=said, relative=str(relative))

    day = None if when.passed else when.date
    return Due(label, there, zone, value, sentence, said, relative, line, day)
