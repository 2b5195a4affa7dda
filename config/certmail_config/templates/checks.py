"""What is wrong with a tenant's templates, seen when they are published and not when they are sent."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final
from urllib.parse import urlsplit

from certmail_config.jobs.languages import LANGUAGES, why_another
from certmail_config.templates.base import own_words
from certmail_config.templates.blocks import BLOCKS, MEASURES, Block, written
from certmail_config.templates.colours import is_colour, palette
from certmail_config.templates.documents import Brand, Document, Override
from certmail_config.templates.findings import Finding, fault, hint
from certmail_config.templates.language import OutOfBounds, Program, TemplateRefused, compiled
from certmail_config.templates.language.faults import HIDDEN, choices, quoted
from certmail_config.templates.variables import SAMPLES, scope_of

_LONG_SUBJECT: Final = 100
_ADDRESS: Final = re.compile(r"https?://|www\.", re.IGNORECASE)
_NEVER_EMPTY: Final = frozenset({Block.SUBJECT, Block.HEADLINE, Block.BUTTON, Block.TEXT})


def check(document: Document, logo_hosts: Collection[str]) -> list[Finding]:
    """All that is wrong with it, and all that is worth knowing."""
    found: list[Finding] = []
    if document.locale and (why := why_another(document.locale)):
        found.append(fault("locale", f"{why}."))
    found += _brand(document.brand, logo_hosts)
    for override in document.overrides():
        found += _override(override)
    return found


def program_of(override: Override) -> Program:
    """The program of these words.

    Raises TemplateRefused, and KeyError for a kind or block that there is not.
    """
    if Block(override.block) not in BLOCKS[override.kind]:
        raise KeyError(override.block)
    return compiled(override.text, scope_of(override.kind), override.locale)


def _brand(brand: Brand, logo_hosts: Collection[str]) -> Iterator[Finding]:
    texts = {"brand/name": brand.name, "brand/sender": brand.sender}
    texts |= {f"brand/footer/{n}": line for n, line in enumerate(brand.footer, 1)}
    if brand.logo:
        texts |= {"brand/logo/alt": brand.logo.alt, "brand/logo/url": brand.logo.url}
    for place, text in texts.items():
        if HIDDEN.search(text) or "\n" in text or "\t" in text:
            yield fault(
                place, "there is a character in it that nobody sees; it is one line of text."
            )

    if brand.colour:
        yield from _colour(brand.colour)
    if brand.logo:
        yield from _logo(brand.logo.url, logo_hosts)


def _colour(colour: str) -> Iterator[Finding]:
    place = "brand/colour"
    if not is_colour(colour):
        yield fault(place, "a colour is written as #rrggbb, such as #0b6067.")
        return

    used = palette(colour)
    if used.light != colour.lower():
        yield hint(place, f"white on it could not be read: {used.light} is used on light pages.")


def _logo(url: str, hosts: Collection[str]) -> Iterator[Finding]:
    place = "brand/logo/url"
    try:
        parts = urlsplit(url)
        plain = parts.scheme == "https" and parts.port in {None, 443} and "@" not in parts.netloc
    except ValueError:
        plain = False
    if not plain or not url.isascii() or any(each in url for each in " \"'<>\\{}"):
        yield fault(place, "a logo's address is https://HOST/…, in plain ASCII.")
    elif (parts.hostname or "") not in hosts:
        there = f"it names: {', '.join(sorted(hosts))}" if hosts else "it names none"
        yield fault(
            place, f"{quoted(parts.hostname or '')} is not in CERTMAIL_LOGO_HOSTS; {there}."
        )


def _override(override: Override) -> Iterator[Finding]:
    place = override.place
    if why := why_another(override.locale):
        yield fault(place, f"{why}; {choices(override.locale, LANGUAGES)}.")
    elif override.kind not in BLOCKS:
        yield fault(
            place, f"there is no kind {quoted(override.kind)}; {choices(override.kind, BLOCKS)}."
        )
    elif override.block not in BLOCKS[override.kind]:
        there = choices(override.block, BLOCKS[override.kind])
        yield fault(
            place, f"a mail of kind {override.kind} has no block {quoted(override.block)}; {there}."
        )
    else:
        yield from _words(override, Block(override.block))


def _words(override: Override, block: Block) -> Iterator[Finding]:
    try:
        program = program_of(override)
    except TemplateRefused as refused:
        for each in refused.faults:
            yield fault(override.place, each.message, each.line)
        return

    for message in program.hints:
        yield hint(override.place, message)
    yield from _rendered(program, override.place, block)

    if _ADDRESS.search(override.text):
        yield hint(
            override.place,
            "an address stands in it: spam filters like the button's link alone better.",
        )
    ours = own_words(override.locale, override.kind, block).version
    if override.base and override.base != ours:
        yield hint(
            override.place,
            f"it was made on {override.base}, and certmail's own words are {ours} by now: see `certmail templates diff`.",
        )


def _rendered(program: Program, place: str, block: Block) -> Iterator[Finding]:
    measure = MEASURES[block]
    for name, values in SAMPLES.items():
        try:
            lines = written(program.text(values, measure.longest), block)
        except OutOfBounds as error:
            yield fault(
                place,
                f"with the sample `{name}` {error}. There may stand {measure.longest:,} characters in {measure.lines} {'line' if measure.lines == 1 else 'lines'}; the filter short cuts.",
            )
            continue
        if not lines and block in _NEVER_EMPTY:
            yield hint(
                place,
                f"with the sample `{name}` it says nothing: certmail's own words stand there then.",
            )
        if (
            block is Block.SUBJECT
            and name == "rich"
            and len(lines[:1][0] if lines else "") > _LONG_SUBJECT
        ):
            yield hint(
                place,
                f"lists of mails show some {_LONG_SUBJECT // 2} characters of it; it has {len(lines[0])}.",
            )
