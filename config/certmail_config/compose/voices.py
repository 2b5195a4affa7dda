"""In which voice a letter speaks: its kind, as far as that still holds."""

from enum import StrEnum
from typing import Final

from certmail_config.compose.language.moments import LocalMoment


class LetterKind(StrEnum):
    """Which mail a letter becomes."""

    NOTICE = "notice"
    REMINDER = "reminder"
    FINAL = "final"
    OVERDUE = "overdue"
    ESCALATION = "escalation"
    DIGEST = "digest"
    CUSTOM = "custom"


KINDS: Final = frozenset(LetterKind)
_NEVER_LATE: Final = frozenset({"escalation", "digest", "custom", "overdue"})
"""Kinds whose words hold on either side of the due date, or are made for one."""


def voice_of(kind: str, when: LocalMoment | None) -> str:
    """The group of a catalogue's texts that a letter of this kind is made of."""
    if kind == "overdue" and when and not when.passed:
        # The campaign was given more time meanwhile.
        return "reminder"
    if when and when.passed and kind not in _NEVER_LATE:
        return "late"
    return kind


def tone_of(when: LocalMoment | None, voice: str = "") -> str:
    """`calm`, `soon` (due today or tomorrow) or `late`; decides colours only."""
    if voice == "overdue":
        return "late"
    if when is None:
        return "calm"
    if when.passed:
        return "late"
    return "soon" if when.days_ahead <= 1 else "calm"
