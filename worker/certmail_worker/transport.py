"""Kombu's Redis transport, without what a doorbell does not need, and what ends a worker whose server goes away.

When a channel closes because its connection broke, kombu 5.7.0 puts unacknowledged messages back, and afterwards
acknowledges what ends late, through parts that are closed already: an AttributeError in Channel._connparams, which no
one above expects. A doorbell is good for two seconds, its job returns to its lane by itself, and one that comes again is
refused: nothing needs putting back, and what cannot be acknowledged any more need not be.
"""

from __future__ import annotations

from kombu.transport import TRANSPORT_ALIASES, redis


class Channel(redis.Channel):
    """See the module."""

    do_restore = False

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Acknowledge, if there is still a connection to do it over."""
        if not self._cut_off:
            super().basic_ack(delivery_tag, multiple)  # type: ignore[no-untyped-call]  # kombu carries few types

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Reject, as `basic_ack`."""
        if not self._cut_off:
            super().basic_reject(delivery_tag, requeue)  # type: ignore[no-untyped-call]  # as above

    @property
    def _cut_off(self) -> bool:
        return self.closed or self.connection is None or self.connection.client is None


class Transport(redis.Transport):
    """See the module."""

    Channel = Channel


def use() -> None:
    """Have kombu take this transport for redis:// and rediss:// URLs in this process; before the first connection."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
