"""Kombu's Redis channel, without what ends a worker, and without what a doorbell does not need.

A worker must outlive a server that goes away, and a message that is none.

When a channel closes because its connection broke, kombu 5.7.0 puts unacknowledged messages back,
and afterwards acknowledges what ends late, through parts that are closed already: an AttributeError
in Channel._connparams, which no one above expects. A doorbell is good for two seconds, its job
returns to its lane by itself, and one that comes again is refused: nothing needs putting back, and
what cannot be acknowledged any more need not be.

What lies in the queue is believed by kombu and Celery: one message that is no JSON ends a worker.
Here it is dropped, and said.

kombu carries few types, so that mypy is told to ignore what is called of it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from queue import Empty
from typing import Any, Final

from kombu.exceptions import InconsistencyError
from kombu.transport import redis
from redis.exceptions import RedisError

from certmail_config.stores.broker import QUEUE
from certmail_worker.runtime.celery_messages import why_not_a_call

log = logging.getLogger(__name__)

LOST: Final = (RedisError, OSError, InconsistencyError, Empty, MemoryError)
"""Errors about the server or the process, or that there is no message.

Any other is about one message.
"""
COMMANDS: Final = b"pidbox"
"""In the name of the channel over which Celery's commands are published."""


def drop(why: str, queue: str) -> None:
    """Say that a message was dropped."""
    remedy = "Whoever else writes to Redis has put it there: see who can."
    log.error("message_dropped", extra={"why": why, "queue": queue, "remedy": remedy, "alike": why})


class QoS(redis.QoS):
    """The messages that wait for an acknowledgement."""

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        """Ring again what nobody acknowledged in time; what is kept of it may be no message."""
        try:
            super().restore_by_tag(tag, client, leftmost)  # type: ignore[no-untyped-call]
        except LOST:
            raise
        # Whatever it is, it must not come again.
        except Exception as error:  # noqa: BLE001
            drop(f"unreadable: {type(error).__name__}", self.unacked_key)
            with self.pipe_or_acquire(client=client) as pipe:
                self._remove_from_indices(tag, pipe).execute()  # type: ignore[no-untyped-call]


class Channel(redis.Channel):
    """A channel that survives its connection, and messages that are none."""

    QoS = QoS
    do_restore = False

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Acknowledge, if there is still a connection to do it over."""
        if not self.cut_off:
            super().basic_ack(delivery_tag, multiple)  # type: ignore[no-untyped-call]

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Reject, as `basic_ack`."""
        if not self.cut_off:
            super().basic_reject(delivery_tag, requeue)  # type: ignore[no-untyped-call]

    def basic_consume(
        self,
        queue: str,
        no_ack: bool,
        callback: Callable[[Any], Any],
        consumer_tag: str,
        **more: Any,
    ) -> None:
        """Consume; whatever the consumer raises about one message costs that message only."""

        def guarded(message: Any) -> Any:
            try:
                # What is read here is kept for the consumer: it costs nothing.
                why = why_not_a_call(message.payload) if queue == QUEUE else None
                if why is None:
                    return callback(message)
            except LOST:
                raise
            # It may be anything, and would end the worker.
            except Exception as error:  # noqa: BLE001
                why = f"not understood: {type(error).__name__}"

            drop(why, queue)
            if not no_ack and not message.acknowledged:
                message.reject()
            return None

        super().basic_consume(queue, no_ack, guarded, consumer_tag, **more)  # type: ignore[no-untyped-call]

    def _brpop_read(self, **options: Any) -> Any:
        """Take one message from the queues."""
        return self._or_drop(super()._brpop_read, **options)

    def _receive_one(self, client: Any) -> Any:
        """Take one message that was published to all."""
        return self._or_drop(super()._receive_one, client)

    def _handle_message(self, client: Any, response: Any) -> Any:
        """Unpack what was published.

        Of a command that is no JSON kombu would write all into the log, each time.
        """
        payload = super()._handle_message(client, response)  # type: ignore[no-untyped-call]
        if COMMANDS in bytes(payload.get("channel") or b"") and isinstance(
            payload.get("data"), bytes | str
        ):
            try:
                json.loads(payload["data"])
            except (ValueError, TypeError, RecursionError) as error:
                drop(f"unreadable: {type(error).__name__}", COMMANDS.decode())
                payload["data"] = None

        return payload

    def _or_drop(self, read: Callable[..., Any], *given: Any, **options: Any) -> Any:
        """Read; what is no JSON is gone from the queue by then."""
        try:
            return read(*given, **options)
        except LOST:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            drop(f"unreadable: {type(error).__name__}", QUEUE)
            raise Empty from None

    @property
    def cut_off(self) -> bool:
        """Whether there is no connection any more to speak over."""
        return self.closed or self.connection is None or self.connection.client is None
