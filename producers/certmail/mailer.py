"""The Python client: check, seal and enqueue reminders; ask for their status. Needs Redis and no secret."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from types import TracebackType
from typing import Self, cast

from redis import Redis
from redis.exceptions import OutOfMemoryError, RedisError

from certmail.cancelling import Cancelled, cancel_pages
from certmail.lookout import Lookout
from certmail.receipt import Receipt
from certmail_config import keys
from certmail_config.connections import DEFAULT_NAME, TenantState
from certmail_config.durability import FSYNC, Durability, not_durable
from certmail_config.errors import ReminderRejected, StoresUnreachable
from certmail_config.ids import ConnectionId, JobId, uuid7
from certmail_config.ledger import Call, Cancellation, Enqueued, cancel, enqueue, run, run_many
from certmail_config.ledger.view import JobView, read_job
from certmail_config.outlook import Outlook, Waiting
from certmail_config.pauses import pause_of
from certmail_config.reminder import Reminder
from certmail_config.room import Limits
from certmail_config.sealing import Sealer
from certmail_config.settings import Settings
from certmail_config.states import State
from certmail_config.stores import connect, redis_server
from certmail_config.working_copy import TenantView, read_tenant

BATCH = 200
TENANT_SECONDS = 5.0
"""How long what is known of a tenant is trusted; a new connection is seen after at most this time."""
_DAY = 86400.0
_TAKES_IN = frozenset({TenantState.ACTIVE, TenantState.PAUSED})


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
    ) -> None:
        self.redis = redis
        self._durability = durability
        self._lookout = Lookout(redis, durability, limits)
        self._keep_seconds = dedupe_days * _DAY
        self._now = now
        self._outlook = Outlook(redis, now=now)
        self._tenants: dict[str, tuple[float, TenantView, Sealer]] = {}
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
            mailer = cls(
                redis,
                dedupe_days=settings.dedupe_days,
                durability=Durability.parse(settings.durability),
                limits=Limits(settings.redis_memory_max, settings.events_max),
            )
            mailer._stack = stack.pop_all()
        return mailer

    def close(self) -> None:
        """Let the connection go; the embedded server stops if nobody else uses it."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, reminder: Reminder) -> Receipt:
        """Enqueue one reminder; raises ReminderRejected."""
        answer = next(self.send_many([reminder]))
        if isinstance(answer, ReminderRejected):
            raise answer
        return answer

    def send_many(self, reminders: Iterable[Reminder]) -> Iterator[Receipt | ReminderRejected]:
        """Enqueue many, a few hundred per round trip; yields an answer for each, in order.

        A receipt is yielded only once its batch is durable. Consume it to the end: what is not consumed is not sent.
        """
        source = iter(reminders)
        while batch := list(islice(source, BATCH)):
            yield from self._send_batch(batch)

    def status(self, job_id: str) -> JobView | None:
        """A job as it stands; None if it is unknown or was forgotten after DEDUPE_DAYS."""
        try:
            job = self._hash(keys.JOB + job_id)
            lane = self._hash(keys.LANE_INFO + job[b"connection"].decode()) if job else {}
            names = [(keys.MAILBOX, lane.get(b"mailbox")), (keys.PROJECT, lane.get(b"project"))]
            pauses = [self._hash(prefix + name.decode()) for prefix, name in names if name]
            paused = pause_of(self.redis, job[b"tenant"].decode()) if job else None
            view = read_job(job_id, job, lane, *pauses, paused=" ".join(paused or ()), now=self._now())
            if view is None:
                return None
            waiting = Waiting(job_id, ConnectionId(view.connection), view.state, _seconds(view.send_at))
            [forecast_at] = self._outlook.of([waiting])
        except RedisError as error:
            raise _unreachable(error) from error
        return replace(view, forecast_at=forecast_at)

    def _hash(self, key: str) -> dict[bytes, bytes]:
        return cast("dict[bytes, bytes]", self.redis.hgetall(key))

    def cancel(self, job_id: str, *, reason: str = "by the application") -> Cancellation:
        """Call a reminder off, at any moment before its request is under way."""
        try:
            return run(self.redis, cancel(JobId(job_id), f"cancelled: {reason}"))
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

    def _send_batch(self, batch: list[Reminder]) -> list[Receipt | ReminderRejected]:
        try:
            self._lookout.look(len(batch))
            prepared = [self._prepare(reminder) for reminder in batch]
            calls = [item for item in prepared if not isinstance(item, ReminderRejected)]
            enqueued, durable = run_many(self.redis, calls, replicas=self._durability.replicas)
        except RedisError as error:
            raise _unreachable(error) from error
        if not durable:
            raise not_durable(self._durability)
        answers = iter(enqueued)
        done = [item if isinstance(item, ReminderRejected) else _receipt(next(answers)) for item in prepared]
        return self._foretell(batch, done)

    def _foretell(
        self, batch: Sequence[Reminder], done: Sequence[Receipt | ReminderRejected]
    ) -> list[Receipt | ReminderRejected]:
        """Say on each receipt when it will leave."""
        waiting = {
            index: Waiting(receipt.id, connection, receipt.state, _seconds(reminder.send_at))
            for index, (reminder, receipt) in enumerate(zip(batch, done, strict=True))
            if isinstance(receipt, Receipt) and (connection := self._connection(reminder))
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
        return known[1].connections.get(reminder.connection or DEFAULT_NAME) if known else None

    def _prepare(self, reminder: Reminder) -> Call[Enqueued] | ReminderRejected:
        now = self._now()
        known = self._tenant(reminder.tenant)
        if known is None:
            return ReminderRejected(
                "unknown_tenant", f"there is no tenant {reminder.tenant!r}", field="tenant"
            )
        tenant, sealer = known
        if tenant.state not in _TAKES_IN:
            return ReminderRejected(
                "tenant_suspended", f"the tenant {tenant.id!r} is {tenant.state}", field="tenant"
            )
        name = reminder.connection or DEFAULT_NAME
        connection = tenant.connections.get(name)
        if connection is None:
            message = f"the tenant {tenant.id!r} has no connection {name!r}"
            return ReminderRejected("unknown_connection", message, field="connection")
        expires_at = reminder.expiry(datetime.fromtimestamp(now, UTC)).timestamp()
        if expires_at <= now:
            return ReminderRejected("already_expired", "expires_at has passed", field="expires_at")
        job = JobId(uuid7(int(now * 1000)))
        state, reason = _first_state(reminder, now)
        return enqueue(
            id=job,
            tenant=tenant.id,
            connection=connection,
            dedupe=f"{tenant.id}:{_mac(tenant.salt, b'key', reminder.dedupe_source())}",
            fingerprint=_mac(tenant.salt, b"fingerprint", reminder.canonical()),
            state=state,
            reason=reason,
            send_at=reminder.send_at.timestamp() if reminder.send_at else None,
            expires_at=expires_at,
            priority=reminder.priority,
            kind=reminder.kind,
            campaign=reminder.campaign or "",
            keep_seconds=self._keep_seconds,
            body=sealer.seal(
                reminder.model_dump_json(exclude_none=True).encode(), tenant=tenant.id, job=job, now=now
            ),
        )

    def _tenant(self, tenant: str) -> tuple[TenantView, Sealer] | None:
        known = self._tenants.get(tenant)
        if known is not None and known[0] > time.monotonic():
            return known[1], known[2]
        view = read_tenant(cast("dict[bytes, bytes]", self.redis.hgetall(keys.TENANT + tenant)), tenant)
        if view is None:
            return None
        # The sealer is kept as long as the key is the same: it holds the data key of the hour.
        sealer = known[2] if known and known[1].public_key == view.public_key else Sealer(view.public_key)
        self._tenants[tenant] = (time.monotonic() + TENANT_SECONDS, view, sealer)
        return view, sealer


def _first_state(reminder: Reminder, now: float) -> tuple[State, str]:
    if reminder.pending == 0:
        return State.SUPPRESSED, "review_complete: nothing was left to decide when it was enqueued"
    if reminder.send_at is not None and reminder.send_at.timestamp() > now:
        return State.SCHEDULED, ""
    return State.READY, ""


def _receipt(answer: Enqueued) -> Receipt | ReminderRejected:
    if answer.code == "key_reused":
        message = f"the same key was used before for a reminder with other content (job {answer.id})"
        return ReminderRejected(
            "key_reused", message, field="key", remedy="Use a key of its own for each reminder."
        )
    if answer.code == "unknown_connection":
        return ReminderRejected(
            "unknown_connection", "the connection was removed meanwhile", field="connection"
        )
    assert answer.state is not None, "both remaining answers carry a state"
    return Receipt(answer.id, answer.state, duplicate=answer.code == "duplicate")


def _seconds(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()


def _mac(salt: bytes, purpose: bytes, value: bytes) -> str:
    return hmac.new(salt, purpose + b"\0" + value, hashlib.sha256).hexdigest()[:32]


def _unreachable(error: RedisError) -> StoresUnreachable:
    if isinstance(error, OutOfMemoryError):  # somebody else filled it since the last look
        return StoresUnreachable(
            "redis_full", "Redis is full: it takes nothing more.", "Give it more memory (maxmemory)."
        )
    return StoresUnreachable(
        "redis_unreachable",
        f"Redis does not answer: {error}",
        "Start it, or check CERTMAIL_REDIS_URL; then send again.",
    )
