"""Puts headers and both bodies into one RFC 5322 message, the same bytes for the same letter."""

from datetime import UTC
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final, Literal
from uuid import UUID

from certmail_worker.compose import addresses
from certmail_worker.compose.headers import mailbox_header, text_header
from certmail_worker.compose.language import clean
from certmail_worker.compose.letter import ComposeError, Letter

# 76 and not the policy's 78: it also bounds the lines of quoted-printable, where RFC 2045 says 76.
_WIRE: Final = SMTP.clone(max_line_length=76)
_LONGEST_NAME: Final = 70
_BEYOND_ASCII: Final = bytes(range(128, 256))


def message(letter: Letter, subject: str, text: str, html: str) -> bytes:
    """The mail as bytes, with CRLF.

    Raises ComposeError if the job id is not a UUID, or an address is not an address.
    """
    job_id = _checked_id(letter.job_id)
    sender = addresses.checked(letter.sender, "sender")
    to = addresses.checked(letter.to, "recipient")

    mail = EmailMessage(policy=_WIRE)
    mail["From"] = mailbox_header("From", _display(letter.sender_name), sender)
    mail["To"] = mailbox_header("To", _display(letter.name), to)
    if clean.line(letter.reply_to):
        mail["Reply-To"] = mailbox_header(
            "Reply-To", "", addresses.checked(letter.reply_to or "", "reply")
        )
    mail["Subject"] = text_header("Subject", subject)
    mail["Date"] = letter.now.astimezone(UTC)
    mail["Message-ID"] = f"<{job_id}@{addresses.domain(sender)}>"
    mail["X-Certmail-Id"] = job_id
    mail["Auto-Submitted"] = "auto-generated"
    # Not "All": the bounce that tells of a wrong address is wanted.
    mail["X-Auto-Response-Suppress"] = "DR, RN, NRN, OOF, AutoReply"

    mail.set_content(text, cte=_transfer_encoding(text))
    mail.add_alternative(html, subtype="html", cte=_transfer_encoding(html))
    for part in mail.iter_parts():
        del part["MIME-Version"]  # it is the message's, not a part's
    # "=_" occurs in neither quoted-printable nor base64, so no body can contain the boundary.
    mail.set_boundary(f"=_{job_id}")
    return mail.as_bytes()


def _checked_id(job_id: str) -> str:
    try:
        canonical = str(UUID(job_id)) == job_id.lower()
    except ValueError:
        canonical = False
    if not canonical:
        raise ComposeError("The job's id is not a UUID.")
    return job_id


def _display(name: str | None) -> str:
    return clean.capped(clean.line(name), _LONGEST_NAME)


def _transfer_encoding(body: str) -> Literal["quoted-printable", "base64"]:
    # Quoted-printable stays readable in the raw mail, but triples every byte that is not ASCII;
    # base64 adds a third to all. They meet where one byte in six is not ASCII.
    data = body.encode()
    beyond_ascii = len(data) - len(data.translate(None, _BEYOND_ASCII))
    return "quoted-printable" if beyond_ascii * 6 <= len(data) else "base64"
