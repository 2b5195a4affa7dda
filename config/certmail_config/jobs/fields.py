"""What the fields of a reminder may hold, each by itself. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from certmail_config.base.addresses import NoAddress, written_address
from certmail_config.base.ids import NAME_PATTERN
from certmail_config.base.numbers import whole
from certmail_config.base.web_links import LONGEST, SCHEMA_PATTERN, NoLink, read_link

STORED: Final = {"stored": True}
"""The context in which a reminder is read that some version has taken in.

What it means was decided then.
"""
MAX_PARAGRAPHS: Final = 40
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


def _paragraphs(value: str) -> str:
    if sum(1 for line in value.splitlines() if line.strip()) > MAX_PARAGRAPHS:
        raise PydanticCustomError(
            "too_many_paragraphs",
            "has more than {most} lines that say something",
            {"most": MAX_PARAGRAPHS},
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
Identifier = Annotated[Text, AfterValidator(_identifier)]
Subject = Annotated[str, Field(min_length=1, max_length=150)]
Paragraphs = Annotated[str, Field(min_length=1, max_length=5000), AfterValidator(_paragraphs)]
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
