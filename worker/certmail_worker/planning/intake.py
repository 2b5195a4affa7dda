"""Taking planned mails in, as producers do: sealed, in bulk, durably, each once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from redis import Redis
from redis.exceptions import RedisError

from certmail_config.base.durability import Durability, not_durable
from certmail_config.base.errors import ReminderRejected
from certmail_config.base.ids import JobId
from certmail_config.intake.intake_guard import IntakeGuard
from certmail_config.intake.known_tenants import KnownTenants
from certmail_config.intake.preparing import KnownTenant, prepare
from certmail_config.jobs.reminder import Reminder
from certmail_config.ledger import Call, Enqueued, enqueue_many, run_each
from certmail_config.ledger.unwanted.references import References

BATCH: Final = 50
"""Mails in one step of the server: some two milliseconds, and one write to disk."""


class ToTakeIn(NamedTuple):
    """A planned mail as a job: its id, and for whom it is wanted until when."""

    job: JobId
    reminder: Reminder
    told_of: Sequence[tuple[str, str]]
    closes_at: float | None


class PlannedIntake:
    """Takes planned mails in; `now` is seconds since 1970. Not for several threads at once."""

    def __init__(
        self,
        redis: Redis,
        tenants: KnownTenants,
        guard: IntakeGuard,
        *,
        durability: Durability,
        keep_seconds: float,
        now: Callable[[], float],
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._redis = redis
        self._tenants = tenants
        self._guard = guard
        self._durability = durability
        self._keep_seconds = keep_seconds
        self._now = now
        self.clock = clock

    @property
    def replicas(self) -> int:
        """How many replicas have to confirm what is written."""
        return self._durability.replicas

    def take_in(
        self, tenant: str, mails: Sequence[ToTakeIn]
    ) -> list[Enqueued | ReminderRejected | RedisError]:
        """Enqueue some of a tenant's mails; each has its answer, in order.

        Raises StoresUnreachable, RedisError: then some of them may be in, and may be given again.
        """
        answers: list[Enqueued | ReminderRejected | RedisError] = []
        for start in range(0, len(mails), BATCH):
            answers += self._take_in(tenant, mails[start : start + BATCH])
        return answers

    def _take_in(
        self, tenant: str, mails: Sequence[ToTakeIn]
    ) -> list[Enqueued | ReminderRejected | RedisError]:
        known = self._tenants.get(tenant)
        if isinstance(known, ReminderRejected):
            return [known for _ in mails]

        prepared = [self._prepare(each, known) for each in mails]
        calls = [each for each in prepared if isinstance(each, Call)]
        taken = iter(self._run(calls))
        return [next(taken) if isinstance(each, Call) else each for each in prepared]

    def _prepare(
        self, mail: ToTakeIn, known: KnownTenant | None
    ) -> Call[Enqueued] | ReminderRejected:
        wants = ""
        if known is not None:
            wants = References(known.tenant.salt).wants(mail.told_of, mail.closes_at)
        return prepare(
            mail.reminder,
            known,
            now=self._now(),
            keep_seconds=self._keep_seconds,
            job=mail.job,
            wants=wants,
            clock=None if self.clock is None else self.clock(),
        )

    def _run(self, calls: Sequence[Call[Enqueued]]) -> list[Enqueued | RedisError]:
        if not calls:
            return []
        share = self._guard.look(len(calls))
        together: Call[Any] = enqueue_many(calls, share)
        [found], durable = run_each(self._redis, [together], replicas=self._durability.replicas)
        if isinstance(found, RedisError):
            raise found
        if not durable:
            raise not_durable(self._durability)
        taken: list[Enqueued | RedisError] = found
        return taken
