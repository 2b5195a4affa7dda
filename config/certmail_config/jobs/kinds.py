"""The kinds of mails, what each one needs, and what it cannot say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

Kind = Literal["reminder", "notice", "final", "overdue", "escalation", "digest", "custom"]

_CONTRACTS: Final[Mapping[str, int]] = {"overdue": 2, "escalation": 2, "digest": 2, "custom": 2}
"""Of which contract the kinds are that the first one did not know."""
_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "escalation": ("about",),
    "digest": ("campaigns",),
    "custom": ("subject", "text"),
}
_ONLY_OF: Final[Mapping[str, str]] = {
    "about": "escalation",
    "times_reminded": "escalation",
    "campaigns": "digest",
    "subject": "custom",
    "text": "custom",
}
_NOT_OF_A_DIGEST: Final = ("campaign_name", "due_at", "pending", "completed", "items")
"""What each campaign of a digest says for itself."""


def contract_of(kind: str) -> int:
    """The first contract whose versions write a mail of this kind."""
    return _CONTRACTS.get(kind, 1)


def misfit(kind: str, given: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """What does not fit the kind: a code, a field, and why; None where all does.

    A field that the mail would leave out is refused: nobody would learn of it.
    """
    for name in _NEEDS.get(kind, ()):
        if not given[name]:
            return "missing_for_its_kind", name, f"a mail of kind {kind} needs it"

    for name, owner in _ONLY_OF.items():
        if owner != kind and given[name] is not None:
            return "wrong_kind", name, f"only a mail of kind {owner} says it, and this is a {kind}"

    if kind == "digest":
        for name in _NOT_OF_A_DIGEST:
            if given[name] is not None:
                return "wrong_kind", name, "each of a digest's campaigns says this for itself"

    return None
