"""What a check finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from certmail_config.base.errors import CertmailError


class Severity(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    check: str
    severity: Severity
    message: str
    remedy: str = ""


def broken(check: str, error: CertmailError) -> Finding:
    """Why something could not be looked at, or not opened."""
    return Finding(check, Severity.ERROR, error.message, error.remedy)
