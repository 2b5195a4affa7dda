"""What went to a reviewer, as the record has it. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from certmail_config.base.numbers import whole
from certmail_config.campaigns.cadence import Kind
from certmail_config.jobs.times import Time


class Sent(BaseModel):
    """One mail that went."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    reviewer: str
    """Whose review it was about."""
    rule: str
    """Which rule it was of."""
    ordinal: Annotated[int, Field(ge=1), BeforeValidator(whole)]
    """Which of the rule's."""
    at: Time
    """When Gmail took it."""
    kind: Kind
    """Which mail it was, also where it went in a digest."""
    accepted: bool = True
    """Whether Gmail took it for certain: what is uncertain went, and counts for no escalation."""
