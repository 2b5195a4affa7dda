"""The transport that workers speak over: start reading here."""

from __future__ import annotations

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis

from certmail_config.stores.broker import QUEUE
from certmail_worker.runtime.celery_messages import why_not_a_doorbell, why_not_a_message
from certmail_worker.runtime.transport.batches import BatchingChannel
from certmail_worker.runtime.transport.channel import Channel, drop


class Transport(redis.Transport):
    """Kombu's own way: one message at a time, over channels that survive what they meet."""

    Channel = Channel
    brpop_timeout = 0.5  # type: ignore[assignment]  # kombu thinks of whole seconds
    """Seconds that it waits for a message, over and over.

    A worker that is told to stop ends its last wait first: with kombu's second it took one more.
    """

    def _deliver(self, message: Any, queue: str) -> None:
        """Hand a message to its consumer, if it is one."""
        why = why_not_a_message(message) or (
            why_not_a_doorbell(message) if queue == QUEUE else None
        )
        if why is not None:
            drop(why, queue)
            return
        super()._deliver(message, queue)  # type: ignore[no-untyped-call]


class BatchingTransport(Transport):
    """The same, with many doorbells a round trip."""

    Channel = BatchingChannel


def use(*, batches: bool) -> None:
    """Have kombu take this transport for redis:// and rediss:// URLs in this process.

    Called before the first connection.
    """
    name = (BatchingTransport if batches else Transport).__name__
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:{name}"
