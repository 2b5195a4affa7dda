"""A mail on stdout, in the form that was asked for; what is to be said of it goes to stderr."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from enum import StrEnum

from certmail_config.compose import Mail


class PreviewForm(StrEnum):
    """What of a mail is written."""

    TEXT = "text"
    HTML = "html"
    EML = "eml"


@dataclass(frozen=True, slots=True)
class PreviewedMail:
    """A mail to look at, what is worth knowing of it, and what is wrong."""

    mail: Mail
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


def write_mail(mail: Mail, form: PreviewForm) -> None:
    """Write it, as it is: a terminal's own encoding may lack most of it."""
    if form is PreviewForm.EML:
        sys.stdout.buffer.write(mail.raw)
        return

    message = message_from_bytes(mail.raw, policy=default)
    if form is PreviewForm.HTML:
        text = _part(message, "html")
    else:
        text = f"Subject: {mail.subject}\n\n{_part(message, 'plain')}{_files(message)}"
    sys.stdout.buffer.write(text.encode())


def _files(message: EmailMessage) -> str:
    """What is attached, in full: it is text, too."""
    files = (
        f"\n{part.get_filename()}:\n\n{part.get_content()}" for part in message.iter_attachments()
    )
    return "".join(files).replace("\r\n", "\n")


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None, "each mail has both"
    return str(part.get_content()).replace("\r\n", "\n")
