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


class SentinelChannel(Channel, redis.SentinelChannel):
    """The channel, with the server that sentinels name."""


class BatchingSentinelChannel(BatchingChannel, redis.SentinelChannel):
    """The same, with many doorbells a round trip."""


class SentinelTransport(Transport):
    """Kombu's own way, with the server that sentinels name."""

    default_port = redis.SentinelTransport.default_port  # type: ignore[assignment]  # kombu's own
    Channel = SentinelChannel


class BatchingSentinelTransport(SentinelTransport):
    """The same, with many doorbells a round trip."""

    Channel = BatchingSentinelChannel  # type: ignore[assignment]  # both are channels


def use(*, batches: bool) -> None:
    """Have kombu take these transports for redis://, rediss:// and sentinel:// in this process.

    Called before the first connection.
    """
    server = BatchingTransport if batches else Transport
    sentinel = BatchingSentinelTransport if batches else SentinelTransport
    for scheme, chosen in (("redis", server), ("rediss", server), ("sentinel", sentinel)):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:{chosen.__name__}"
