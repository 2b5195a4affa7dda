"""The job contract: one reminder to one reviewer, as upstream applications give it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from json.encoder import encode_basestring_ascii
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    ValidationInfo,
    field_serializer,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from certmail_config.base.addresses import NoAddress, written_address
from certmail_config.base.complaints import complaint
from certmail_config.base.errors import ReminderRejected
from certmail_config.base.ids import NAME_PATTERN
from certmail_config.base.numbers import whole
from certmail_config.base.web_links import LONGEST, SCHEMA_PATTERN, NoLink, WebLink, read_link
from certmail_config.jobs.times import DayOrTime, Time, TimeZone
from certmail_config.jobs.uncertain_policy import Rule

Kind = Literal["reminder", "notice", "final"]

DEFAULT_LIFE = timedelta(days=14)
"""How long after its send time a reminder is still worth sending, unless it says otherwise."""
STORED: Final = {"stored": True}
"""The context in which a reminder is read that some version has taken in.

What it means was decided then.
"""
_LOCALE = re.compile(r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")


def _address(value: str) -> str:
    try:
        return written_address(value)
    except NoAddress as error:
        raise PydanticCustomError(
            "invalid_address", "not an address that Gmail can send to: {why}", {"why": error.why}
        ) from None


def _link(value: str, info: ValidationInfo) -> str:
    # What an older version took, and a mail cannot carry, is said when the mail is written.
    if info.context is not STORED and isinstance(found := read_link(value), NoLink):
        raise PydanticCustomError(
            "invalid_link", "not a link that a mail can carry: {why}", {"why": found.why}
        )
    return value


def _identifier(value: str) -> str:
    # What is printable holds none; of the rest each character is looked at.
    if not value.isprintable() and any(
        unicodedata.category(character) == "Cc" for character in value
    ):
        raise PydanticCustomError(
            "control_character", "an identifier holds no control characters, such as line breaks"
        )
    return value


def _locale(value: str) -> str:
    if not _LOCALE.match(value):
        raise PydanticCustomError("invalid_locale", "not a language tag, such as de or en-GB")
    return value


Address = Annotated[
    str, Field(max_length=320, json_schema_extra={"format": "email"}), AfterValidator(_address)
]
Text = Annotated[str, Field(max_length=300)]
Count = Annotated[int, Field(ge=0, le=1_000_000), BeforeValidator(whole)]
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Link = Annotated[
    str,
    Field(max_length=LONGEST, json_schema_extra={"pattern": SCHEMA_PATTERN}),
    AfterValidator(_link),
]
Locale = Annotated[
    str,
    Field(max_length=35, json_schema_extra={"pattern": _LOCALE.pattern}),
    AfterValidator(_locale),
]

EXAMPLE: dict[str, JsonValue] = {
    "tenant": "acme",
    "to": "anna@acme.example",
    "name": "Anna Lee",
    "campaign": "2026-q4",
    "campaign_name": "Quarterly access review",
    "due_at": "2099-12-11T17:00:00+01:00",
    "pending": 3,
    "completed": 2,
    "link": "https://iga.acme.example/reviews/7",
}


class Reminder(BaseModel):
    """One reminder; only `tenant` and `to` are required.

    Times need a zone; `priority` 0 leaves first.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        str_strip_whitespace=True,
        use_attribute_docstrings=True,
        json_schema_extra={"examples": [dict(EXAMPLE)]},
    )

    tenant: Name
    """The company whose reviewer is reminded."""
    to: Address
    """The reviewer."""
    name: Text | None = None
    """What the mail calls the reviewer."""
    kind: Kind = "reminder"
    """Which mail it is."""
    campaign: Annotated[Text, AfterValidator(_identifier)] | None = None
    """The campaign's id, by which all of it is called off or listed.

    It is not sealed, so name nobody in it.
    """
    campaign_name: Text | None = None
    """What the mail calls the campaign."""
    due_at: DayOrTime | None = None
    """Until when the reviewer is to decide: a time, or a date.

    A date means until that day ends in `time_zone`.
    """
    pending: Count | None = None
    """How much is left to decide; with 0 nothing is sent (`suppressed`)."""
    completed: Count | None = None
    """How much is decided."""
    link: Link | None = None
    """Where the reviewer decides."""
    locale: Locale | None = None
    """The mail's language: de, en, es, fr, ja or pl; any other gives English.

    A region (de-CH) may follow, where dates and numbers differ.
    """
    time_zone: TimeZone | None = None
    """The reviewer's time zone, from the IANA list: times are written in it.

    Without one they are written in the offset that they are given with.
    """
    manager: Address | None = None
    """The reviewer's manager, kept with the reminder; nothing is sent there."""
    send_at: Time | None = None
    """Not before this time."""
    expires_at: Time | None = None
    """Not after this time; 14 days after `send_at`, or after it is enqueued."""
    priority: Annotated[int, Field(ge=0, le=9), BeforeValidator(whole)] = 5
    """0 leaves first, within its connection."""
    connection: Name | None = None
    """Which of the tenant's mailboxes it leaves from; `default`."""
    key: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    """What makes two reminders the same.

    Without it, that is tenant, kind, campaign, recipient, `due_at` and `send_at`.
    """
    uncertain: Rule | None = None
    """What follows if nobody can know whether Gmail took it; else as the tenant's rule says."""
    reply_to: Address | None = None
    """Whom the mail names for questions, and where its answers go.

    Without it that is the tenant's address for them, else the mailbox that the mail leaves from.
    """

    @model_validator(mode="after")
    def _expires_after_it_is_sent(self) -> Self:
        if self.send_at and self.expires_at and self.expires_at <= self.send_at:
            raise PydanticCustomError(
                "expires_before_send", "expires_at must be later than send_at"
            )
        return self

    @field_serializer("link", when_used="json")
    def _written(self, link: str | None) -> str | None:
        """The link as the mail will carry it, so that an older worker writes the same.

        What makes two reminders the same is the link as it was given.
        """
        found = read_link(link) if link is not None else None
        return found.url if isinstance(found, WebLink) and len(found.url) <= LONGEST else link

    def expiry(self, now: datetime) -> datetime:
        """Until when it is worth sending."""
        return self.expires_at or (self.send_at or now) + DEFAULT_LIFE

    def canonical(self) -> bytes:
        """The same bytes for the same reminder, however its times and addresses are written."""
        # Put together here: a general writer of JSON takes three times as long for the same bytes.
        own = self.__dict__
        members = [
            head + write(value)
            for name, head, write in _CANONICAL
            if (value := own[name]) is not None
        ]
        return f"{{{','.join(members)}}}".encode()

    def dedupe_source(self) -> bytes:
        """What makes two reminders the same: the key, else who is reminded of what and when."""
        if self.key is not None:
            return f"[{_json(self.tenant)}, {_json(self.key)}]".encode()

        who = (
            f"{_json(self.tenant)}, {_json(self.kind)}, {_json(self.campaign)}, {_folded(self.to)}"
        )
        return f"[{who}, {_json(self.due_at)}, {_json(self.send_at)}]".encode()


def parse(value: Mapping[str, Any]) -> Reminder:
    """Check one record; raises ReminderRejected naming the first field that is wrong."""
    if (broken := _broken_text(value)) is not None:
        raise broken from None  # as whatever else is raised here
    try:
        return Reminder.model_validate(value)
    except ValidationError as error:
        raise _rejections(error)[0] from None


def parse_json(value: Mapping[str, Any]) -> Reminder | list[ReminderRejected]:
    """Check one JSON object, strictly: a number is no text, and text no number.

    Gives all that is wrong, field by field.
    """
    if (broken := _broken_text(value)) is not None:
        return [broken]
    try:
        return Reminder.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        return _rejections(error)


def _broken_text(value: Mapping[str, Any]) -> ReminderRejected | None:
    """Where half of a character stands, which no mail and no database can write.

    JSON can say it (a lone surrogate), UTF-8 cannot.
    """
    for name, item in value.items():
        # Nearly every field is ASCII, or a number: that is found out in no time.
        plain = item.isascii() if type(item) is str else type(item) is int
        if plain and type(name) is str and name.isascii():
            continue
        if _has_surrogate(name) or _has_surrogate(item):
            return ReminderRejected(
                "invalid_encoding", "not valid UTF-8", field=_SURROGATE.sub("\ufffd", name)
            )
    return None


def _has_surrogate(value: object) -> bool:
    if isinstance(value, str):
        return not value.isascii() and _SURROGATE.search(value) is not None
    # No field is one: what it is refused with must be a text all the same.
    if isinstance(value, list | dict):
        return _SURROGATE.search(json.dumps(value, default=str, ensure_ascii=False)) is not None
    return False


_SURROGATE = re.compile("[\ud800-\udfff]")
_CODES = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "literal_error": "unknown_kind",
    "string_unicode": "invalid_encoding",
    "enum": "unknown_rule",
    "string_too_long": "too_long",
    "string_pattern_mismatch": "invalid_name",
    "timezone_aware": "time_without_zone",
}
"""What we call what Pydantic calls otherwise."""


def _rejections(error: ValidationError) -> list[ReminderRejected]:
    """One clear sentence for each; values are left out, since they may be personal."""
    found = [_rejection(item) for item in error.errors(include_input=False, include_url=False)]
    return list({each.field: each for each in reversed(found)}.values())[::-1]


def _rejection(error: ErrorDetails) -> ReminderRejected:
    field = str(error["loc"][0]) if error["loc"] else None
    kind = error["type"]
    code = _CODES.get(kind, kind)
    if kind.startswith("datetime"):
        code = "invalid_time"
    elif kind.startswith(("int_", "finite_", "greater_", "less_")):
        code = "invalid_number"
    return ReminderRejected(code, complaint(error), field=field)


def _json(value: object) -> str:
    """A field's value as JSON: a text, a whole number, a time or a day, or nothing."""
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)

    assert isinstance(value, date), "only times and days need a form of their own"
    # A day is the same day wherever it ends.
    moment = value.astimezone(UTC) if isinstance(value, datetime) else value
    return f'"{moment.isoformat()}"'


def _folded(address: str) -> str:
    return encode_basestring_ascii(address.casefold())


_WRITERS: Final[dict[str, Callable[[Any], str]]] = {
    **dict.fromkeys(("due_at", "send_at", "expires_at"), _json),
    **dict.fromkeys(("to", "manager", "reply_to"), _folded),
    **dict.fromkeys(("pending", "completed", "priority"), str),
}
"""How the values of some fields are written; all others are texts."""
_CANONICAL: Final = tuple(
    (name, f"{json.dumps(name)}:", _WRITERS.get(name, encode_basestring_ascii))
    for name in sorted(Reminder.model_fields)
    if name != "key"
)
"""What stands in the canonical form, in its order: a field, how its member begins, its writer."""
