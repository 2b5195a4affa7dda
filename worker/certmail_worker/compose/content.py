"""Decides what a letter says: which facts there are, in which words, before any layout."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from certmail_worker.compose import addresses
from certmail_worker.compose.facts import DecisionProgress, Due, due_of, plausible, progress_of
from certmail_worker.compose.language import clean
from certmail_worker.compose.language.catalogue import Catalogue, catalogue
from certmail_worker.compose.language.moments import Moment, moment, time_zone
from certmail_worker.compose.language.phrases import Pattern, Phrase
from certmail_worker.compose.letter import ComposeError, Letter
from certmail_worker.compose.links import WebLink, link_of

KINDS: Final = frozenset({"notice", "reminder", "final"})
_SEPARATOR: Final = " · "
_LONGEST_IN_SUBJECT: Final = 80
_LONGEST_IN_BODY: Final = 160
_LONGEST_PATH: Final = 80
_AS_IT_IS: Final = Pattern.of("{value}")
_SOON: Final = 7
"""So many days ahead a review ends soon."""
_NEAR: Final = {0: "due_today", 1: "due_tomorrow"}
_LAST_HEADLINES: Final = {0: "final.headline_today", 1: "final.headline_tomorrow"}


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that a template may write; empty or None where there is nothing to say."""

    lang: str
    direction: str
    tone: str
    """`calm`, `soon` (due today or tomorrow) or `late`; decides colours only."""
    subject: str
    preheader: str
    """What a list of mails shows after the subject."""
    organisation: Phrase
    label: Phrase
    headline: Phrase
    greeting: Phrase
    ask: Phrase
    progress: DecisionProgress | None
    due: Due | None
    button: Phrase
    link: WebLink | None
    shown_path: str
    """What a page shows of the link behind its host: 1,900 characters would be thirty lines."""
    link_sentence: Phrase | None
    address_note: Phrase
    no_link: Phrase
    footer: tuple[Phrase, ...]


def content(letter: Letter) -> Content:
    """The content of this letter, in its reviewer's language.

    Raises ComposeError if there is no such kind, a time has no zone, or no mail can carry the link.
    """
    if letter.kind not in KINDS:
        raise ComposeError(
            f"There is no mail of kind {letter.kind[:40]!r}; there are {', '.join(sorted(KINDS))}."
        )
    if letter.now.tzinfo is None or (
        isinstance(letter.due_at, datetime) and letter.due_at.tzinfo is None
    ):
        raise ComposeError("A time without a zone is no moment.")

    words = catalogue(letter.locale)
    when = _when(letter, words)
    voice = "late" if when and when.passed else letter.kind
    organisation = clean.capped(clean.line(letter.organisation), 80) or addresses.domain(
        letter.sender
    )
    campaign = clean.line(letter.campaign_name)
    pending = plausible(letter.pending) or 0
    progress = progress_of(words, letter.pending, letter.completed)
    due = due_of(words, when) if when else None
    ask = _ask(words, voice, organisation, campaign)
    # Who was never asked to begin is not asked to finish.
    button = words.say(f"{letter.kind if letter.kind == 'notice' else voice}.button")
    link = link_of(letter.link)

    return Content(
        lang=words.tag,
        direction=words.direction,
        tone=_tone(when),
        subject=_subject(words, voice, campaign, pending, when),
        preheader=_preheader(progress, due) or ask.opening(),
        organisation=Phrase(_AS_IT_IS, (("value", organisation),)),
        label=words.say(f"{voice}.label"),
        headline=_headline(words, voice, pending, when),
        greeting=_greeting(words, letter.name),
        ask=ask,
        progress=progress,
        due=due,
        button=button,
        link=link,
        shown_path=_shown_path(link) if link else "",
        link_sentence=words.say("labelled", label=str(button), value=link.url) if link else None,
        address_note=words.say("address_note"),
        no_link=words.say("no_link", organisation=organisation),
        footer=_footer(words, organisation, clean.line(letter.reply_to)),
    )


def _when(letter: Letter, words: Catalogue) -> Moment | None:
    if letter.due_at is None:
        return None
    return moment(letter.due_at, letter.now, time_zone(letter.time_zone), words.locale)


def _tone(when: Moment | None) -> str:
    if when is None:
        return "calm"
    if when.passed:
        return "late"
    return "soon" if when.days_ahead <= 1 else "calm"


def _subject(words: Catalogue, voice: str, campaign: str, pending: int, when: Moment | None) -> str:
    if name := clean.capped(campaign, _LONGEST_IN_SUBJECT):
        parts = [words.say(f"{voice}.subject_campaign", campaign=name)]
    else:
        parts = [words.say(f"{voice}.subject")]

    if pending:
        parts.append(words.count("subject.open", pending))

    if when and not when.passed:
        near = _NEAR.get(when.days_ahead)
        parts.append(
            words.say(f"subject.{near}") if near else words.say("subject.due", date=when.short_day)
        )

    return _SEPARATOR.join(str(part) for part in parts)


def _headline(words: Catalogue, voice: str, pending: int, when: Moment | None) -> Phrase:
    if voice == "final" and when and when.days_ahead <= _SOON:
        return words.say(_LAST_HEADLINES.get(when.days_ahead, "final.headline"))
    if voice in {"late", "notice"}:
        return words.say(f"{voice}.headline")
    return (
        words.count("reminder.headline_open", pending)
        if pending
        else words.say("reminder.headline")
    )


def _greeting(words: Catalogue, name: str | None) -> Phrase:
    shown = clean.capped(clean.line(name), 80)
    return words.say("greeting_name", name=shown) if shown else words.say("greeting")


def _ask(words: Catalogue, voice: str, organisation: str, campaign: str) -> Phrase:
    shown = clean.capped(campaign, _LONGEST_IN_BODY)
    if not shown:
        return words.say(f"{voice}.ask", organisation=organisation)
    return words.say(f"{voice}.ask_campaign", organisation=organisation, campaign=shown)


def _preheader(progress: DecisionProgress | None, due: Due | None) -> str:
    known = (progress and progress.sentence, due and due.sentence)
    return _SEPARATOR.join(str(sentence) for sentence in known if sentence)


def _shown_path(link: WebLink) -> str:
    return link.after if len(link.after) <= _LONGEST_PATH else f"{link.after[:_LONGEST_PATH]}…"


def _footer(words: Catalogue, organisation: str, reply_to: str) -> tuple[Phrase, ...]:
    lines = [words.say("footer.why", organisation=organisation), words.say("footer.automatic")]
    if reply_to:
        lines.append(words.say("footer.questions", address=reply_to))
    return tuple(lines)
