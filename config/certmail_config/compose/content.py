"""Decides what a letter says: which facts there are, in which words, before any layout."""

from datetime import datetime, tzinfo
from typing import Final, NamedTuple

from certmail_config.compose import addresses
from certmail_config.compose.facts import DecisionProgress, Due, plausible, progress_of
from certmail_config.compose.language import clean
from certmail_config.compose.language.catalogue import Catalogue, catalogue
from certmail_config.compose.language.moments import LocalMoment, moment, time_zone
from certmail_config.compose.language.phrases import Phrase
from certmail_config.compose.letter import ComposeError, Letter
from certmail_config.compose.links import WebLink, link_of
from certmail_config.compose.listing import Digest, Table, digest_of, table_of
from certmail_config.compose.look import PLAIN, Look
from certmail_config.compose.occasion import Occasion, occasion
from certmail_config.compose.voices import KINDS
from certmail_config.compose.wording import (
    SEPARATOR,
    Wording,
    custom_wording,
    digest_wording,
    shared_wording,
    wording,
)

_LONGEST_PATH: Final = 80
_LONGEST_PREHEADER: Final = 400


class Content(NamedTuple):
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
    seen = occasion(
        words,
        letter.kind,
        digest.soonest if digest else _when(letter, words, zone),
        letter.organisation,
        addresses.domain(letter.sender),
        letter.campaign_name,
        letter.reply_to,
    )
    said = _wording(seen, letter, digest)
    progress = None if digest else progress_of(words, letter.pending, letter.completed)
    link = link_of(letter.link)

    return Content(
        lang=words.tag,
        direction=words.direction,
        tone=seen.tone,
        subject=said.subject,
        preheader=_preheader(progress, seen.due, digest)
        or clean.capped(said.ask.opening(), _LONGEST_PREHEADER),
        organisation=seen.named,
        label=seen.label,
        headline=said.headline,
        greeting=_greeting(words, letter.name),
        ask=said.ask,
        paragraphs=said.paragraphs,
        progress=progress,
        due=seen.due,
        reminded=_reminded(words, letter) if letter.times_reminded else None,
        table=table_of(words, letter.items, letter.pending) if letter.items else None,
        digest=digest,
        button=seen.button,
        link=link,
        shown_path=_shown_path(link) if link else "",
        link_sentence=words.say("labelled", label=seen.button_label, value=link.url)
        if link
        else None,
        address_note=seen.address_note,
        # Where a part of a digest has a link, it says where to decide.
        no_link=None if digest and any(each.link for each in digest.parts) else seen.no_link,
        footer=seen.footer,
        phrased=said.headline.pattern.phrased,
    )


def _when(letter: Letter, words: Catalogue, zone: tzinfo | None) -> LocalMoment | None:
    if letter.due_at is None:
        return None
    return moment(letter.due_at, letter.now, zone, words.locale)


def _digest(words: Catalogue, letter: Letter, zone: tzinfo | None) -> Digest:
    found = digest_of(words, letter, zone)
    if found is None:
        raise ComposeError("None of the digest's campaigns has anything left to decide.")
    return found


def _wording(seen: Occasion, letter: Letter, digest: Digest | None) -> Wording:
    if digest:
        return digest_wording(seen, digest)
    if letter.kind == "custom":
        return custom_wording(seen, letter)
    if letter.kind == "escalation":
        return wording(seen, letter.pending, _about(letter))
    return shared_wording(seen, letter.pending)


def _preheader(progress: DecisionProgress | None, due: Due | None, digest: Digest | None) -> str:
    if digest:
        first = digest.parts[0]
        return SEPARATOR.join([str(first.name), *([first.due.said] if first.due else [])])
    return SEPARATOR.join([each.said for each in (progress, due) if each])


def _about(letter: Letter) -> str:
    about = clean.capped(clean.line(letter.about), 80)
    if not about:
        raise ComposeError("An escalation does not say whose decisions are missing.")
    return about


def _reminded(words: Catalogue, letter: Letter) -> Phrase | None:
    times = plausible(letter.times_reminded) if letter.kind == "escalation" else None
    return words.count("escalation.reminded", times) if times else None


def _greeting(words: Catalogue, name: str | None) -> Phrase:
    shown = clean.capped(clean.line(name), 80)
    return words.say("greeting_name", name=shown) if shown else words.say("greeting")


def _shown_path(link: WebLink) -> str:
    return link.after if len(link.after) <= _LONGEST_PATH else f"{link.after[:_LONGEST_PATH]}…"
