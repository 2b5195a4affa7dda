"""Decides which due dates a mail gives to its reader's calendar, and what each entry says."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID, uuid5

from certmail_config.compose.content import Content
from certmail_config.compose.facts import Due
from certmail_config.compose.language import clean
from certmail_config.compose.language.catalogue import Catalogue, catalogue
from certmail_config.compose.language.phrases import Phrase
from certmail_config.compose.letter import Letter
from certmail_config.compose.links import WebLink
from certmail_config.compose.listing import CampaignPart

_OF_SOMEBODY_ELSE: Final = frozenset({"escalation"})
_IN_OWN_WORDS: Final = frozenset({"custom"})
_LONGEST_SUMMARY: Final = 80
_LONGEST_NAME: Final = 160
_NAMESPACE: Final = UUID("6d1f6f4e-2f0b-5c55-9d4b-3c1f5b6f0a57")
"""Of certmail's entries alone; another one would make all of them new."""


class DueEvent(NamedTuple):
    """One due date: an entry of a whole day."""

    uid: str
    """The same for each mail of this campaign to this reviewer; it tells neither."""
    day: date
    summary: str
    description: tuple[str, ...]
    """Lines."""
    url: str | None


def due_events(letter: Letter, content: Content) -> list[DueEvent]:
    """The entries for a letter that says this: none of what is overdue, or somebody else's.

    A digest has one for each campaign that it shows.
    """
    if letter.kind in _OF_SOMEBODY_ELSE:
        return []
    return list(
        _of_a_digest(letter, content) if content.digest else _of_one_campaign(letter, content)
    )


def _of_one_campaign(letter: Letter, content: Content) -> Iterator[DueEvent]:
    due = content.due
    if due is None or due.day is None:
        return

    words = catalogue(letter.locale, letter.fallback_locale)
    name = clean.line(letter.campaign_name)
    why = _why(words, letter, content, name)
    where = _where(content.button, content.link) or _said(content.no_link)
    yield DueEvent(
        uid=_uid(letter, letter.campaign or name or (content.link.url if content.link else "")),
        day=due.day,
        summary=_summary(words, due, name),
        description=(*_said(why), str(due.sentence), *where, *_whom(words, letter)),
        url=_url(content.link),
    )


def _of_a_digest(letter: Letter, content: Content) -> Iterator[DueEvent]:
    words = catalogue(letter.locale, letter.fallback_locale)
    given: set[str] = set()
    for part in content.digest.parts if content.digest else ():
        if part.due is None or part.due.day is None:
            continue
        name = _named(part)
        # All that a digest knows a campaign by: its name, and its link where two have the same.
        known_by = (name, f"{name} {part.link.url}" if part.link else name)
        uid = next((uid for each in known_by if (uid := _uid(letter, each)) not in given), None)
        if uid is None:
            continue

        given.add(uid)
        why = _why(words, letter, content, name)
        where = _where(part.button, part.link) or _where(content.button, content.link)
        yield DueEvent(
            uid=uid,
            day=part.due.day,
            summary=_summary(words, part.due, name),
            description=(
                *_said(why),
                str(part.due.sentence),
                *(where or _said(content.no_link)),
                *_whom(words, letter),
            ),
            url=_url(part.link or content.link),
        )


def _named(part: CampaignPart) -> str:
    return dict(part.name.values).get("value", "")


def _uid(letter: Letter, campaign: str) -> str:
    """A UUID, as RFC 7986 §5.3 asks for: nothing of what it is made of can be read in it."""
    of = [letter.tenant, campaign, letter.to.strip().lower()]
    return str(uuid5(_NAMESPACE, json.dumps(of)))


def _summary(words: Catalogue, due: Due, name: str) -> str:
    what = clean.capped(name, _LONGEST_SUMMARY) or str(words.say("digest.unnamed"))
    return str(words.say("labelled", label=str(due.label), value=what))


def _why(words: Catalogue, letter: Letter, content: Content, name: str) -> Phrase | None:
    """What is asked, in words that hold until it is due: those of the first mail."""
    if letter.kind in _IN_OWN_WORDS:
        return None
    who = dict(content.organisation.values)["value"]
    if shown := clean.capped(name, _LONGEST_NAME):
        return words.say("notice.ask_campaign", organisation=who, campaign=shown)
    return words.say("notice.ask", organisation=who)


def _where(button: Phrase, link: WebLink | None) -> tuple[str, ...]:
    """Where to decide; a link has a line of its own, since calendars take what is beside it for more of it."""
    return (str(button), link.url) if link else ()


def _whom(words: Catalogue, letter: Letter) -> tuple[str, ...]:
    address = clean.line(letter.reply_to)
    return _said(words.say("footer.questions", address=address) if address else None)


def _said(phrase: Phrase | None) -> tuple[str, ...]:
    return (phrase.opening(),) if phrase else ()


def _url(link: WebLink | None) -> str | None:
    return link.url if link else None
