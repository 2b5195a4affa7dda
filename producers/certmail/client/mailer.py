"""The Python client: check, seal and enqueue reminders; ask for their status.

Needs Redis and no secret; for `campaigns` the gateway, and an API key.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import cached_property, partial
from types import TracebackType
from typing import Any, Final, Self

from redis import Redis
from redis.exceptions import RedisError

from certmail.client.batches import BATCH, Batches, split
from certmail.client.campaigns import Campaigns
from certmail.client.preparing import Given, require_several
from certmail.client.receipt import Receipt
from certmail.client.unreachable import unreachable
from certmail_config.base.durability import FSYNC, Durability
from certmail_config.base.errors import BatchInterrupted, ReminderRejected
from certmail_config.base.ids import job_id as as_job_id
from certmail_config.crypto.signing import parse_public
from certmail_config.forecast.forecaster import Forecaster
from certmail_config.intake.intake_guard import IntakeGuard
from certmail_config.intake.known_tenants import KnownTenants
from certmail_config.jobs.languages import why_another
from certmail_config.jobs.reminder import Reminder
from certmail_config.ledger import Cancellation, cancel, run
from certmail_config.ledger.cancelling import Cancelled, cancel_pages
from certmail_config.ledger.view import JobView
from certmail_config.settings import Settings
from certmail_config.status.job_lookup import look_up
from certmail_config.stores.capacity import StoreLimits
from certmail_config.stores.connect import connect, redis_server
from certmail_config.tenants.pinning import Pin, signed_by
from certmail_config.tracing.process import process_tracing
from certmail_config.tracing.spans import NO_TRACING, Tracing

_DAY = 86400.0
LOOKED_UP: Final = 200
"""Jobs that are looked up in one round trip."""


class Mailer:
    """Enqueues reminders.

    Not for several threads at once; close it, or use it as a context manager.

    Every method raises StoresUnreachable when Redis does not answer; nothing is promised then, and
    the same reminders may be sent again: what was taken in before is a duplicate, not a second
    mail. So does sending when Redis does not keep what CERTMAIL_DURABILITY asks for
    (`durability_unproven`, `not_durable`) or is full (`redis_full`, `stream_full`).
    """

    def __init__(
        self,
        redis: Redis,
        *,
        dedupe_days: int = 90,
        durability: Durability = FSYNC,
        limits: StoreLimits = StoreLimits(),  # noqa: B008 - frozen
        now: Callable[[], float] = time.time,
        pin: Pin | None = None,
        tracing: Tracing = NO_TRACING,
        campaigns: Callable[[], Campaigns] = Campaigns.from_env,
    ) -> None:
        self.redis = redis
        self._open_campaigns = campaigns
        self.tracing = tracing
        self._now = now
        self._forecaster = Forecaster(redis, now=now)
        self._intake_guard = IntakeGuard(redis, durability, limits)
        self._batches = Batches(
            redis,
            KnownTenants(redis, pin),
            self._intake_guard,
            self._forecaster,
            durability=durability,
            keep_seconds=dedupe_days * _DAY,
            now=now,
            tracing=tracing,
        )
        self._stack = ExitStack()

    @classmethod
    def from_env(cls, settings: Settings | None = None, *, proven: bool = True) -> Self:
        """Open the server that CERTMAIL_REDIS_URL names, or the embedded one.

        It must prove that it keeps what CERTMAIL_DURABILITY says; without `proven` not before
        something is sent, so that `status` can be asked of any.
        """
        settings = settings or Settings.from_env()

        with ExitStack() as stack:
            redis = stack.enter_context(
                connect(stack.enter_context(redis_server(settings, proven=proven)))
            )
            mailer = cls(redis, **_from_settings(settings))
            mailer._stack = stack.pop_all()

        return mailer

    @classmethod
    def over(cls, redis: Redis, settings: Settings, *, pin: Pin | None = None) -> Self:
        """Use a client that is open already, and stays so.

        `pin` says which public keys are the tenants'.
        """
        return cls(redis, **(_from_settings(settings) | ({"pin": pin} if pin is not None else {})))

    @cached_property
    def campaigns(self) -> Campaigns:
        """Campaigns that certmail plans, through the gateway; raises SettingsError without a key."""
        return self._stack.enter_context(self._open_campaigns())

    def close(self) -> None:
        """Let the connection go; the embedded server stops if nobody else uses it."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def send(self, reminder: Given) -> Receipt:
        """Enqueue one reminder, or a mapping of its fields; raises ReminderRejected."""
        [answer] = self.send_many([reminder])
        if isinstance(answer, ReminderRejected):
            raise answer
        return answer

    def check(self, reminder: Given) -> ReminderRejected | None:
        """Say why a reminder would be rejected now; None if it would not be.

        As far as that is known before it is sent.
        """
        try:
            prepared = self._batches.prepare(reminder)
        except RedisError as error:
            raise unreachable(error) from error
        return prepared if isinstance(prepared, ReminderRejected) else None

    def language_note(self, reminder: Reminder) -> str | None:
        """Say why its mail would not be in the language that it asks for; None where it would be.

        As its receipt would say it.
        """
        if why_another(reminder.locale) is None:
            return None

        try:
            prepared = self._batches.prepare(reminder)
        except RedisError as error:
            raise unreachable(error) from error
        fallback = None if isinstance(prepared, ReminderRejected) else prepared.fallback
        return why_another(reminder.locale, fallback)

    def send_many(self, reminders: Iterable[Given]) -> Iterator[Receipt | ReminderRejected]:
        """Enqueue many, some hundreds under way at once; yields an answer for each, in order.

        Each may be a mapping of its fields.

        A ReminderRejected among them is its own answer, so that those to a file's rows stay in step
        with the rows. A receipt is yielded only once it is durable. Up to 400 are taken from
        `reminders` and sent before the first is answered, further ones only when answers were
        consumed, so consume them to the end. Raises BatchInterrupted, which says which are in,
        after the answers to all that were settled.
        """
        require_several(reminders)
        answered = 0

        for batch in self._batches.enqueue(split(reminders, BATCH)):
            yield from batch.answers
            answered += len(batch.answers)
            if batch.error is not None:
                raise BatchInterrupted(
                    batch.error, answered=answered, unknown=batch.unknown
                ) from batch.error

    def status(self, job_id: str) -> JobView | None:
        """A job as it stands; None if it is unknown or was forgotten after DEDUPE_DAYS."""
        [view] = self.status_many([job_id])
        return view

    def status_many(self, job_ids: Iterable[str]) -> list[JobView | None]:
        """Many jobs as they stand, in order; None for those that are unknown or were forgotten.

        A few hundred per round trip.
        """
        found: list[JobView | None] = []
        try:
            for ids in split(job_ids, LOOKED_UP):
                found += look_up(
                    self.redis, self._forecaster, [as_job_id(id_) for id_ in ids], self._now()
                )
        except RedisError as error:
            raise unreachable(error) from error
        return found

    def cancel(self, job_id: str, *, reason: str = "by the application") -> Cancellation:
        """Call a reminder off, at any moment before its request is under way."""
        try:
            return run(self.redis, cancel(as_job_id(job_id), f"cancelled: {reason}"))
        except RedisError as error:
            raise unreachable(error) from error

    def cancel_all(
        self,
        tenant: str,
        *,
        campaign: str = "",
        connection: str = "",
        reason: str = "by the application",
    ) -> Cancelled:
        """Call off all unfinished reminders of a tenant, or of one of its campaigns or connections.

        `connection` is a connection's id. Those enqueued while this runs may stay. Interrupted, it
        may be called again.
        """
        try:
            return cancel_pages(self.redis, tenant, campaign, connection, f"cancelled: {reason}")
        except RedisError as error:
            raise unreachable(error) from error


def _from_settings(settings: Settings) -> dict[str, Any]:
    """The constructor's arguments that come from the settings."""
    return {
        "dedupe_days": settings.dedupe_days,
        "durability": Durability.parse(settings.durability),
        "limits": StoreLimits(settings.redis_memory_max, settings.events_max),
        "pin": signed_by(parse_public(settings.deployment_key))
        if settings.deployment_key
        else None,
        "tracing": process_tracing("certmail-producer").tracing,
        "campaigns": partial(Campaigns.from_env, settings),
    }
