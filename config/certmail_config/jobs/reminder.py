"""The job contract: one reminder to one reviewer, as upstream applications give it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from json.encoder import encode_basestring_ascii
from typing import Annotated, Any, Final, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    field_serializer,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from certmail_config.base.complaints import complaint
from certmail_config.base.errors import ReminderRejected
from certmail_config.base.numbers import whole
from certmail_config.base.web_links import LONGEST, WebLink, read_link
from certmail_config.jobs import lists
from certmail_config.jobs.fields import (
    Address,
    Count,
    Identifier,
    Link,
    Locale,
    Name,
    Paragraphs,
    Subject,
    Text,
)
from certmail_config.jobs.kinds import Kind, misfit
from certmail_config.jobs.lists import Campaigns, Items
from certmail_config.jobs.times import DayOrTime, Time, TimeZone
from certmail_config.jobs.uncertain_policy import Rule

DEFAULT_LIFE = timedelta(days=14)
"""How long after its send time a reminder is still worth sending, unless it says otherwise."""
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
    campaign: Identifier | None = None
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
    """The mail's language: ar, de, en, es, fr, he, it, ja, nl, pl, pt or zh; any other gives English.

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

    items: Items | None = None
    """What is left to decide, one by one; the mail shows ten, and how many more there are."""
    about: Text | None = None
    """Of an escalation: whose decisions are missing."""
    times_reminded: Count | None = None
    """Of an escalation: how often they were reminded."""
    campaigns: Campaigns | None = None
    """Of a digest: the campaigns that it tells of; those without anything left are left out."""
    subject: Subject | None = None
    """Of a custom mail: its subject, and headline."""
    text: Paragraphs | None = None
    """Of a custom mail: what it says, as plain text. Each line is a paragraph."""

    @model_validator(mode="after")
    def _says_what_its_kind_does(self) -> Self:
        if found := misfit(self.kind, self.__dict__):
            code, field, why = found
            raise PydanticCustomError(code, "{why}", {"why": why, "field": field})
        return self

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

    def nothing_left(self) -> bool:
        """Whether it is known that nothing is left to decide."""
        if self.campaigns:
            return all(each.pending == 0 for each in self.campaigns)
        return self.pending == 0

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
        what = "".join(f", {write(value)}" for value, write in self._own_words() if value)
        return f"[{who}, {_json(self.due_at)}, {_json(self.send_at)}{what}]".encode()

    def _own_words(self) -> Iterator[tuple[Any, Callable[[Any], str]]]:
        """What tells two reminders apart, of the kinds that say more than of which campaign."""
        yield self.about, _json
        yield self.subject, _json
        yield self.text, _json
        yield self.campaigns, _listed


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
    "missing_for_its_kind": "missing",
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
    kind = error["type"]
    code = _CODES.get(kind, kind)
    if kind.startswith("datetime"):
        code = "invalid_time"
    elif kind.startswith(("int_", "finite_", "greater_", "less_")):
        code = "invalid_number"
    return ReminderRejected(code, complaint(error), place=_place(error))


def _place(error: ErrorDetails) -> Sequence[int | str]:
    """The field; of what it lists, which one and which field of that."""
    loc = error["loc"]
    if loc:
        # What follows is a place of the value's for lists only.
        return loc if len(loc) > 2 and isinstance(loc[1], int) else loc[:1]
    field = error.get("ctx", {}).get("field")
    return (field,) if field else ()


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


def _listed(value: tuple[Any, ...]) -> str:
    return lists.written(value, _json)


_WRITERS: Final[dict[str, Callable[[Any], str]]] = {
    **dict.fromkeys(("due_at", "send_at", "expires_at"), _json),
    **dict.fromkeys(("to", "manager", "reply_to"), _folded),
    **dict.fromkeys(("pending", "completed", "priority", "times_reminded"), str),
    **dict.fromkeys(("items", "campaigns"), _listed),
}
"""How the values of some fields are written; all others are texts."""
_CANONICAL: Final = tuple(
    (name, f"{json.dumps(name)}:", _WRITERS.get(name, encode_basestring_ascii))
    for name in sorted(Reminder.model_fields)
    if name != "key"
)
"""What stands in the canonical form, in its order: a field, how its member begins, its writer."""
