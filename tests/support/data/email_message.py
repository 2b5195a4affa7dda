"""The mail as the standard library's `EmailMessage` writes it: the judge of certmail's own bytes.

So certmail wrote its mails until it wrote them itself. Releases of Python differ in what
`EmailMessage` writes; with this policy and these headers 3.11.2, 3.11.7, 3.12.1 and 3.13.0 do not.
"""

from __future__ import annotations

from datetime import UTC
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP, Policy
from typing import Final, Literal

from certmail_config.compose import Letter
from certmail_config.compose.language import clean
from certmail_config.compose.wire import headers

# 76 and not the policy's 78: it also bounds the lines of quoted-printable, where RFC 2045 says 76.
_WIRE: Final = SMTP.clone(max_line_length=76)
_BEYOND_ASCII: Final = bytes(range(128, 256))


class _WireHeader(str):
    """A header's value in its wire form, which a policy takes as it is and asks to fold itself."""

    __slots__ = ("name",)
    name: str

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}".replace("\n", policy.linesep) + policy.linesep


def judged(
    letter: Letter, subject: str, language: str, text: str, html: str, calendar: str | None = None
) -> bytes:
    """The message of these two bodies, which are in that language, and of a calendar."""
    domain = letter.sender.strip(" ").rpartition("@")[2]

    mail = EmailMessage(policy=_WIRE)
    mail["From"] = _mailbox("From", letter.sender_name, letter.sender)
    mail["To"] = _mailbox("To", letter.name, letter.to)
    if clean.line(letter.reply_to):
        mail["Reply-To"] = _mailbox("Reply-To", "", letter.reply_to or "")
    mail["Subject"] = _text("Subject", subject)
    mail["Date"] = letter.now.astimezone(UTC)
    mail["Message-ID"] = f"<{letter.job_id}@{domain}>"
    mail["X-Certmail-Id"] = letter.job_id
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "DR, RN, NRN, OOF, AutoReply"

    mail.set_content(text, cte=_transfer_encoding(text))
    mail.add_alternative(html, subtype="html", cte=_transfer_encoding(html))
    for part in mail.iter_parts():
        del part["MIME-Version"]
    mail.set_boundary(f"=_{letter.job_id}")
    if calendar is not None:
        _attach(mail, calendar)
        mail.set_boundary(f"=_m{letter.job_id}")
    # Before there are parts it would go to the first of them.
    mail["Content-Language"] = language
    return mail.as_bytes()


def _attach(mail: EmailMessage, calendar: str) -> None:
    name = "due-date.ics"
    mail.add_attachment(
        calendar,
        subtype="calendar",
        cte=_transfer_encoding(calendar),
        params={"method": "PUBLISH", "name": name},
        filename=name,
    )
    *_, part = mail.iter_attachments()
    del part["MIME-Version"]


def folded(name: str, text: str, *, plain: bool) -> str:
    """A header of free text as the standard library breaks it, in encoded words unless plain."""
    charset = "us-ascii" if plain else "utf-8"
    return Header(text, charset, maxlinelen=76, header_name=name).encode()


def _text(name: str, text: str) -> _WireHeader:
    plain = headers._PLAIN_TEXT.fullmatch(text) is not None and "=?" not in text
    return _wire(name, folded(name, text, plain=plain))


def _mailbox(name: str, display: str | None, address: str) -> _WireHeader:
    shown, address = clean.capped(clean.line(display), 70), address.strip(" ")
    if not shown:
        return _wire(name, address)

    plain = len(shown) <= 74 - len(name) and headers._PLAIN_NAME.fullmatch(shown)
    phrase = shown if plain else folded(name, shown, plain=False)
    last_line = len(phrase.rpartition("\n")[2]) + (0 if "\n" in phrase else len(name) + 2)
    gap = " " if last_line + len(address) + 3 <= 76 else "\n "
    return _wire(name, f"{phrase}{gap}<{address}>")


def _wire(name: str, value: str) -> _WireHeader:
    header = _WireHeader(value)
    header.name = name
    return header


def _transfer_encoding(body: str) -> Literal["quoted-printable", "base64"]:
    data = body.encode()
    beyond_ascii = len(data) - len(data.translate(None, _BEYOND_ASCII))
    return "quoted-printable" if beyond_ascii * 6 <= len(data) else "base64"
