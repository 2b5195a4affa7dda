"""What an attempt's record proves of the words that were sent: hashes, and what they were made of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from certmail_config.compose import Mail

LONGEST_RELEASE: Final = 80
"""As much as the record holds of it; an operator may name a revision as it likes."""


@dataclass(frozen=True, slots=True)
class ContentEvidence:
    """The hashes of a mail as Gmail was given it, of its Subject as people read it, and its locale.

    `template_version` is that of the tenant's own words and look; None where it has none. With
    `composed_at`, the moment that the mail was written for, and the same `release` of certmail the
    same bytes are made of the same reminder.
    """

    template_version: int | None
    locale: str
    message_sha256: str
    subject_sha256: str
    composed_at: str
    release: str

    @classmethod
    def of(
        cls, mail: Mail, composed_at: datetime, *, release: str, template_version: int | None = None
    ) -> Self:
        """The evidence of this mail."""
        return cls(
            template_version,
            mail.locale,
            sha256_of(mail.raw),
            sha256_of(mail.subject.encode()),
            composed_at.isoformat(),
            release[:LONGEST_RELEASE],
        )


def sha256_of(data: bytes) -> str:
    """The hash as the record has it."""
    return hashlib.sha256(data).hexdigest()
