"""What a letter says in its own words: subject, headline and request, for each way of writing one."""

from functools import lru_cache
from typing import Final, NamedTuple

from certmail_config.compose.facts import distance, plausible
from certmail_config.compose.language import clean
from certmail_config.compose.language.moments import LocalMoment
from certmail_config.compose.language.phrases import Phrase
from certmail_config.compose.letter import ComposeError, Letter
from certmail_config.compose.listing import Digest
from certmail_config.compose.occasion import Occasion

SEPARATOR: Final = " · "
_LONGEST_IN_SUBJECT: Final = 80
_LONGEST_SUBJECT: Final = 160
_SOON: Final = 7
"""So many days ahead a review ends soon."""
_NEAR: Final = {0: "due_today", 1: "due_tomorrow"}
_LAST_HEADLINES: Final = {0: "final.headline_today", 1: "final.headline_tomorrow"}


class Wording(NamedTuple):
    """What a letter says in words, besides its facts."""

    subject: str
    headline: Phrase
    ask: Phrase
    paragraphs: tuple[Phrase, ...] = ()
    """What follows the request, of a customer's own words."""


def wording(occasion: Occasion, pending: int | None, about: str = "") -> Wording:
    """The wording where so many decisions are open; `about` names who has not made them."""
    words, ask = occasion.words, occasion.ask
    assert ask is not None, "there is one where certmail chooses the words"
    if about:
        ask = Phrase(ask.pattern, (*ask.values, ("about", about)))
    still = plausible(pending) or 0

    subject = [_about(occasion, about)]
    if still:
        subject.append(words.count("subject.open", still))
    if occasion.when:
        subject += _timing(occasion, occasion.when)

    return Wording(
        subject=_joined(*subject),
        headline=_headline(occasion, still),
        ask=ask,
    )


# Of a campaign's reviewers many have as many decisions to make.
shared_wording: Final = lru_cache(maxsize=4096)(wording)
"""The same of whom nobody is named in, remembered."""


def digest_wording(occasion: Occasion, digest: Digest) -> Wording:
    """The wording where there are several campaigns."""
    words, ask = occasion.words, occasion.ask
    assert ask is not None, "there is one where certmail chooses the words"
    subject = [words.count("digest.subject", digest.count)]
    if digest.pending:
        subject.append(words.count("subject.open", digest.pending))
    if digest.soonest:
        subject.append(_first_due(occasion, digest, digest.soonest))

    return Wording(
        subject=_joined(*subject),
        headline=words.count("digest.headline", digest.count),
        ask=ask,
    )


def custom_wording(occasion: Occasion, letter: Letter) -> Wording:
    """The wording where the customer has chosen it.

    Raises ComposeError if it says nothing.
    """
    words = occasion.words
    lines = [clean.line(each) for each in (letter.own_text or "").splitlines()]
    paragraphs = [words.plain(each) for each in lines if each]
    subject = clean.capped(clean.line(letter.own_subject), _LONGEST_SUBJECT)
    if not subject or not paragraphs:
        raise ComposeError("A mail of the customer's own words has no subject, or says nothing.")

    ask, *others = paragraphs
    return Wording(subject, words.plain(subject), ask, tuple(others))


def _joined(*parts: Phrase) -> str:
    return SEPARATOR.join(map(str, parts))


def _about(occasion: Occasion, about: str) -> Phrase:
    words, voice = occasion.words, occasion.voice
    named = {"about": about} if about else {}
    if name := clean.capped(occasion.campaign, _LONGEST_IN_SUBJECT):
        return words.say(f"{voice}.subject_campaign", campaign=name, **named)
    return words.say(f"{voice}.subject", **named)


def _timing(occasion: Occasion, when: LocalMoment) -> list[Phrase]:
    if when.passed:
        return [distance(occasion.words, when)] if occasion.voice == "escalation" else []
    return [_ahead(occasion, when, "subject.due")]


def _first_due(occasion: Occasion, digest: Digest, when: LocalMoment) -> Phrase:
    if when.passed:
        return occasion.words.count("digest.late", digest.late)
    return _ahead(occasion, when, "digest.due")


def _ahead(occasion: Occasion, when: LocalMoment, key: str) -> Phrase:
    near = _NEAR.get(when.days_ahead)
    if near:
        return occasion.words.say(f"subject.{near}")
    return occasion.words.say(key, date=when.short_day)


def _headline(occasion: Occasion, pending: int) -> Phrase:
    """What it is, in one line."""
    words, voice, when = occasion.words, occasion.voice, occasion.when
    if voice == "final" and when and when.days_ahead <= _SOON:
        return words.say(_LAST_HEADLINES.get(when.days_ahead, "final.headline"))
    if voice == "escalation" and when and when.passed:
        return words.say("escalation.headline_late")
    if voice == "overdue" and pending:
        return words.count("overdue.headline_open", pending)
    if voice in {"late", "notice", "escalation", "overdue"}:
        return words.say(f"{voice}.headline")
    return (
        words.count("reminder.headline_open", pending)
        if pending
        else words.say("reminder.headline")
    )
