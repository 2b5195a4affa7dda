"""Enqueueing batch after batch: while one is under way, the next is prepared and sent.

Read `Batches.enqueue` first: it is the order of things. Preparing seals; a batch begins when it is
sent, and ends when the server has answered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import Any, Final, TypeVar

from redis import Redis
from redis.exceptions import RedisError

from certmail.client.preparing import Given, read_answer, read_given
from certmail.client.receipt import Receipt
from certmail.client.unreachable import unreachable
from certmail_config.base.durability import Durability, not_durable
from certmail_config.base.errors import ReminderRejected, StoresUnreachable
from certmail_config.base.ids import ConnectionId
from certmail_config.forecast.forecaster import Forecaster, Place
from certmail_config.forecast.recent_surveys import RecentSurveys
from certmail_config.intake.intake_guard import IntakeGuard
from certmail_config.intake.known_tenants import KnownTenants
from certmail_config.intake.preparing import prepare
from certmail_config.jobs.reminder import Reminder
from certmail_config.ledger import Call, Enqueued, enqueue_many, run_each
from certmail_config.ledger.overlapping import Overlapping
from certmail_config.ledger.survey import survey
from certmail_config.tenants.models import DEFAULT_NAME
from certmail_config.tracing.spans import NO_TRACING, Taken, Tracing

T = TypeVar("T")
BATCH: Final = 50
"""Reminders in one step of the server: some two milliseconds, and one write to disk.

The server serves nobody else meanwhile.
"""
UNDER_WAY: Final = 8
"""Batches that are sent before the first is answered.

With fewer, server and client wait for each other; larger ones do not fit into what a socket holds.
"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A reminder that may be enqueued, the call that does so, and the connection it leaves by.

    `fallback` is the locale of its tenant's mails, where that has named one.
    """

    reminder: Reminder
    connection: ConnectionId
    call: Call[Enqueued]
    fallback: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """What was given, in order; with an error the server did not answer, and none of it is sent."""

    items: Sequence[Prepared | ReminderRejected]
    error: StoresUnreachable | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A batch under way: what of it was sent, and the lanes that are looked at with it.

    With an error none of it was, and nothing is behind it. `trace` is what traces know of it.
    """

    items: Sequence[Prepared | ReminderRejected]
    prepared: Sequence[Prepared]
    lanes: Sequence[ConnectionId]
    error: StoresUnreachable | None = None
    trace: object = None


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
        tracing: Tracing = NO_TRACING,
    ) -> None:
        self._redis = redis
        self._tenants = tenants
        self._intake_guard = intake_guard
        self._forecaster = forecaster
        self._surveys = RecentSurveys()
        self._durability = durability
        self._keep_seconds = keep_seconds
        self._now = now
        self._tracing = tracing

    def enqueue(self, source: Iterator[Sequence[Given]]) -> Iterator[Answered]:
        """Enqueue batch after batch; one that is not answered to its end is the last.

        Raises TypeError for what is no reminder.

        While the server works on some the next is prepared and sent, so that neither waits for the
        other: `UNDER_WAY` at most, and then one is sent when the answers to another were consumed.
        """
        batch = self._prepare_all(next(source, ()))
        following = next(source, None)
        if following is None:
            yield self._send(batch)
            return

        with Overlapping(self._redis, replicas=self._durability.replicas) as calls:
            under_way = deque([self._begin(batch, calls.send)])
            for given in chain([following], source):
                if under_way[-1].error is not None:
                    break
                under_way.append(self._begin(self._prepare_all(given), calls.send))
                if len(under_way) < UNDER_WAY:
                    continue
                yield (answered := self._end(under_way.popleft(), calls.receive, under_way))
                if answered.error is not None:
                    return

            while under_way:
                yield (answered := self._end(under_way.popleft(), calls.receive, under_way))
                if answered.error is not None:
                    return

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
        tenant = known.tenant
        connection = tenant.connections[reminder.connection or DEFAULT_NAME]
        return Prepared(reminder, connection, call, tenant.locale)

    def _prepare_all(self, batch: Sequence[Given]) -> Batch:
        try:
            return Batch([self.prepare(each) for each in batch])
        except RedisError as error:
            return Batch([], unreachable(error))

    def _send(self, batch: Batch) -> Answered:
        """Enqueue a batch that is alone."""
        sent: list[Sequence[Call[Any]]] = []
        begun = self._begin(batch, sent.append)
        replicas = self._durability.replicas
        return self._end(begun, lambda: run_each(self._redis, sent.pop(), replicas=replicas), ())

    def _begin(self, batch: Batch, send: Callable[[Sequence[Call[Any]]], None]) -> Begun:
        """Send what can be of a batch, unless there is no room for it."""
        trace = self._tracing.begin_enqueue(len(batch.items))
        prepared = [item for item in batch.items if isinstance(item, Prepared)]
        if batch.error is not None or not prepared:
            return Begun(batch.items, [], [], batch.error)

        try:
            # Only now: what was prepared meanwhile is not in yet.
            tenant_share = self._intake_guard.look(len(prepared))
        except RedisError as error:
            return Begun([], [], [], unreachable(error))
        except StoresUnreachable as error:
            return Begun([], [], [], error)

        together: Call[Any] = enqueue_many([item.call for item in prepared], tenant_share)
        # Lanes that were not seen for a while are looked at in the same round trip.
        lanes = self._surveys.missing((item.connection for item in prepared), len(prepared))
        send([together, *(survey(lane) for lane in lanes)])
        return Begun(batch.items, prepared, lanes, trace=trace)

    def _end(
        self,
        begun: Begun,
        receive: Callable[[], tuple[list[Any], bool]],
        behind: Iterable[Begun],
    ) -> Answered:
        """The answers to a batch; where the server refused one, what comes after is not known."""
        if not begun.prepared:
            return Answered(read_answers(begun.items, (), ()), begun.error)

        unknown = len(begun.items) + sum(len(each.items) for each in behind)
        try:
            found, durable = receive()
        except RedisError as error:
            return Answered([], unreachable(error), unknown=unknown)
        if not durable:
            return Answered([], not_durable(self._durability), unknown=unknown)

        enqueued, *surveys = found
        for lane, seen in zip(begun.lanes, surveys, strict=True):
            # What was taken in was taken in, whether its time can be told or not.
            if not isinstance(seen, RedisError):
                self._surveys.keep(lane, seen)

        settled, refused = _until_refused(enqueued)
        self._tracing.end_enqueue(begun.trace, _taken(begun.items, settled))
        answers = read_answers(begun.items, settled, self._times(begun.prepared, settled))
        if refused is not None:
            return Answered(answers, unreachable(refused), unknown=unknown - len(answers))
        return Answered(answers)

    def _times(
        self, prepared: Sequence[Prepared], settled: Sequence[Enqueued]
    ) -> Sequence[datetime | None]:
        """When each reminder that was taken in is expected to leave."""
        places = [
            None
            if answer.ahead is None
            else Place(item.connection, answer.ahead, _send_at(item.reminder))
            for item, answer in zip(prepared, settled, strict=False)
        ]
        try:
            return self._forecaster.of_places(places, self._surveys.get)
        except RedisError:
            return [None] * len(places)


def read_answers(
    items: Sequence[Prepared | ReminderRejected],
    settled: Iterable[Enqueued],
    times: Iterable[datetime | None],
) -> list[Receipt | ReminderRejected]:
    """The answers in the order of what was given, as far as the server's reach."""
    of_server = zip(settled, times, strict=True)
    answers: list[Receipt | ReminderRejected] = []

    for item in items:
        if isinstance(item, ReminderRejected):
            answers.append(item)
            continue
        found = next(of_server, None)
        if found is None:
            break
        answers.append(read_answer(found[0], item.reminder, found[1], item.fallback))

    return answers


def _taken(
    items: Sequence[Prepared | ReminderRejected], settled: Iterable[Enqueued]
) -> Iterator[Taken]:
    """Those that are in, as traces tell of them."""
    sent = ((n, item) for n, item in enumerate(items) if isinstance(item, Prepared))
    for (place, item), answer in zip(sent, settled, strict=False):
        if answer.code in {"enqueued", "duplicate"} and answer.state is not None:
            yield Taken(
                place,
                answer.id,
                item.reminder.tenant,
                item.connection,
                answer.state,
                answer.code == "duplicate",
            )


def _until_refused(
    enqueued: list[Enqueued | RedisError] | RedisError,
) -> tuple[list[Enqueued], RedisError | None]:
    """The answers up to the first that the server refused, and that refusal."""
    settled: list[Enqueued] = []

    for each in [enqueued] if isinstance(enqueued, RedisError) else enqueued:
        if isinstance(each, RedisError):
            return settled, each
        settled.append(each)

    return settled, None


def split(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` items, the last one shorter; nothing is taken before it is asked for."""
    source = iter(items)
    while some := list(islice(source, size)):
        yield some


def _send_at(reminder: Reminder) -> float | None:
    return None if reminder.send_at is None else reminder.send_at.timestamp()
