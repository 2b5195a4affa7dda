"""The Python client: check, seal and enqueue reminders; ask for their status. Needs Redis and no secret."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, islice
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from redis import Redis
from redis.exceptions import OutOfMemoryError, RedisError

from certmail.lookout import Lookout
from certmail.preparing import Given, Known, not_the_tenants, prepare, read_answer, read_given, several
from certmail.receipt import Receipt
from certmail_config import keys
from certmail_config.connections import DEFAULT_NAME
from certmail_config.durability import FSYNC, Durability, not_durable
from certmail_config.errors import BatchInterrupted, ReminderRejected, StoresUnreachable
from certmail_config.ids import ConnectionId
from certmail_config.ids import job_id as as_job_id
from certmail_config.ledger import Call, Cancellation, Enqueued, cancel, enqueue_many, run, run_each
from certmail_config.ledger.cancelling import Cancelled, cancel_pages
from certmail_config.ledger.view import JobView
from certmail_config.looking_up import look_up
from certmail_config.outlook import Outlook, Waiting
from certmail_config.pinning import Pin, signed_by
from certmail_config.redis_words import refused
from certmail_config.reminder import Reminder
from certmail_config.room import Limits
from certmail_config.sealing import Sealer
from certmail_config.settings import Settings
from certmail_config.signing import parse_public
from certmail_config.stores import connect, redis_server
from certmail_config.working_copy import read_tenant

T = TypeVar("T")
BATCH = 400
"""So many in one round trip."""
TOGETHER = 50
"""So many in one step of the server, which serves nobody else meanwhile: some two milliseconds, and one write to disk."""
TENANT_SECONDS = 5.0
"""How long what is known of a tenant is trusted; a new connection is seen after at most this time."""
_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some reminders, and what each is to the ledger; what was given and is none stands as why."""

    reminders: list[Reminder | ReminderRejected]
    prepared: list[Call[Enqueued] | ReminderRejected]


@dataclass(frozen=True, slots=True)
class _Sent:
    """The answers to the first of a batch; why there are no more, and of how many behind them nobody knows."""

    answers: list[Receipt | ReminderRejected]
    error: StoresUnreachable | None = None
    unknown: int = 0


class Mailer:
    """Enqueues reminders. Not for several threads at once; close it, or use it as a context manager.

    Every method raises StoresUnreachable when Redis does not answer; nothing is promised then, and the same reminders
    may be sent again: what was taken in before is a duplicate, not a second mail. So does sending when Redis does not
    keep what CERTMAIL_DURABILITY asks for (`durability_unproven`, `not_durable`) or is full (`redis_full`, `stream_full`).
    """

    def __init__(
        self,
        redis: Redis,
        *,
        dedupe_days: int = 90,
        durability: Durability = FSYNC,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        now: Callable[[], float] = time.time,
        pin: Pin | None = None,
    ) -> None:
        self.redis = redis
        self._pin = pin
        self._durability = durability
        self._lookout = Lookout(redis, durability, limits)
        self._keep_seconds = dedupe_days * _DAY
        self._now = now
        self._outlook = Outlook(redis, now=now)
        self._tenants: dict[str, tuple[float, Known]] = {}
        self._stack = ExitStack()

    @classmethod
    def from_env(cls, settings: Settings | None = None, *, proven: bool = True) -> Self:
        """Open the server that CERTMAIL_REDIS_URL names, or the embedded one.

        It must prove that it keeps what CERTMAIL_DURABILITY says; without `proven` not before something is sent, so that
        `status` can be asked of any.
        """
        settings = settings or Settings.from_env()
        with ExitStack() as stack:
            redis = stack.enter_context(connect(stack.enter_context(redis_server(settings, proven=proven))))
            mailer = cls(redis, **_given(settings))
            mailer._stack = stack.pop_all()
        return mailer

    @classmethod
    def over(cls, redis: Redis, settings: Settings, *, pin: Pin | None = None) -> Self:
        """Use a client that is open already, and stays so; `pin` says which public keys are the tenants'."""
        return cls(redis, **(_given(settings) | ({"pin": pin} if pin is not None else {})))

    def close(self) -> None:
        """Let the connection go; the embedded server stops if nobody else uses it."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, reminder: Given) -> Receipt:
        """Enqueue one reminder, or a mapping of its fields; raises ReminderRejected."""
        [answer] = self.send_many([reminder])
        if isinstance(answer, ReminderRejected):
            raise answer
        return answer

    def check(self, reminder: Given) -> ReminderRejected | None:
        """Say why a reminder would be rejected now, as far as that is known before it is sent; None if it would not be."""
        try:
            prepared = self._prepare(read_given(reminder))
        except RedisError as error:
            raise _unreachable(error) from error
        return prepared if isinstance(prepared, ReminderRejected) else None

    def send_many(self, reminders: Iterable[Given]) -> Iterator[Receipt | ReminderRejected]:
        """Enqueue many, a few hundred per round trip; yields an answer for each, in order. Each may be a mapping of its fields.

        A receipt is yielded only once it is durable. While a batch is under way the next is taken from `reminders` and prepared;
        it is sent when the answers to the last were consumed, so consume them to the end. Raises BatchInterrupted, which says
        which are in, after the answers to all that were settled.
        """
        several(reminders)
        answered = 0
        for sent in self._sent(batches(reminders, BATCH)):
            yield from sent.answers
            answered += len(sent.answers)
            if sent.error is not None:
                raise BatchInterrupted(sent.error, answered=answered, unknown=sent.unknown) from sent.error

    def _sent(self, source: Iterator[list[Given]]) -> Iterator[_Sent]:
        """Send batch after batch; while one is under way the next is prepared."""
        first = self._prepared(next(source, []))
        second = next(source, None)
        if second is None:
            yield first if isinstance(first, _Sent) else self._send_batch(first)
            return
        with ThreadPoolExecutor(1, "certmail-send") as thread:
            for batch in chain([second], source, [[]]):
                if isinstance(first, _Sent):
                    break
                under_way = thread.submit(self._send_batch, first)
                first = self._prepared(batch)
                sent = under_way.result()
                yield sent
                if sent.error is not None:
                    return
        if isinstance(first, _Sent):
            yield first

    def status(self, job_id: str) -> JobView | None:
        """A job as it stands; None if it is unknown or was forgotten after DEDUPE_DAYS."""
        [view] = self.status_many([job_id])
        return view

    def status_many(self, job_ids: Iterable[str]) -> list[JobView | None]:
        """Many jobs as they stand, in order; None for those that are unknown or were forgotten. A few hundred per round trip."""
        found: list[JobView | None] = []
        try:
            for ids in batches(job_ids, BATCH):
                found += look_up(self.redis, self._outlook, [as_job_id(id_) for id_ in ids], self._now())
        except RedisError as error:
            raise _unreachable(error) from error
        return found

    def cancel(self, job_id: str, *, reason: str = "by the application") -> Cancellation:
        """Call a reminder off, at any moment before its request is under way."""
        try:
            return run(self.redis, cancel(as_job_id(job_id), f"cancelled: {reason}"))
        except RedisError as error:
            raise _unreachable(error) from error

    def cancel_all(
        self, tenant: str, *, campaign: str = "", connection: str = "", reason: str = "by the application"
    ) -> Cancelled:
        """Call off all unfinished reminders of a tenant, or of one of its campaigns or connections (its id).

        Those enqueued while this runs may stay. Interrupted, it may be called again.
        """
        try:
            return cancel_pages(self.redis, tenant, campaign, connection, f"cancelled: {reason}")
        except RedisError as error:
            raise _unreachable(error) from error

    def _prepared(self, batch: list[Given]) -> _Batch | _Sent:
        """A batch that may be sent, or why none of it is."""
        if not batch:
            return _Batch([], [])
        try:
            reminders = [read_given(each) for each in batch]
            return _Batch(reminders, [self._prepare(each) for each in reminders])
        except RedisError as error:
            return _Sent([], _unreachable(error))

    def _send_batch(self, batch: _Batch) -> _Sent:
        """Enqueue what can be; where the server refused one, what comes after it is not known."""
        calls = [item for item in batch.prepared if not isinstance(item, ReminderRejected)]
        if not calls:
            return _Sent([item for item in batch.prepared if isinstance(item, ReminderRejected)])
        try:
            most = self._lookout.look(len(calls))  # only now: what was prepared meanwhile is not in yet
        except RedisError as error:
            return _Sent([], _unreachable(error))
        except StoresUnreachable as error:
            return _Sent([], error)
        try:
            together = [enqueue_many(some, most) for some in batches(calls, TOGETHER)]
            enqueued, durable = run_each(self.redis, together, replicas=self._durability.replicas)
        except RedisError as error:
            return _Sent([], _unreachable(error), unknown=len(batch.reminders))
        if not durable:
            return _Sent([], not_durable(self._durability), unknown=len(batch.reminders))
        answers = iter(list(_flat(enqueued)))
        done: list[Receipt | ReminderRejected] = []
        refused: StoresUnreachable | None = None
        for reminder, item in zip(batch.reminders, batch.prepared, strict=True):
            if isinstance(item, ReminderRejected) or isinstance(reminder, ReminderRejected):
                done.append(cast("ReminderRejected", item))  # what is none was not prepared either
                continue
            answer = next(answers)
            if isinstance(answer, RedisError):
                refused = _unreachable(answer)
                break
            done.append(read_answer(answer, reminder))
        told = self._foretell(batch.reminders[: len(done)], done)
        return _Sent(told, refused, unknown=len(batch.reminders) - len(done))

    def _foretell(
        self, batch: Sequence[Reminder | ReminderRejected], done: Sequence[Receipt | ReminderRejected]
    ) -> list[Receipt | ReminderRejected]:
        """Say on each receipt when it will leave."""
        waiting = {
            index: Waiting(receipt.id, connection, receipt.state, _seconds(reminder.send_at))
            for index, (reminder, receipt) in enumerate(zip(batch, done, strict=True))
            if isinstance(receipt, Receipt)
            and isinstance(reminder, Reminder)
            and (connection := self._connection(reminder))
        }
        try:
            times = dict(zip(waiting, self._outlook.of(list(waiting.values())), strict=True))
        except RedisError:
            return list(done)  # what was taken in was taken in, whether its time can be told or not
        return [
            replace(receipt, forecast_at=times[index])
            if isinstance(receipt, Receipt) and index in times
            else receipt
            for index, receipt in enumerate(done)
        ]

    def _connection(self, reminder: Reminder) -> ConnectionId | None:
        known = self._tenants.get(reminder.tenant)
        return known[1].tenant.connections.get(reminder.connection or DEFAULT_NAME) if known else None

    def _prepare(self, reminder: Reminder | ReminderRejected) -> Call[Enqueued] | ReminderRejected:
        if isinstance(reminder, ReminderRejected):
            return reminder
        known = self._tenant(reminder.tenant)
        if isinstance(known, ReminderRejected):
            return known
        return prepare(reminder, known, now=self._now(), keep_seconds=self._keep_seconds)

    def _tenant(self, tenant: str) -> Known | ReminderRejected | None:
        found = self._tenants.get(tenant)
        if found is not None and found[0] > time.monotonic():
            return found[1]
        fields = cast("dict[bytes, bytes]", self.redis.hgetall(keys.TENANT + tenant))
        view = read_tenant(fields, tenant)
        if view is None:
            return None
        if self._pin is not None and not self._pin(tenant, fields):
            return not_the_tenants(tenant)
        # The sealer is kept as long as the key is the same: it holds the data key of the hour.
        same = found is not None and found[1].tenant.public_key == view.public_key
        known = Known(view, found[1].sealer if found and same else Sealer(view.public_key))
        self._tenants[tenant] = (time.monotonic() + TENANT_SECONDS, known)
        return known


def _given(settings: Settings) -> dict[str, Any]:
    """What the constructor takes of the settings."""
    return {
        "dedupe_days": settings.dedupe_days,
        "durability": Durability.parse(settings.durability),
        "limits": Limits(settings.redis_memory_max, settings.events_max),
        "pin": signed_by(parse_public(settings.deployment_key)) if settings.deployment_key else None,
    }


def _flat(
    enqueued: Iterable[list[Enqueued] | RedisError],
) -> Iterator[Enqueued | RedisError]:
    """One answer each; what the server refused stands for the first of those that it would have answered."""
    for some in enqueued:
        if isinstance(some, RedisError):
            yield some
        else:
            yield from some


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """So many at a time, the last ones fewer; nothing is taken before it is asked for."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


def _seconds(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()


def _unreachable(error: RedisError) -> StoresUnreachable:
    if isinstance(error, OutOfMemoryError):  # somebody else filled it since the last look
        return StoresUnreachable(
            "redis_full", "Redis is full: it takes nothing more.", "Give it more memory (maxmemory)."
        )
    return refused(error) or StoresUnreachable(
        "redis_unreachable",
        f"Redis does not answer: {error}",
        "Start it, or check CERTMAIL_REDIS_URL; then send again.",
    )
