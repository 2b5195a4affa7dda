"""How long what is over is kept."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from certmail_config.settings.section import PREFIX, Part


class RetentionSettings(Part):
    """How long what is over is kept, and what of it."""

    dedupe_days: int = Field(
        90, ge=1, description="How long a finished job's id, key and state are remembered."
    )
    payload_days: int | None = Field(
        None,
        ge=1,
        description="How long the sealed content of a reminder whose outcome stays unknown is kept; then it is closed as that. All "
        "others lose theirs as soon as they end. Unset: DEDUPE_DAYS, which is the longest.",
    )
    address_days: int | None = Field(
        None,
        ge=1,
        description="How long after a reminder's end the record keeps its recipient. Unset: as long as the record.",
    )
    record_days: int | None = Field(
        None,
        ge=1,
        description="How long after a reminder's end its delivery, attempts and events are kept; at least DEDUPE_DAYS. Unset: for good.",
    )

    @model_validator(mode="after")
    def _records_outlive_what_a_repair_needs(self) -> Self:
        if self.record_days is not None and self.record_days < self.dedupe_days:
            message = (
                f"{PREFIX}RECORD_DAYS={self.record_days} is too short: a Redis that was lost is made anew from the record. "
                f"Set at least {PREFIX}DEDUPE_DAYS, which is {self.dedupe_days}."
            )
            raise ValueError(message)
        return self
