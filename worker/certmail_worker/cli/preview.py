"""`certmail preview`: any mail, as it would leave, without a server and without a tenant."""

from __future__ import annotations

import sys
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from enum import StrEnum
from typing import Annotated

import typer

from certmail_config.compose import compose
from certmail_config.compose.samples import SampleSize, sample_letter
from certmail_config.compose.voices import LetterKind
from certmail_config.jobs.languages import why_another
from certmail_worker.cli.support.output import err


class PreviewForm(StrEnum):
    """What of a mail is written."""

    TEXT = "text"
    HTML = "html"
    EML = "eml"


def preview(
    *,
    kind: Annotated[LetterKind, typer.Option(help="Which mail.")] = LetterKind.REMINDER,
    locale: Annotated[str, typer.Option(help="A language tag, such as de-CH.")] = "en",
    sample: Annotated[
        SampleSize, typer.Option(help="How much is known: as little, as much or as odd as may be.")
    ] = SampleSize.RICH,
    form: Annotated[
        PreviewForm,
        typer.Option("--format", help="Subject and text part, the page, or the whole message."),
    ] = PreviewForm.TEXT,
) -> None:
    """Write a sample of any mail to stdout. Needs no stores, and sends nothing."""
    if note := why_another(locale):
        err.print(note)

    mail = compose(sample_letter(kind, locale, sample))
    if form is PreviewForm.EML:
        sys.stdout.buffer.write(mail.raw)
        return

    message = message_from_bytes(mail.raw, policy=default)
    if form is PreviewForm.HTML:
        _write(_part(message, "html"))
    else:
        _write(f"Subject: {mail.subject}\n\n{_part(message, 'plain')}")


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None, "each mail has both"
    return str(part.get_content()).replace("\r\n", "\n")


def _write(text: str) -> None:
    # As it is: a terminal's own encoding may lack most of it.
    sys.stdout.buffer.write(text.encode())
