"""Puts headers, bodies and a calendar into one RFC 5322 message, the same bytes for the same letter."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from certmail_config.compose import addresses
from certmail_config.compose.language import clean
from certmail_config.compose.letter import ComposeError, Letter
from certmail_config.compose.wire.bodies import Body
from certmail_config.compose.wire.headers import header, mailbox_header, text_header, whole_header

_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_LONGEST_NAME: Final = 70
# "=_" occurs in neither quoted-printable nor base64, so no body can contain the boundary.
# X-Auto-Response-Suppress is not "All": the bounce that tells of a wrong address is wanted.
_HEADERS: Final = """\
{sender}\
{to}\
{reply_to}\
{subject}\
Date: {date}
{message_id}\
X-Certmail-Id: {id}
Auto-Submitted: auto-generated
X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply
MIME-Version: 1.0
"""
_LANGUAGE: Final = "{language}"
_ALTERNATIVE: Final = """\
Content-Type: multipart/alternative;
 boundary="=_{id}"
"""
_BODIES: Final = """\

--=_{id}
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: {text.transfer_encoding}

{text.wire}
--=_{id}
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: {html.transfer_encoding}

{html.wire}
--=_{id}--
"""
# An attachment, and no alternative of the text: mail programs take that for an invitation to be
# answered. Neither boundary begins with the other.
_MIXED: Final = """\
Content-Type: multipart/mixed;
 boundary="=_m{id}"
"""
_FIRST_PART: Final = """\

--=_m{id}
"""
_CALENDAR: Final = """\

--=_m{id}
Content-Transfer-Encoding: {calendar.transfer_encoding}
Content-Disposition: attachment; filename="due-date.ics"
Content-Type: text/calendar; charset="utf-8"; method="PUBLISH";
 name="due-date.ics"

{calendar.wire}
--=_m{id}--
"""


def _form(*parts: str) -> str:
    return "".join(parts).replace("\n", "\r\n")


_MESSAGE: Final = _form(_HEADERS, _ALTERNATIVE, _LANGUAGE, _BODIES)
_MESSAGE_WITH_CALENDAR: Final = _form(
    _HEADERS, _MIXED, _LANGUAGE, _FIRST_PART, _ALTERNATIVE, _BODIES, _CALENDAR
)


def message(
    letter: Letter,
    subject: str,
    language: str,
    text: Body,
    html: Body,
    calendar: Body | None = None,
    *,
    sender_name: str | None = None,
) -> bytes:
    """The mail as bytes, with CRLF; `language` is the tag (BCP 47) of what it is written in.

    `sender_name` stands in the place of the letter's.

    Raises ComposeError if the job id is not a UUID, or an address is not an address.
    """
    job_id = _checked_id(letter.job_id)
    to = addresses.checked(letter.to, "recipient")
    sender = _sender(letter.sender, sender_name or letter.sender_name)

    form = _MESSAGE_WITH_CALENDAR if calendar else _MESSAGE
    return form.format(
        sender=sender.header,
        to=mailbox_header("To", _display(letter.name), to),
        reply_to=_reply_to(letter.reply_to) if letter.reply_to else "",
        subject=text_header("Subject", subject),
        date=_date(letter.now),
        message_id=whole_header("Message-ID", f"<{job_id}@{sender.domain}>"),
        id=job_id,
        language=header("Content-Language", language),
        text=text,
        html=html,
        calendar=calendar,
    ).encode("ascii")


class _Sender(NamedTuple):
    header: str
    domain: str


# Whom it is from, and who answers, is the same in many mails.
@lru_cache(maxsize=2048)
def _sender(address: str, name: str | None) -> _Sender:
    checked = addresses.checked(address, "sender")
    return _Sender(mailbox_header("From", _display(name), checked), addresses.domain(checked))


@lru_cache(maxsize=2048)
def _reply_to(address: str) -> str:
    if not clean.line(address):
        return ""
    return header("Reply-To", addresses.checked(address, "reply"))


def _checked_id(job_id: str) -> str:
    if not _UUID.fullmatch(job_id):
        raise ComposeError("The job's id is not a UUID.")
    return job_id


def _display(name: str | None) -> str:
    return clean.capped(clean.line(name), _LONGEST_NAME)


def _date(now: datetime) -> str:
    # "Tue Dec  8 09:00:00 2026", whatever the machine's language is.
    there = now.astimezone(UTC)
    words = there.ctime()
    return f"{words[:3]}, {there.day:02} {words[4:7]} {words[20:]} {words[11:19]} +0000"
