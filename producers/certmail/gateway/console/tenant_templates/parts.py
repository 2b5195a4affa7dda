"""The parts that are edited on a page: the texts of one kind in one language, or the brand.

What is typed goes by the names of the form's fields; a part reads it off a document, and puts it
into one. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from certmail_config.templates.blocks import BLOCKS
from certmail_config.templates.documents import Document, read_document

Typed = Mapping[str, str]


class EditedPart(Protocol):
    """See the module."""

    @property
    def path(self) -> str:
        """Where its page is, below the tenant's templates."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of its form's fields."""

    def typed(self, document: Document) -> Typed:
        """What stands in the fields for a document."""

    def put(self, document: Document, typed: Typed) -> Document:
        """The document with what was typed; raises TemplatesRefused for what no document can hold."""

    def alone(self, document: Document) -> Document:
        """What of the document is edited here, so that only that is found fault with."""


@dataclass(frozen=True, slots=True)
class WordsPart:
    """The texts of one kind in one language: `text-BLOCK`, and `seen-BLOCK` where a difference was seen."""

    locale: str
    kind: str

    @property
    def path(self) -> str:
        """Where its page is."""
        return f"texts/{self.locale}/{self.kind}"

    @property
    def fields(self) -> tuple[str, ...]:
        """Two for each block."""
        blocks = BLOCKS[self.kind]
        return (*(f"text-{each}" for each in blocks), *(f"seen-{each}" for each in blocks))

    def typed(self, document: Document) -> Typed:
        """The tenant's own words; nothing where certmail's stand."""
        own = document.texts.get(self.locale, {}).get(self.kind, {})
        return {
            f"text-{block}": own[block].text if block in own else "" for block in BLOCKS[self.kind]
        }

    def put(self, document: Document, typed: Typed) -> Document:
        """The document with these words; of what is not there certmail's stand.

        They keep the version that they were made on, unless somebody has seen what changed since.
        """
        value = document.model_dump(mode="json", exclude_defaults=True)
        texts: dict[str, Any] = value.setdefault("texts", {})
        before: dict[str, Any] = texts.get(self.locale, {}).get(self.kind, {})

        blocks: dict[str, Any] = {}
        for block in BLOCKS[self.kind]:
            text = typed.get(f"text-{block}", "").replace("\r\n", "\n")
            if text.strip():
                seen = bool(typed.get(f"seen-{block}"))
                base = "" if seen else before.get(block, {}).get("base", "")
                blocks[block.value] = {"text": text, "base": base}

        texts.setdefault(self.locale, {})[self.kind] = blocks
        if not blocks:
            del texts[self.locale][self.kind]
        if not texts[self.locale]:
            del texts[self.locale]
        return read_document(value)

    def alone(self, document: Document) -> Document:
        """These words, as if they were made on those of today: what changed since is shown apart."""
        own = document.texts.get(self.locale, {}).get(self.kind, {})
        blocks = {block: words.model_copy(update={"base": ""}) for block, words in own.items()}
        return Document(texts={self.locale: {self.kind: blocks}})


@dataclass(frozen=True, slots=True)
class BrandPart:
    """The look, and the language of reviewers whose own is unknown."""

    @property
    def path(self) -> str:
        """Where its page is."""
        return "brand"

    @property
    def fields(self) -> tuple[str, ...]:
        """One for each thing; `footer` has several lines."""
        return ("name", "sender", "colour", "locale", "logo-url", "logo-alt", "footer")

    def typed(self, document: Document) -> Typed:
        """The tenant's look; nothing where it is certmail's."""
        brand, logo = document.brand, document.brand.logo
        return {
            "name": brand.name,
            "sender": brand.sender,
            "colour": brand.colour,
            "locale": document.locale or "",
            "logo-url": logo.url if logo else "",
            "logo-alt": logo.alt if logo else "",
            "footer": "\n".join(brand.footer),
        }

    def put(self, document: Document, typed: Typed) -> Document:
        """The document with this look."""
        value = document.model_dump(mode="json", exclude_defaults=True)
        given = {name: typed.get(name, "").strip() for name in self.fields}

        brand: dict[str, Any] = {name: given[name] for name in ("name", "sender", "colour")}
        brand["footer"] = [line.strip() for line in given["footer"].splitlines() if line.strip()]
        if given["logo-url"] or given["logo-alt"]:
            brand["logo"] = {"url": given["logo-url"], "alt": given["logo-alt"]}
        return read_document(value | {"brand": brand, "locale": given["locale"] or None})

    def alone(self, document: Document) -> Document:
        """The look by itself."""
        return Document(locale=document.locale, brand=document.brand)
