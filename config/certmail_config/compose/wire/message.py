"""Puts headers, bodies and a calendar into one RFC 5322 message, the same bytes for the same letter."""

import re
from datetime import UTC, datetime
from typing import Final

from certmail_config.compose import addresses
from certmail_config.compose.language import clean
from certmail_config.compose.letter import ComposeError, Letter
from certmail_config.compose.wire.bodies import Body
from certmail_config.compose.wire.headers import header, mailbox_header, text_header, whole_header

_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_LONGEST_NAME: Final = 70
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
# "=_" occurs in neither quoted-printable nor base64, so no body can contain the boundary.
# X-Auto-Response-Suppress is not "All": the bounce that tells of a wrong address is wanted.
_HEADERS: Final = """\
{people}\
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
) -> bytes:
    """The mail as bytes, with CRLF; `language` is the tag (BCP 47) of what it is written in.

    Raises ComposeError if the job id is not a UUID, or an address is not an address.
    """
    job_id = _checked_id(letter.job_id)
    sender = addresses.checked(letter.sender, "sender")
    to = addresses.checked(letter.to, "recipient")

    people = [
        mailbox_header("From", _display(letter.sender_name), sender),
        mailbox_header("To", _display(letter.name), to),
    ]
    if clean.line(letter.reply_to):
        reply_to = addresses.checked(letter.reply_to or "", "reply")
        people.append(header("Reply-To", reply_to))
    people.append(text_header("Subject", subject))

    form = _MESSAGE_WITH_CALENDAR if calendar else _MESSAGE
    return form.format(
        people="".join(people),
        date=_date(letter.now),
        message_id=whole_header("Message-ID", f"<{job_id}@{addresses.domain(sender)}>"),
        id=job_id,
        language=header("Content-Language", language),
        text=text,
        html=html,
        calendar=calendar,
    ).encode("ascii")


def _checked_id(job_id: str) -> str:
    if not _UUID.fullmatch(job_id):
        raise ComposeError("The job's id is not a UUID.")
    return job_id


def _display(name: str | None) -> str:
    return clean.capped(clean.line(name), _LONGEST_NAME)


def _date(now: datetime) -> str:
    there = now.astimezone(UTC)
    day = f"{_DAYS[there.weekday()]}, {there.day:02} {_MONTHS[there.month - 1]} {there.year:04}"
    return f"{day} {there.hour:02}:{there.minute:02}:{there.second:02} +0000"
