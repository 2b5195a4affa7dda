"""Enqueueing batch after batch: while one is under way, the next is prepared.

Read `Batches.enqueue` first: it is the order of things. Preparing seals, and enqueueing waits for
the server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, TypeVar

from redis import Redis
from redis.exceptions import RedisError

from certmail.client.intake_guard import IntakeGuard
from certmail.client.known_tenants import KnownTenants
from certmail.client.preparing import Given, prepare, read_answer, read_given
from certmail.client.receipt import Receipt
from certmail.client.unreachable import unreachable
from certmail_config.base.durability import Durability, not_durable
from certmail_config.base.errors import ReminderRejected, StoresUnreachable
from certmail_config.base.ids import ConnectionId
from certmail_config.forecast.forecaster import Forecaster, Waiting
from certmail_config.jobs.reminder import Reminder
from certmail_config.ledger import Call, Enqueued, enqueue_many, run_each
from certmail_config.tenants.models import DEFAULT_NAME

T = TypeVar("T")
BATCH: Final = 400
"""Reminders in one round trip."""
TOGETHER: Final = 50
"""Reminders in one step of the server: some two milliseconds, and one write to disk.

The server serves nobody else meanwhile.
"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A reminder that may be enqueued, the call that does so, and the connection it leaves by."""

    reminder: Reminder
    connection: ConnectionId
    call: Call[Enqueued]


@dataclass(frozen=True, slots=True)
class Batch:
    """What was given, in order; with an error the server did not answer, and none of it is sent."""

    items: Sequence[Prepared | ReminderRejected]
    error: StoresUnreachable | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers to the first reminders of a batch, and what is known of the others.

    `error` says why there are no more, `unknown` of how many behind them nobody knows.
    """

    answers: Sequence[Receipt | ReminderRejected]
    error: StoresUnreachable | None = None
    unknown: int = 0


class Batches:
    """Enqueues what it is given.

    `keep_seconds` is how long an ended reminder is remembered, `now` seconds since 1970.
    """

    def __init__(
        self,
        redis: Redis,
        tenants: KnownTenants,
        intake_guard: IntakeGuard,
        forecaster: Forecaster,
        *,
        durability: Durability,
        keep_seconds: float,
        now: Callable[[], float],
    ) -> None:
        self._redis = redis
        self._tenants = tenants
        self._intake_guard = intake_guard
        self._forecaster = forecaster
        self._durability = durability
        self._keep_seconds = keep_seconds
        self._now = now

    def enqueue(self, source: Iterator[Sequence[Given]]) -> Iterator[Answered]:
        """Enqueue batch after batch; one that is not answered to its end is the last.

        Raises TypeError for what is no reminder.

        A batch is sent when the answers to the last were consumed. One alone needs no thread.
        """
        batch = self._prepare_all(next(source, ()))
        with ThreadPoolExecutor(1, "certmail-send") as thread:
            for given in source:
                if batch.error is not None:
                    break

                under_way = thread.submit(self._send, batch)
                batch = self._prepare_all(given)
                answered = under_way.result()
                yield answered

                if answered.error is not None:
                    return

        yield self._send(batch)

    def prepare(self, given: Given) -> Prepared | ReminderRejected:
        """Make a reminder ready to be enqueued, or say what is wrong with it.

        Raises RedisError, and TypeError.
        """
        reminder = read_given(given)
        if isinstance(reminder, ReminderRejected):
            return reminder
        known = self._tenants.get(reminder.tenant)
        if isinstance(known, ReminderRejected):
            return known

        call = prepare(reminder, known, now=self._now(), keep_seconds=self._keep_seconds)
        if isinstance(call, ReminderRejected):
            return call
        assert known is not None, "without a tenant it was rejected"
        return Prepared(
            reminder, known.tenant.connections[reminder.connection or DEFAULT_NAME], call
        )

    def _prepare_all(self, batch: Sequence[Given]) -> Batch:
        try:
            return Batch([self.prepare(each) for each in batch])
        except RedisError as error:
            return Batch([], unreachable(error))

    def _send(self, batch: Batch) -> Answered:
        """Enqueue what can be; where the server refused one, what comes after it is not known."""
        if batch.error is not None:
            return Answered([], batch.error)
        calls = [item.call for item in batch.items if isinstance(item, Prepared)]
        if not calls:
            return Answered([item for item in batch.items if isinstance(item, ReminderRejected)])

        try:
            # Only now: what was prepared meanwhile is not in yet.
            tenant_share = self._intake_guard.look(len(calls))
        except RedisError as error:
            return Answered([], unreachable(error))
        except StoresUnreachable as error:
            return Answered([], error)

        try:
            together = [enqueue_many(some, tenant_share) for some in split(calls, TOGETHER)]
            enqueued, durable = run_each(self._redis, together, replicas=self._durability.replicas)
        except RedisError as error:
            return Answered([], unreachable(error), unknown=len(batch.items))
        if not durable:
            return Answered([], not_durable(self._durability), unknown=len(batch.items))

        answered = read_answers(batch.items, enqueued)
        return replace(answered, answers=self._with_forecasts(batch.items, answered.answers))

    def _with_forecasts(
        self,
        items: Sequence[Prepared | ReminderRejected],
        answers: Sequence[Receipt | ReminderRejected],
    ) -> Sequence[Receipt | ReminderRejected]:
        """The answers, each receipt with the time at which its reminder is expected to leave."""
        waiting = {
            index: Waiting(answer.id, item.connection, answer.state, _send_at(item.reminder))
            for index, (item, answer) in enumerate(zip(items, answers, strict=False))
            if isinstance(item, Prepared) and isinstance(answer, Receipt)
        }

        try:
            times = dict(zip(waiting, self._forecaster.of(list(waiting.values())), strict=True))
        except RedisError:
            # What was taken in was taken in, whether its time can be told or not.
            return answers

        return [
            replace(answer, forecast_at=times[index]) if isinstance(answer, Receipt) else answer
            for index, answer in enumerate(answers)
        ]


def read_answers(
    items: Sequence[Prepared | ReminderRejected], enqueued: Iterable[list[Enqueued] | RedisError]
) -> Answered:
    """The answers in the order of what was given, up to the first that the server refused.

    `enqueued` has those of many calls each.
    """
    of_server = _one_by_one(enqueued)
    answers: list[Receipt | ReminderRejected] = []

    for item in items:
        if isinstance(item, ReminderRejected):
            answers.append(item)
            continue
        answer = next(of_server)
        if isinstance(answer, RedisError):
            return Answered(answers, unreachable(answer), unknown=len(items) - len(answers))
        answers.append(read_answer(answer, item.reminder))

    return Answered(answers)


def _one_by_one(enqueued: Iterable[list[Enqueued] | RedisError]) -> Iterator[Enqueued | RedisError]:
    """One answer for each reminder.

    A refusal stands for the first of those that the server would have answered.
    """
    for some in enqueued:
        if isinstance(some, RedisError):
            yield some
        else:
            yield from some


def split(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` items, the last one shorter; nothing is taken before it is asked for."""
    source = iter(items)
    while some := list(islice(source, size)):
        yield some


def _send_at(reminder: Reminder) -> float | None:
    return None if reminder.send_at is None else reminder.send_at.timestamp()
