"""What an attempt's record proves of the words that were sent: hashes, and what they were made of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Self

from certmail_config.compose import Mail


@dataclass(frozen=True, slots=True)
class ContentEvidence:
    """The hashes of a mail as Gmail was given it, of its Subject as people read it, and its locale.

    `template_version` is that of the tenant's own words and look; None where it has none.
    """

    template_version: int | None
    locale: str
    message_sha256: str
    subject_sha256: str

    @classmethod
    def of(cls, mail: Mail, template_version: int | None = None) -> Self:
        """The evidence of this mail."""
        return cls(template_version, mail.locale, _sha256(mail.raw), _sha256(mail.subject.encode()))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
