"""A mail to look at: written as a worker writes it, of a document that may not be published yet.

Pure; takes milliseconds, so whoever asks calls it off the loop.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Final

from markupsafe import Markup

from certmail.gateway.console.tenant_templates.views import PreviewView
from certmail_config.compose.content import content
from certmail_config.compose.own.tenant_words import read_words
from certmail_config.compose.samples import SampleSender, SampleSize, letter_of, mail_of
from certmail_config.templates.blocks import Block
from certmail_config.templates.documents import EMPTY, Document

CLIPPED: Final = 102_000
"""Of a page that is longer Gmail shows the beginning."""
_RULES: Final = re.compile("<style>.*?</style>", re.DOTALL)
_DARK: Final = "@media (prefers-color-scheme:dark)"
_EITHER: Final = '<meta name="color-scheme" content="light dark">'
_PLAIN: Final = Markup(
    '<!doctype html><html lang="{}"><meta charset="utf-8"><title>{}</title><style>'
    ":root{{color-scheme:{}}}pre{{margin:16px;font:14px/1.5 ui-monospace,Menlo,Consolas,monospace;"
    "white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:plaintext}}</style><pre>{}</pre></html>"
)


_NOTHING: Final = read_words(0, EMPTY.written().encode(), (), ())


@dataclass(frozen=True, slots=True)
class MailPreview:
    """A mail as its reader has it; `failed` is what of the tenant's was left out of it, and why."""

    subject: str
    sender: str
    locale: str
    html: str
    text: str
    source: str
    failed: Mapping[str, str]

    @property
    def size(self) -> int:
        """Bytes of the page."""
        return len(self.html.encode())

    @property
    def clipped(self) -> bool:
        """Whether Gmail would show only the beginning."""
        return self.size > CLIPPED


def preview_of(
    document: Document, sender: SampleSender, view: PreviewView, logo_hosts: Collection[str]
) -> MailPreview:
    """The sample that is looked at, with a tenant's templates; raises ComposeError."""
    words = read_words(0, document.written().encode(), (), logo_hosts)
    letter = letter_of(sender, words, view.kind, view.locale, view.sample)
    mail = mail_of(letter, words)
    message = message_from_bytes(mail.raw, policy=default)

    return MailPreview(
        mail.subject,
        str(message["From"]),
        mail.locale,
        _part(message, "html"),
        _part(message, "plain"),
        mail.raw.decode("ascii").replace("\r\n", "\n"),
        dict(words.failed),
    )


def page_of(preview: MailPreview, view: PreviewView) -> str:
    """What of it is shown, as a page by itself."""
    if view.show == "mail":
        return _as_on(preview.html, view.theme)
    shown = preview.text if view.show == "text" else preview.source
    return plain_page(shown, preview.subject, preview.locale, view.theme)


def plain_page(text: str, title: str, locale: str, theme: str) -> str:
    """A page that says nothing but this text."""
    return str(_PLAIN.format(locale, title, theme, text))


def certmails_own(sender: SampleSender, kind: str, locale: str) -> dict[Block, str]:
    """What certmail itself says in each block of the usual sample of a tenant."""
    shown = content(letter_of(sender, _NOTHING, kind, locale, SampleSize.RICH))
    said = {
        Block.SUBJECT: shown.subject,
        Block.PREHEADER: shown.preheader,
        Block.HEADLINE: str(shown.headline),
        Block.ASK: "\n".join(map(str, (shown.ask, *shown.paragraphs))),
        Block.BUTTON: str(shown.button),
        Block.FOOTER: "\n".join(map(str, shown.footer)),
    }
    return said | {Block.TEXT: said[Block.ASK]}


def _as_on(html: str, theme: str) -> str:
    """The page as a light or a dark screen shows it, whatever the reader's own is.

    Its links lead nowhere: a frame that may open no window has none to open them in.
    """
    media = "@media all" if theme == "dark" else "@media not all"
    html = _RULES.sub(lambda rules: rules[0].replace(_DARK, media), html, count=1)
    head = f'<meta name="color-scheme" content="{theme}"><base target="_blank">'
    return html.replace(_EITHER, head, 1)


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None, "each mail has both"
    return str(part.get_content()).replace("\r\n", "\n")
