"""Bounds on what one request may cost, found before its body is understood. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

MAX_FIELDS: Final = 100
"""A reminder of this version has less than twenty fields; later versions add some."""
MAX_VALUES: Final = 1_000
"""Values in the body of a request for one thing."""
MAX_VALUES_OF_BATCH: Final = 100_000
MAX_DEPTH: Final = 10
MAX_CHARACTERS: Final = 64 * 1024
"""Characters of all names and texts of one reminder together, which has less than 20,000."""
MAX_FAULTS: Final = 20
"""Faults of one reminder that are named; how many more there are is said."""
MAX_FAULTS_OF_BATCH: Final = 1_000
_MAX_NAME: Final = 100


def count_values(body: bytes, limit: int) -> int:
    """About how many values a JSON text holds, found without parsing it.

    Counted no further than is needed to see that there are more than `limit`.
    """
    rough = body.count(b",") + body.count(b"[") + body.count(b"{")
    if rough <= limit:
        return rough

    # What stands in texts does not count. Texts begin and end with a quotation mark that has no
    # backslash before it.
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    texts = plain.count(b'"') // 2
    if texts > 2 * limit:  # a name and a text for each value
        return texts

    outside = b"".join(plain.split(b'"')[::2])
    return outside.count(b",") + outside.count(b"[") + outside.count(b"{")


def is_deep(value: object, limit: int = MAX_DEPTH) -> bool:
    """Whether lists and objects stand in one another more than `limit` times."""
    level = [value]

    for _ in range(limit):
        level = [child for each in level for child in _children(each)]
        if not level:
            return False

    return True


def _children(value: object) -> list[Any]:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [each for each in inside if isinstance(each, dict | list)]


def excess(value: Mapping[str, Any]) -> str:
    """Why a reminder is not looked at any further; empty if it is.

    It holds so much more than any reminder could have.
    """
    if len(value) > MAX_FIELDS:
        return f"{len(value):,} fields are more than any reminder has"

    characters = sum(
        len(name) + (len(each) if isinstance(each, str) else 0) for name, each in value.items()
    )
    if characters > MAX_CHARACTERS:
        return f"{characters:,} characters are more than any reminder has"
    return ""


def share_of_faults(wrong: int) -> int:
    """How many faults are named of each of so many reminders of a batch."""
    return min(MAX_FAULTS, max(1, MAX_FAULTS_OF_BATCH // max(wrong, 1)))


def shown_name(name: str) -> str:
    """A field's name as an answer repeats it: whoever sends long ones does not get them back."""
    return name if len(name) <= _MAX_NAME else name[:_MAX_NAME] + "…"
