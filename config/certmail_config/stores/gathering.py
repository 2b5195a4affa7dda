"""An asyncio client whose commands share round trips.

Redis answers a hundred commands that come together about as quickly as one, syncs its log once for
all of them, and the client reads and writes its socket once. Hundreds of deliveries ask at the same
time: what they ask in one turn of the loop, and while an answer is awaited, leaves together.

Each command succeeds or fails by itself, as on a client of redis-py's; they are repeated in the
same cases, which every script of the ledger allows. What loses its connection fails for all that
were on it.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import Any, Final, NamedTuple, cast

from redis.asyncio import Redis as AsyncRedis
from redis.client import EMPTY_RESPONSE, NEVER_DECODE
from redis.exceptions import DataError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

MAX_COMMANDS: Final = 50
"""Commands in one round trip: more would let the first wait long for the last."""
BLOCKING: Final = frozenset({"BLPOP", "BRPOP", "BLMOVE", "XREAD", "XREADGROUP", "WAIT"})
"""Commands that others must not wait behind."""


class _Asked(NamedTuple):
    """One command, and who waits for its answer."""

    args: tuple[Any, ...]
    options: dict[str, Any]
    answer: asyncio.Future[Any]


class GatheringRedis(AsyncRedis):
    """See the module. Pipelines and transactions made with it are as those of any client."""

    max_under_way = 2
    """Round trips at once: the second is written while the first is answered."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._asked: deque[_Asked] = deque()
        self._under_way = 0
        self._senders: set[asyncio.Task[None]] = set()  # the loop itself does not hold on to them

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run a command, together with others; raises what redis-py raises."""
        if args[0] in BLOCKING:
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

        options.pop("keys", None)  # for a cache, which there is not
        asked = _Asked(args, options, asyncio.get_running_loop().create_future())
        self._asked.append(asked)
        if self._under_way < self.max_under_way:
            self._under_way += 1
            sender = asyncio.create_task(self._send_all())
            self._senders.add(sender)
            sender.add_done_callback(self._senders.discard)

        return await asked.answer

    async def _send_all(self) -> None:
        """Send what waits, a round trip after the other, until nothing does.

        Whoever asks after its last look finds it gone: a task's own end is told a turn later.
        """
        try:
            while self._asked:
                count = min(len(self._asked), MAX_COMMANDS)
                taken = [self._asked.popleft() for _ in range(count)]
                # Whoever was cancelled meanwhile wants nothing done any more.
                await self._send([asked for asked in taken if not asked.answer.done()])
        finally:
            self._under_way -= 1

    async def _send(self, batch: list[_Asked]) -> None:
        try:
            answers = await self._ask_all(batch)
        except DataError:
            # One of them cannot even be written; who that is, each finds out for itself.
            await asyncio.gather(*map(self._send_alone, batch))
            return
        except BaseException as error:
            for asked in batch:
                _fail(asked, error)
            if not isinstance(error, Exception):
                raise
            return

        for asked, answer in zip(batch, answers, strict=True):
            if isinstance(answer, Exception):
                _fail(asked, answer)
            elif not asked.answer.done():
                asked.answer.set_result(answer)

    async def _ask_all(self, batch: list[_Asked]) -> list[Any]:
        """What a pipeline of redis-py's does, in two thirds of its time: it bounds each read.

        Raises what that raises.
        """
        pool: Any = self.connection_pool
        connection = await pool.get_connection()
        try:
            return cast(
                "list[Any]",
                await connection.retry.call_with_retry(
                    lambda: self._exchange(connection, batch),
                    lambda error: connection.disconnect(error=error),
                ),
            )
        finally:
            await pool.release(connection)

    async def _exchange(self, connection: Any, batch: list[_Asked]) -> list[Any]:
        packed = connection.pack_commands([asked.args for asked in batch])
        await connection.send_packed_command(packed)

        try:
            async with asyncio.timeout(connection.socket_timeout):
                return [await self._read(connection, asked) for asked in batch]
        except TimeoutError:
            await connection.disconnect(nowait=True)
            raise RedisTimeoutError("Timeout reading from socket") from None

    async def _read(self, connection: Any, asked: _Asked) -> Any:
        """One answer; what the server refuses, or is not what the command gives, is its error."""
        name, options = asked.args[0], asked.options
        try:
            if NEVER_DECODE in options or EMPTY_RESPONSE in options:
                return await self.parse_response(connection, name, **options)
            # The bound of all of them is that of each.
            answer = await connection.read_response(timeout=math.inf)
        except ResponseError as error:
            return error

        read = self.response_callbacks.get(name)
        try:
            return answer if read is None else read(answer, **options)
        # Whoever asked is told, and nobody else.
        except Exception as error:  # noqa: BLE001
            return error

    async def _send_alone(self, asked: _Asked) -> None:
        try:
            answer = await super().execute_command(  # type: ignore[no-untyped-call]
                *asked.args, **asked.options
            )
        # Whoever asked is told.
        except Exception as error:  # noqa: BLE001
            _fail(asked, error)
        else:
            if not asked.answer.done():
                asked.answer.set_result(answer)


def _fail(asked: _Asked, error: BaseException) -> None:
    """Tell who asked, unless they have been cancelled meanwhile."""
    if not asked.answer.done():
        if isinstance(error, asyncio.CancelledError):
            asked.answer.cancel()
        else:
            asked.answer.set_exception(error)
