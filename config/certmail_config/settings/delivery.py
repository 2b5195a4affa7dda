"""Settings of deliveries: durability, times, and what follows when nobody knows the outcome."""

from __future__ import annotations

import re
from typing import Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from certmail_config.base.addresses import NoAddress
from certmail_config.base.durability import PATTERN as DURABILITY_PATTERN
from certmail_config.jobs.recipients import OnlyTo
from certmail_config.jobs.uncertain_policy import PATTERN as UNCERTAIN_PATTERN
from certmail_config.settings.section import PREFIX, Part

SETTLE_SECONDS: Final = 3
"""The least that a lease leaves for judging and settling after the HTTP time-out."""


class DeliverySettings(Part):
    """What a delivery may take, and what follows when nobody knows what became of it."""

    durability: str = Field(
        "fsync",
        pattern=DURABILITY_PATTERN,
        description="What Redis must keep when it answers: `fsync` (appendonly yes, appendfsync always; seen at the start), "
        "`replicas:N` (so many replicas confirm each receipt and each begin), `declared` (you vouch for a server that hides "
        "its CONFIG), `none` (reminders may be lost or sent twice).",
    )
    redis_memory_max: int | None = Field(
        None,
        ge=1024**2,
        description="Bytes that Redis may use (k, m or g behind the number: times 1024), where its own `maxmemory` is 0; at "
        "85 % nothing more is taken in, at 95 % nothing more is sent. Unset: the memory of its machine.",
    )
    events_max: int = Field(
        2_000_000,
        ge=10,
        description="Events that may wait in Redis for SQL; at 85 % nothing more is taken in or paced.",
    )
    only_to: str | None = Field(
        None,
        description="For trying out: the only addresses, and whole domains, that get mail, comma separated, as in "
        "`qa@acme.example, @staging.acme.example`; reminders to others end as `suppressed`, with `not_among_only_to` on record. "
        "Unset: everybody does.",
    )
    concurrency: int = Field(
        200, ge=1, le=5000, description="Deliveries in flight in one worker process."
    )
    transport: Literal["batches", "kombu"] = Field(
        "batches",
        description="How a worker takes doorbells from Celery's queue: `batches`, many a round trip, or `kombu`, kombu's own way, one at a time.",
    )
    lease_seconds: float = Field(
        45,
        gt=0,
        allow_inf_nan=False,
        description="How long a worker may hold a job; counted anew from claim and from begin.",
    )
    http_timeout_seconds: float = Field(
        25, gt=0, allow_inf_nan=False, description="Total time for one request to Google."
    )
    send_window_seconds: float = Field(
        5,
        gt=0,
        allow_inf_nan=False,
        description="Longest time between the write-ahead record and the first byte of the request.",
    )
    uncertain: str = Field(
        "hold",
        pattern=UNCERTAIN_PATTERN,
        description="What follows an unknown outcome that nobody can look up: `hold` for a person, or `resend` once, as a possible "
        "duplicate; kinds may differ, as in `hold,final=resend`. A tenant, or a reminder, may have a rule of its own.",
    )
    resend_seconds: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="After how long it is sent again then. Unset: 120, or LEASE_SECONDS and a minute if that is more; less than the "
        "latter is refused.",
    )
    verify_seconds: float = Field(
        120,
        gt=0,
        allow_inf_nan=False,
        description="Where `gmail.metadata` was granted: how long after an attempt's end a mail that is not among the sent ones counts as "
        "not sent, and is sent again.",
    )
    uncertain_5xx: str = Field(
        "resend:900",
        pattern=r"^(hold|resend:[1-9][0-9]*)$",
        description="What follows a 5xx with Google's own error body: `hold`, or `resend:SECONDS` once, as a possible duplicate.",
    )
    probe_seconds: float = Field(
        15,
        gt=0,
        allow_inf_nan=False,
        description="While Gmail does not say what becomes of messages (three in a row): how often a mailbox, or a whole project, "
        "tries one.",
    )
    certificate_days: int = Field(
        365,
        ge=1,
        le=3650,
        description="How long the certificates are valid that customers upload to their service accounts.",
    )
    care_seconds: float = Field(
        10,
        gt=0,
        le=600,
        allow_inf_nan=False,
        description="How often connections are looked after. What does not work is tried out again after three times as long, then ever "
        "less often.",
    )
    confirm_seconds: float = Field(
        60,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="A refused access token stops a connection only when it is refused again so much later.",
    )

    @field_validator("redis_memory_max", mode="before")
    @classmethod
    def _parse_bytes(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found = re.fullmatch(r"([0-9]+)([kmg]?)", value.strip().lower())
        if found is None:
            message = "must be a number of bytes, with k, m or g behind it for more"
            raise ValueError(message)
        return int(found[1]) * {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}[found[2]]

    @field_validator("only_to")
    @classmethod
    def _names_somebody(cls, value: str | None) -> str | None:
        try:
            return str(OnlyTo.parse(value or "")) or None
        except NoAddress as error:
            message = f"each must be an address, or a domain behind an @: {error.why}"
            raise ValueError(message) from None

    @model_validator(mode="after")
    def _lease_covers_a_send(self) -> Self:
        minimum = self.send_window_seconds + self.http_timeout_seconds + SETTLE_SECONDS
        if self.lease_seconds < minimum:
            message = (
                f"{PREFIX}LEASE_SECONDS={self.lease_seconds:g} is too short: a send may take the send window "
                f"({self.send_window_seconds:g} s) and the HTTP time-out ({self.http_timeout_seconds:g} s), "
                f"and settling it {SETTLE_SECONDS} s more. Set at least {minimum:g}, or shorten the other two."
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _resend_waits_for_the_lease(self) -> Self:
        minimum = self.lease_seconds + 60
        if self.resend_seconds is not None and self.resend_seconds < minimum:
            message = (
                f"{PREFIX}RESEND_SECONDS={self.resend_seconds:g} is too short: what a worker still knows must be said first. "
                f"Set at least {minimum:g}: {PREFIX}LEASE_SECONDS and a minute."
            )
            raise ValueError(message)
        return self

    @property
    def resend_after(self) -> float:
        """After how many seconds a reminder that nobody can look up is sent once more.

        It counts where a rule says so.
        """
        return self.resend_seconds or max(120, self.lease_seconds + 60)
