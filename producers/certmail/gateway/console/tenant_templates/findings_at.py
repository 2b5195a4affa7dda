"""Findings, sorted to where a page shows them: at the field that they are about, or above all. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from certmail.gateway.console.tenant_templates.parts import EditedPart, WordsPart
from certmail_config.templates.findings import Finding

_OF_BRAND: Final[Mapping[str, str]] = {"url": "logo-url", "alt": "logo-alt", "logo": "logo-url"}
ABOVE: Final = ""
"""Where everything is that is about no field of the page."""


def by_field(findings: Iterable[Finding], part: EditedPart) -> dict[str, list[Finding]]:
    """The findings by the name of the field."""
    found: dict[str, list[Finding]] = {}
    for each in findings:
        found.setdefault(_field_of(each.place, part), []).append(each)
    return found


def _field_of(place: str, part: EditedPart) -> str:
    names = place.removeprefix("texts/").split("/")
    if isinstance(part, WordsPart):
        mine = names[:2] == [part.locale, part.kind] and len(names) > 2
        return f"text-{names[2]}" if mine else ABOVE
    if names[0] != "brand":
        return "locale" if place == "locale" else ABOVE
    field = names[2] if names[1:2] == ["logo"] and len(names) > 2 else "".join(names[1:2])
    field = _OF_BRAND.get(field, field)
    return field if field in part.fields else ABOVE
