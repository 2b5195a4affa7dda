"""Subject, headline and request of a letter, in the voice that it speaks in."""

from typing import Final, NamedTuple

from certmail_config.compose.facts import distance
from certmail_config.compose.language import clean
from certmail_config.compose.language.catalogue import Catalogue
from certmail_config.compose.language.moments import LocalMoment
from certmail_config.compose.language.phrases import OwnPhrase, Phrase
from certmail_config.compose.listing import Digest

SEPARATOR: Final = " · "
_LONGEST_IN_SUBJECT: Final = 80
_LONGEST_IN_BODY: Final = 160
_SOON: Final = 7
"""So many days ahead a review ends soon."""
_NEAR: Final = {0: "due_today", 1: "due_tomorrow"}
_LAST_HEADLINES: Final = {0: "final.headline_today", 1: "final.headline_tomorrow"}


class Facts(NamedTuple):
    """What is known when the words are chosen; texts are empty where nothing is."""

    words: Catalogue
    voice: str
    organisation: str
    campaign: str
    pending: int
    when: LocalMoment | None
    about: str
    digest: Digest | None


def subject(facts: Facts) -> str:
    """What it is about, how much is open, and how near or long gone the due date is."""
    parts = [_about(facts)]
    words, pending = facts.words, facts.digest.pending if facts.digest else facts.pending
    if pending:
        parts.append(words.count("subject.open", pending))
    if facts.when:
        parts += _timing(facts, facts.when)

    return SEPARATOR.join(str(part) for part in parts)


def _about(facts: Facts) -> Phrase:
    words, voice = facts.words, facts.voice
    if facts.digest:
        return words.count("digest.subject", facts.digest.count)
    named = {"about": facts.about} if facts.about else {}
    if name := clean.capped(facts.campaign, _LONGEST_IN_SUBJECT):
        return words.say(f"{voice}.subject_campaign", campaign=name, **named)
    return words.say(f"{voice}.subject", **named)


def _timing(facts: Facts, when: LocalMoment) -> list[Phrase]:
    words = facts.words
    if when.passed:
        if facts.digest:
            return [words.count("digest.late", facts.digest.late)]
        return [distance(words, when)] if facts.voice == "escalation" else []
    near = _NEAR.get(when.days_ahead)
    if near:
        return [words.say(f"subject.{near}")]
    return [words.say("digest.due" if facts.digest else "subject.due", date=when.short_day)]


def headline(facts: Facts) -> Phrase:
    """What it is, in one line."""
    words, voice, when = facts.words, facts.voice, facts.when
    if facts.digest:
        return words.count("digest.headline", facts.digest.count)
    if voice == "final" and when and when.days_ahead <= _SOON:
        return words.say(_LAST_HEADLINES.get(when.days_ahead, "final.headline"))
    if voice == "escalation" and when and when.passed:
        return words.say("escalation.headline_late")
    if voice == "overdue" and facts.pending:
        return words.count("overdue.headline_open", facts.pending)
    if voice in {"late", "notice", "escalation", "overdue"}:
        return words.say(f"{voice}.headline")
    return (
        words.count("reminder.headline_open", facts.pending)
        if facts.pending
        else words.say("reminder.headline")
    )


def ask(facts: Facts) -> Phrase:
    """Who asks whom for what."""
    shown = "" if facts.digest else clean.capped(facts.campaign, _LONGEST_IN_BODY)
    key = f"{facts.voice}.ask_campaign" if shown else f"{facts.voice}.ask"
    say, who = facts.words.say, facts.organisation
    phrase = say(key, organisation=who, campaign=shown) if shown else say(key, organisation=who)
    if not facts.about:
        return phrase
    return OwnPhrase(phrase.pattern, (*phrase.values, ("about", facts.about)))
