"""What a letter says to each reviewer alike who has the same campaign, language and day.

It is found once for all of them, and so is how each of its phrases is written.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from certmail_config.compose.facts import Due, due_of
from certmail_config.compose.language import clean
from certmail_config.compose.language.catalogue import Catalogue
from certmail_config.compose.language.moments import LocalMoment
from certmail_config.compose.language.phrases import Phrase
from certmail_config.compose.voices import tone_of, voice_of

_LONGEST_NAME: Final = 80
_LONGEST_CAMPAIGN: Final = 160
_OTHER_REASONS: Final = frozenset({"escalation", "custom"})
"""Mails that are not sent to somebody as a reviewer."""


@dataclass(frozen=True, slots=True, eq=False)
class Occasion:
    """Why the letter is written; nothing of it says to whom.

    Equal only to itself: there is one of each, and caches ask often.
    """

    words: Catalogue
    voice: str
    tone: str
    organisation: str
    campaign: str
    """Empty where it has no name."""
    when: LocalMoment | None
    due: Due | None
    named: Phrase
    """The organisation, as it stands alone."""
    label: Phrase
    ask: Phrase | None
    """Who asks for what; of an escalation without whose decisions are missing."""
    button: Phrase
    button_label: str
    address_note: Phrase
    no_link: Phrase | None
    """What to do where no link leads anywhere, for whom there is something to do."""
    footer: tuple[Phrase, ...]


# There are as many as campaigns, languages and zones in which mails leave at the same time.
@lru_cache(maxsize=2048)
def occasion(
    words: Catalogue,
    kind: str,
    when: LocalMoment | None,
    organisation: str,
    domain: str,
    campaign: str | None,
    reply_to: str | None,
) -> Occasion:
    """The occasion of a letter of this kind; `domain` names an organisation that has no other name."""
    voice = voice_of(kind, when)
    organisation = clean.capped(clean.line(organisation), _LONGEST_NAME) or domain
    campaign = clean.line(campaign)
    # Who was never asked to begin is not asked to finish.
    button = words.say(f"{kind if kind == 'notice' else voice}.button")

    return Occasion(
        words=words,
        voice=voice,
        tone=tone_of(when, voice),
        organisation=organisation,
        campaign=campaign,
        when=when,
        due=due_of(words, when) if when and kind != "digest" else None,
        named=Phrase(words.pattern("{value}"), (("value", organisation),)),
        label=words.say(f"{voice}.label"),
        ask=_ask(words, voice, organisation, campaign),
        button=button,
        button_label=str(button),
        address_note=words.say("address_note"),
        no_link=None
        if voice in _OTHER_REASONS
        else words.say("no_link", organisation=organisation),
        footer=_footer(words, voice, organisation, clean.line(reply_to)),
    )


def _ask(words: Catalogue, voice: str, organisation: str, campaign: str) -> Phrase | None:
    if voice == "custom":
        return None
    shown = clean.capped(campaign, _LONGEST_CAMPAIGN)
    if shown and voice != "digest":
        return words.say(f"{voice}.ask_campaign", organisation=organisation, campaign=shown)
    return words.say(f"{voice}.ask", organisation=organisation)


def _footer(words: Catalogue, voice: str, organisation: str, reply_to: str) -> tuple[Phrase, ...]:
    why = f"{voice}.why" if voice in _OTHER_REASONS else "footer.why"
    lines = [words.say(why, organisation=organisation), words.say("footer.automatic")]
    if reply_to:
        lines.append(words.say("footer.questions", address=reply_to))
    return tuple(lines)
