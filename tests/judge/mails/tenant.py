"""A tenant that has everything of its own: a look with a logo, and words in each language."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

from certmail_config.compose.own.tenant_words import TenantWords, read_words
from certmail_config.templates.blocks import BLOCKS, Block
from certmail_config.templates.documents import BlockText, Brand, Document, Logo, Texts

HOST: Final = "static.acme.example"
_BRAND: Final = Brand(
    name="Acme & Söhne",
    sender="Acme access reviews",
    colour="#7a1fa2",
    logo=Logo(url=f"https://{HOST}/acme.png", alt="Acme & Söhne"),
    footer=("Acme Industries, 1 Main Street, Springfield",),
    calendar=True,
)
_WORDS: Final = tomllib.loads((Path(__file__).parent / "tenant.toml").read_text("utf-8"))
_MORE: Final = """ {% for item in items %}{{ item.what }}{% if not loop.last %} · {% endif %}{% endfor %}

{% if campaign and due_in %}{{ campaign }}: {{ due_in }}{% endif %}
"""


@cache
def own_words() -> TenantWords:
    """What the tenant published, read as a worker reads it."""
    texts: Texts = {
        language: {kind: _blocks(kind, language) for kind in BLOCKS} for language in _WORDS
    }
    document = Document(brand=_BRAND, texts=texts)
    return read_words(1, document.written().encode(), (), (HOST,))


def _blocks(kind: str, language: str) -> dict[str, BlockText]:
    own = _WORDS[language]
    # A digest has no items and no one due date.
    more = " {{ pending }}" if kind == "digest" else _MORE
    written = {
        Block.SUBJECT: own["headline"],
        Block.PREHEADER: own["ask"],
        Block.HEADLINE: own["headline"],
        Block.TEXT if kind == "custom" else Block.ASK: f"{own['ask']}\n{own['more']}{more}",
        Block.BUTTON: own["button"],
        Block.FOOTER: own["footer"],
    }
    return {str(block): BlockText(text=text) for block, text in written.items()}
