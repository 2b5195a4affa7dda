"""What was found about a tenant's templates: faults, which keep it from being published, and hints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from certmail_config.base.errors import Refused


class Severity(StrEnum):
    """How bad it is."""

    FAULT = "fault"
    """It cannot be published so."""
    HINT = "hint"
    """It can; whoever wrote it may want to know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing, where it is (`en/reminder/subject`), and its line there if it is one line."""

    severity: Severity
    place: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        """All of it in one sentence."""
        at = f"{self.place}, line {self.line}" if self.line else self.place
        return f"{at}: {self.message}"


def fault(place: str, message: str, line: int | None = None) -> Finding:
    """What keeps it from being published."""
    return Finding(Severity.FAULT, place, message, line)


def hint(place: str, message: str, line: int | None = None) -> Finding:
    """What is worth knowing."""
    return Finding(Severity.HINT, place, message, line)


def faults_of(findings: Sequence[Finding]) -> list[Finding]:
    """Only the faults."""
    return [each for each in findings if each.severity is Severity.FAULT]


class TemplatesRefused(Refused):
    """Templates that cannot be published; `findings` says all that is wrong with them."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        faults = faults_of(findings)
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(
            "templates_refused",
            f"The templates cannot be published: {faults[0]}{more}",
            "Correct what is named; `certmail templates check` says all of it.",
        )
        self.findings = tuple(findings)
