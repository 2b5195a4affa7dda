"""The Python client for asyncio: the same Mailer, in a thread of its own.

The event loop never waits for Redis.

Reminders that are sent at the same time travel together: one round trip and one write to disk serve
them all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Concatenate, Final, ParamSpec, Self, TypeVar

from certmail.client.batches import split
from certmail.client.mailer import Mailer
from certmail.client.preparing import Given, read_given, require_several
from certmail.client.receipt import Receipt
from certmail_config.base.errors import BatchInterrupted, ReminderRejected, StoresUnreachable
from certmail_config.jobs.reminder import Reminder
from certmail_config.ledger import Cancellation
from certmail_config.ledger.cancelling import Cancelled
from certmail_config.ledger.view import JobView
from certmail_config.settings import Settings
from certmail_config.tracing.process import process_tracing
from certmail_config.tracing.spans import NO_TRACING, Origin, Tracing

P = ParamSpec("P")
T = TypeVar("T")
Answer = Receipt | ReminderRejected | StoresUnreachable
BATCH: Final = 200
"""Reminders that are handed to the thread together."""


class AsyncMailer:
    """Enqueues reminders from asyncio; as Mailer, and raises the same.

    Belongs to one event loop; close it.

    A call that is cancelled may have been carried out: sent again, what is in is a duplicate, not a
    second mail.
    """

    def __init__(self, opener: Callable[[], Mailer], tracing: Tracing = NO_TRACING) -> None:
        """Take the opener of the Mailer.

        It is opened, when first needed, used and closed in the thread. What calls here come from is
        read off by `tracing`, which is the Mailer's, too: the thread has no part in it.
        """
        self._tracing = tracing
        self._opener = opener
        self._mailer: Mailer | None = None
        self._thread = ThreadPoolExecutor(1, "certmail")
        self._waiting: list[tuple[Reminder, asyncio.Future[Answer], Origin | None]] = []
        self._flushing: asyncio.Task[None] | None = None

    @classmethod
    def from_env(cls, settings: Settings | None = None, *, proven: bool = True) -> Self:
        """As Mailer.from_env, but nothing is opened before it is entered or used."""
        traces = process_tracing("certmail-producer")
        return cls(lambda: Mailer.from_env(settings, proven=proven), traces.tracing)

    async def __aenter__(self) -> Self:
        await self._run(_nothing)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let what is under way end, and the connection go."""
        if self._flushing is not None:
            await self._flushing
        if self._mailer is not None:
            await self._run(Mailer.close)
        self._thread.shutdown(wait=False)

    async def send(self, reminder: Given) -> Receipt:
        """Enqueue one reminder, or a mapping of its fields; raises ReminderRejected."""
        # Read here, so that what is none does no harm to those that it would travel with.
        read = read_given(reminder)
        if isinstance(read, ReminderRejected):
            raise read

        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((read, answer, self._tracing.origin()))
        if self._flushing is None or self._flushing.done():
            self._flushing = loop.create_task(self._flush())

        found = await answer
        if isinstance(found, Receipt):
            return found
        raise found

    async def send_each(self, reminders: Sequence[Given]) -> list[Answer]:
        """Enqueue some together; each has its answer, be it that the server stopped answering."""
        origins = [self._tracing.origin()] * len(reminders)
        return await self._run(send_each, reminders, origins)

    async def send_many(
        self, reminders: Iterable[Given] | AsyncIterable[Given]
    ) -> AsyncIterator[Receipt | ReminderRejected]:
        """Enqueue many; yields an answer for each, in order.

        A batch is taken from `reminders` when the last was answered.

        Consume it to the end: what is not consumed is not sent. Raises BatchInterrupted as
        Mailer.send_many.
        """
        require_several(reminders)
        answered = 0

        async for batch in _split(reminders):
            answers = await self.send_each(batch)
            for answer in answers:
                if isinstance(answer, StoresUnreachable):
                    unknown = answer.unknown if isinstance(answer, BatchInterrupted) else 0
                    raise BatchInterrupted(answer, answered=answered, unknown=unknown)
                yield answer
                answered += 1

    async def check(self, reminder: Given) -> ReminderRejected | None:
        """As Mailer.check."""
        return await self._run(Mailer.check, reminder)

    async def language_note(self, reminder: Reminder) -> str | None:
        """As Mailer.language_note."""
        return await self._run(Mailer.language_note, reminder)

    async def status(self, job_id: str) -> JobView | None:
        """As Mailer.status."""
        return await self._run(Mailer.status, job_id)

    async def status_many(self, job_ids: Iterable[str]) -> list[JobView | None]:
        """As Mailer.status_many."""
        return await self._run(Mailer.status_many, job_ids)

    async def cancel(self, job_id: str, *, reason: str = "by the application") -> Cancellation:
        """As Mailer.cancel."""
        return await self._run(Mailer.cancel, job_id, reason=reason)

    async def cancel_all(
        self,
        tenant: str,
        *,
        campaign: str = "",
        connection: str = "",
        reason: str = "by the application",
    ) -> Cancelled:
        """As Mailer.cancel_all."""
        return await self._run(
            Mailer.cancel_all, tenant, campaign=campaign, connection=connection, reason=reason
        )

    async def _flush(self) -> None:
        """Send what waits, a batch at a time, until nothing does."""
        while self._waiting:
            taken, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            wanted = [each for each in taken if not each[1].done()]

            try:
                answers = await self._run(
                    send_each, [each[0] for each in wanted], [each[2] for each in wanted]
                )
            except BaseException as error:
                for _, answer, _ in wanted:
                    if not answer.done():
                        answer.set_exception(error)
                raise

            for (_, waiting, _), found in zip(wanted, answers, strict=True):
                if not waiting.done():
                    waiting.set_result(found)

    async def _run(
        self, work: Callable[Concatenate[Mailer, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        def in_thread() -> T:
            if self._mailer is None:
                self._mailer = self._opener()
            return work(self._mailer, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._thread, in_thread)


def send_each(
    mailer: Mailer, reminders: Sequence[Given], origins: Sequence[Origin | None]
) -> list[Answer]:
    """Send some together; each has its answer, be it that the server stopped answering."""
    answers: list[Answer] = []

    try:
        with mailer.tracing.on_behalf(origins):
            answers.extend(mailer.send_many(reminders))
    except StoresUnreachable as error:
        unknown = error.unknown if isinstance(error, BatchInterrupted) else 0
        # One of its own for each who waits: a raised exception carries where it was raised.
        left = range(len(reminders) - len(answers))
        answers.extend(
            BatchInterrupted(error, answered=0, unknown=max(unknown - n, 0)) for n in left
        )

    return answers


def _nothing(mailer: Mailer) -> None:
    """Open it, and no more."""


async def _split(reminders: Iterable[Given] | AsyncIterable[Given]) -> AsyncIterator[list[Given]]:
    if not isinstance(reminders, AsyncIterable):
        for batch in split(reminders, BATCH):
            yield batch
        return

    gathered: list[Given] = []

    async for reminder in reminders:
        gathered.append(reminder)
        if len(gathered) == BATCH:
            yield gathered
            gathered = []

    if gathered:
        yield gathered
