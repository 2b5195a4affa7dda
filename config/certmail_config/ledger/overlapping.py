"""Calls that are sent before the answers to earlier ones were read: the server never waits for us.

It is all on one connection, so that they are carried out in the order in which they were sent.

A connection that is lost, and a server that does not know the script, cost nothing but time: what
is not answered is called again, one batch after the other, by `run_each`, which every script of the
ledger allows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from redis import Redis
from redis.exceptions import NoScriptError, RedisError, ResponseError

from certmail_config.ledger.script import Call, commands, read_each, run_each


class Overlapping:
    """Some calls after others; a context manager. Not for several threads at once."""

    def __init__(self, redis: Redis, *, replicas: int) -> None:
        self._redis = redis
        self._replicas = replicas
        self._connection: Any = None
        # A pool of one has none to spare: others need it meanwhile.
        self._lost = redis.connection_pool.max_connections < 2
        self._unread: deque[Sequence[Call[Any]]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._connection is not None:
            # Nobody may take answers for theirs that were never read.
            if kind is not None or self._unread or self._lost:
                self._connection.disconnect()
            self._redis.connection_pool.release(self._connection)
            self._connection = None

    def send(self, calls: Sequence[Call[Any]]) -> None:
        """Send some calls. Their answers are to be read, in turn."""
        self._unread.append(calls)
        if self._lost:
            return

        try:
            if self._connection is None:
                self._connection = self._redis.connection_pool.get_connection()
            packed = self._connection.pack_commands(commands(calls, self._replicas))
            # In one piece: in many, less of it fits into what the system takes in without waiting.
            self._connection.send_packed_command([b"".join(packed)])
        except RedisError:
            self._lost = True

    def receive(self) -> tuple[list[Any], bool]:
        """The answers to the calls that were sent first and not read yet, as `run_each` has them.

        Raises RedisError.
        """
        calls = self._unread.popleft()
        answers = self._read(len(commands(calls, self._replicas)))
        if not answers or any(isinstance(answer, NoScriptError) for answer in answers):
            return run_each(self._redis, calls, replicas=self._replicas)
        return read_each(calls, answers, self._replicas)

    def _read(self, count: int) -> list[Any]:
        """So many answers, refusals among them; none where the connection is lost."""
        if self._lost:
            return []

        answers: list[Any] = []
        try:
            for _ in range(count):
                try:
                    answers.append(self._connection.read_response())
                except ResponseError as refused:
                    answers.append(refused)
        except RedisError:
            self._lost = True
            return []

        return answers
