"""Letters to look at: each kind, with as little, as much and as bad as it may be given.

Start at `sample_letter`. What is shown to a customer, tested and scored is made of these;
`of_tenant` has them as a tenant's own.
"""

from certmail_config.compose.samples.letters import SampleSize, sample_letter
from certmail_config.compose.samples.of_tenant import (
    MARK,
    SampleSender,
    letter_of,
    mail_of,
    written_at,
)

__all__ = [
    "MARK",
    "SampleSender",
    "SampleSize",
    "letter_of",
    "mail_of",
    "sample_letter",
    "written_at",
]
