"""Decides what a letter says: which facts there are, in which words, before any layout."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final, NamedTuple

from certmail_config.compose import addresses, wording
from certmail_config.compose.facts import DecisionProgress, Due, due_of, plausible, progress_of
from certmail_config.compose.language import clean
from certmail_config.compose.language.catalogue import Catalogue, catalogue
from certmail_config.compose.language.moments import LocalMoment, moment, time_zone
from certmail_config.compose.language.phrases import Pattern, Phrase
from certmail_config.compose.letter import ComposeError, Letter
from certmail_config.compose.links import WebLink, link_of
from certmail_config.compose.listing import Digest, Table, digest_of, table_of
from certmail_config.compose.look import PLAIN, Look
from certmail_config.compose.voices import KINDS, tone_of, voice_of
from certmail_config.compose.wording import SEPARATOR

_AS_IT_IS: Final = {each: Pattern.of("{value}", each) for each in ("ltr", "rtl")}
_LONGEST_IN_BODY: Final = 160
_LONGEST_PREHEADER: Final = 400
_LONGEST_PATH: Final = 80
_OTHER_REASONS: Final = frozenset({"escalation", "custom"})
"""Mails that are not sent to somebody as a reviewer."""


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
    paragraphs: tuple[Phrase, ...]
    """What follows the request, of a customer's own words."""
    progress: DecisionProgress | None
    due: Due | None
    reminded: Phrase | None
    table: Table | None
    digest: Digest | None
    button: Phrase
    link: WebLink | None
    shown_path: str
    """What a page shows of the link behind its host: 1,900 characters would be thirty lines."""
    link_sentence: Phrase | None
    address_note: Phrase
    no_link: Phrase | None
    """What to do where no link leads anywhere."""
    footer: tuple[Phrase, ...]
    phrased: bool = False
    """Whether the headline says itself where it may break."""
    brand: Look = PLAIN


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

    words = catalogue(letter.locale, letter.fallback_locale)
    zone = time_zone(letter.time_zone)
    digest = _digest(words, letter, zone) if letter.kind == "digest" else None
    when = digest.soonest if digest else _when(letter, words, zone)
    voice = voice_of(letter.kind, when)
    organisation = clean.capped(clean.line(letter.organisation), 80) or addresses.domain(
        letter.sender
    )
    progress = None if digest else progress_of(words, letter.pending, letter.completed)
    due = due_of(words, when) if when and not digest else None
    facts = wording.Facts(
        words=words,
        voice=voice,
        organisation=organisation,
        campaign=clean.line(letter.campaign_name),
        pending=plausible(letter.pending) or 0,
        when=when,
        about=_about(letter) if letter.kind == "escalation" else "",
        digest=digest,
    )
    own = _own_words(words, letter) if letter.kind == "custom" else None
    ask = own.paragraphs[0] if own else wording.ask(facts)
    # Who was never asked to begin is not asked to finish.
    button = words.say(f"{letter.kind if letter.kind == 'notice' else voice}.button")
    link = link_of(letter.link)
    headline = words.plain(own.subject) if own else wording.headline(facts)

    return Content(
        lang=words.tag,
        direction=words.direction,
        tone=tone_of(when, voice),
        subject=own.subject if own else wording.subject(facts),
        preheader=_preheader(progress, due, digest)
        or clean.capped(ask.opening(), _LONGEST_PREHEADER),
        organisation=Phrase(_AS_IT_IS[words.direction], (("value", organisation),)),
        label=words.say(f"{voice}.label"),
        headline=headline,
        greeting=_greeting(words, letter.name),
        ask=ask,
        paragraphs=own.paragraphs[1:] if own else (),
        progress=progress,
        due=due,
        reminded=_reminded(words, letter) if letter.times_reminded else None,
        table=table_of(words, letter.items, letter.pending) if letter.items else None,
        digest=digest,
        button=button,
        link=link,
        shown_path=_shown_path(link) if link else "",
        link_sentence=words.say("labelled", label=str(button), value=link.url) if link else None,
        address_note=words.say("address_note"),
        no_link=words.say("no_link", organisation=organisation)
        if _decides(voice, digest)
        else None,
        footer=_footer(words, voice, organisation, clean.line(letter.reply_to)),
        phrased=headline.pattern.phrased,
    )


def _when(letter: Letter, words: Catalogue, zone: tzinfo | None) -> LocalMoment | None:
    if letter.due_at is None:
        return None
    return moment(letter.due_at, letter.now, zone, words.locale)


class _Own(NamedTuple):
    """What a customer wrote."""

    subject: str
    paragraphs: tuple[Phrase, ...]


def _own_words(words: Catalogue, letter: Letter) -> _Own:
    lines = [clean.line(each) for each in (letter.own_text or "").splitlines()]
    paragraphs = tuple(words.plain(each) for each in lines if each)
    subject = clean.capped(clean.line(letter.own_subject), _LONGEST_IN_BODY)
    if not subject or not paragraphs:
        raise ComposeError("A mail of the customer's own words has no subject, or says nothing.")
    return _Own(subject, paragraphs)


def _digest(words: Catalogue, letter: Letter, zone: tzinfo | None) -> Digest:
    found = digest_of(words, letter, zone)
    if found is None:
        raise ComposeError("None of the digest's campaigns has anything left to decide.")
    return found


def _about(letter: Letter) -> str:
    about = clean.capped(clean.line(letter.about), 80)
    if not about:
        raise ComposeError("An escalation does not say whose decisions are missing.")
    return about


def _decides(voice: str, digest: Digest | None) -> bool:
    """Whether its reader is to decide, and no part of it says where."""
    return voice not in _OTHER_REASONS and not (digest and any(each.link for each in digest.parts))


def _reminded(words: Catalogue, letter: Letter) -> Phrase | None:
    times = plausible(letter.times_reminded) if letter.kind == "escalation" else None
    return words.count("escalation.reminded", times) if times else None


def _greeting(words: Catalogue, name: str | None) -> Phrase:
    shown = clean.capped(clean.line(name), 80)
    return words.say("greeting_name", name=shown) if shown else words.say("greeting")


def _preheader(progress: DecisionProgress | None, due: Due | None, digest: Digest | None) -> str:
    known = (progress and progress.sentence, due and due.sentence)
    if digest:
        first = digest.parts[0]
        known = (first.name, first.due and first.due.sentence)
    return SEPARATOR.join(str(sentence) for sentence in known if sentence)


def _shown_path(link: WebLink) -> str:
    return link.after if len(link.after) <= _LONGEST_PATH else f"{link.after[:_LONGEST_PATH]}…"


def _footer(words: Catalogue, voice: str, organisation: str, reply_to: str) -> tuple[Phrase, ...]:
    why = f"{voice}.why" if voice in _OTHER_REASONS else "footer.why"
    lines = [words.say(why, organisation=organisation), words.say("footer.automatic")]
    if reply_to:
        lines.append(words.say("footer.questions", address=reply_to))
    return tuple(lines)
