"""What a tenant publishes, as one document: its brand, and its words by locale, kind and block.

The same in files, over HTTP, in SQL and in Redis. What it holds is checked by `checks`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from certmail_config.base.complaints import complaint
from certmail_config.templates.findings import TemplatesRefused, fault
from certmail_config.templates.language.compiling import LONGEST_SOURCE

LARGEST: Final = 256 * 1024
"""Bytes of a document."""
_TAG: Final = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
_MOST_LINES: Final = 8


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )


class Logo(_Part):
    """A picture above the mail; none is needed to understand it."""

    url: Annotated[str, Field(max_length=500)]
    """Where it lies: https, on a host that CERTMAIL_LOGO_HOSTS names."""
    alt: Annotated[str, Field(min_length=1, max_length=80)]
    """What stands there where pictures are off."""


class Brand(_Part):
    """The tenant's own look; what is left out is certmail's."""

    name: Annotated[str, Field(max_length=80)] = ""
    """What stands above the mail; else the tenant's name."""
    sender: Annotated[str, Field(max_length=80)] = ""
    """The name beside the mailbox's address; else the tenant's name."""
    colour: Annotated[str, Field(max_length=7)] = ""
    """Of button, label and bar: #rrggbb. Where it could not be read it is made darker or lighter."""
    logo: Logo | None = None
    footer: Annotated[
        tuple[Annotated[str, Field(max_length=120)], ...],
        Field(max_length=_MOST_LINES, strict=False),
    ] = ()
    """Lines below all else, such as the postal address."""
    calendar: bool = False
    """Whether mails bring their due date along as a file for the reviewer's calendar."""


class BlockText(_Part):
    """A tenant's own words for one block."""

    text: Annotated[str, Field(max_length=LONGEST_SOURCE)]
    """In the language of docs/templates.md."""
    base: Annotated[str, Field(max_length=64)] = ""
    """The version of certmail's own text that it was written for; left out: today's."""


Texts = dict[str, dict[str, dict[str, BlockText]]]


class Document(_Part):
    """All that a tenant publishes."""

    locale: Annotated[str, Field(max_length=35, pattern=_TAG)] | None = None
    """The language of mails to reviewers whose own is unknown, or is one that certmail has not."""
    brand: Brand = Brand()
    texts: Texts = Field(default_factory=dict)
    """By locale, then kind, then block."""

    def overrides(self) -> Iterator[Override]:
        """Its words one by one, in a fixed order."""
        for locale, kinds in sorted(self.texts.items()):
            for kind, blocks in sorted(kinds.items()):
                for block, words in sorted(blocks.items()):
                    yield Override(locale, kind, block, words.text, words.base)

    def written(self) -> str:
        """The same text for the same document."""
        return self.model_dump_json(exclude_defaults=True)

    def digest(self) -> str:
        """The SHA-256 of that."""
        return hashlib.sha256(self.written().encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Override:
    """A tenant's own words for one block of one kind in one locale; names may be anything."""

    locale: str
    kind: str
    block: str
    text: str
    base: str

    @property
    def place(self) -> str:
        """Where they are, for people."""
        return f"{self.locale}/{self.kind}/{self.block}"


EMPTY: Final = Document()


def read_document(value: object) -> Document:
    """The document that a value is, such as one from a TOML file.

    Raises TemplatesRefused, with all that is of another form.
    """
    try:
        found = Document.model_validate(value)
    except ValidationError as error:
        raise _refused(error) from None
    return _bounded(found)


def read_json(text: str | bytes) -> Document:
    """The document that a JSON text is; raises TemplatesRefused."""
    try:
        return _bounded(Document.model_validate_json(text))
    except ValidationError as error:
        raise _refused(error) from None


def _refused(error: ValidationError) -> TemplatesRefused:
    found = error.errors(include_input=False, include_url=False)
    return TemplatesRefused(
        [
            fault("/".join(map(str, each["loc"][:6])) or "templates", f"{complaint(each)}.")
            for each in found[:20]
        ]
    )


def _bounded(document: Document) -> Document:
    if len(document.written().encode()) > LARGEST:
        message = f"all together is more than {LARGEST // 1024} KiB."
        raise TemplatesRefused([fault("templates", message)])
    return document
