"""Samples as a tenant's mails, in its words and look; a folder's words need not be published."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from certmail_config.compose import Letter, Mail, TenantWords
from certmail_config.compose.content import content
from certmail_config.compose.own.tenant_words import read_words
from certmail_config.compose.samples import SampleSender, letter_of, mail_of, sample_letter
from certmail_config.jobs.languages import why_another
from certmail_config.settings import Settings
from certmail_config.templates.documents import EMPTY, Document
from certmail_worker.cli.preview.writing import PreviewedMail
from certmail_worker.cli.templates.folder import read_folder

_STANDS: Final = "certmail's own words stand there"


@dataclass(frozen=True, slots=True)
class Writer:
    """Whose mails the samples are: its words and look, and who they are from.

    Without a sender they are from the samples' own. `suspended` is what of its words was put aside,
    by place, and why.
    """

    words: TenantWords
    sender: SampleSender | None = None
    suspended: tuple[str, ...] = ()


def nobody() -> Writer:
    """Certmail's own words and look."""
    return Writer(_words(EMPTY))


def of_folder(folder: Path) -> Writer:
    """The words and look of a folder's files; raises WrongUse, TemplatesRefused."""
    return Writer(_words(read_folder(folder)))


def sample_mail(
    writer: Writer, kind: str, locale: str | None, sample: str, *, calendar: bool = False
) -> PreviewedMail:
    """The sample of this kind in this language; in the tenant's default where none is asked for.

    With `calendar` it brings its due date as a file, whether the tenant's look says so or not.
    """
    words = writer.words
    if calendar:
        words = replace(words, brand=words.brand._replace(calendar=True))
    letter = _letter(writer, kind, locale or words.locale or "en", sample)
    mail = mail_of(letter, words)

    notes = list(writer.suspended)
    if note := why_another(locale, words.locale):
        notes.append(note)
    elif words.sources and not words.blocks(letter, content(letter)):
        notes.append(_none_of(words, letter, mail))
    if calendar and b"\r\nContent-Type: text/calendar" not in mail.raw:
        notes.append("it brings no calendar file: it has no due date ahead of its reader.")
    faults = tuple(failing(place, why) for place, why in words.failed.items())
    return PreviewedMail(mail, tuple(notes), faults)


def _words(document: Document) -> TenantWords:
    return read_words(0, document.written().encode(), (), Settings.from_env().logo_hosts)


def _letter(writer: Writer, kind: str, locale: str, sample: str) -> Letter:
    if writer.sender:
        return letter_of(writer.sender, writer.words, kind, locale, sample)
    return replace(sample_letter(kind, locale, sample), fallback_locale=writer.words.locale)


def failing(place: str, why: str) -> str:
    """What is said of words that cannot be used."""
    return f"{place}: {why.rstrip('.')}; {_STANDS}."


def _none_of(words: TenantWords, letter: Letter, mail: Mail) -> str:
    there = ", ".join(sorted(f"{locale}/{kind}" for locale, kind in words.sources))
    return (
        f"there are no words of its own for a mail of kind {letter.kind} in {mail.locale}: "
        f"{_STANDS}; there are some for {there}."
    )
