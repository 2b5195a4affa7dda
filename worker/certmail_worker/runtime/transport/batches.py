"""Many doorbells a round trip: taken together, acknowledged together.

Kombu's channel takes one message with BRPOP, keeps it as unacknowledged in a second round trip and
acknowledges it in a third, and the server syncs its log before it answers each. Here BRPOP only
wakes: a script takes what else there is, as far as the worker has room, and keeps all of it, with
the acknowledgements that have gathered in the same round trip.

What is kept, and where, is kombu's own form: its restoring, and a worker with kombu's own channel,
understand it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from functools import cache
from hashlib import sha1
from importlib.resources import files
from queue import Empty
from typing import Any, Final, cast

from kombu.asynchronous import get_event_loop
from kombu.transport import virtual
from redis import Redis
from redis.exceptions import NoScriptError

from certmail_config.stores.broker import QUEUE
from certmail_worker.runtime.transport.channel import LOST, Channel, QoS, drop

MAX_TAKEN: Final = 50
"""Messages taken in one step: a larger step would hold the server for too long."""
ACK_SECONDS: Final = 0.05
"""How long acknowledgements gather. What is lost with them comes again, and is refused."""


@cache
def _take_script() -> tuple[str, str]:
    """Give the script, and the name that a server knows it by."""
    source = files(__package__).joinpath("take.lua").read_text("utf-8")
    return source, sha1(source.encode(), usedforsecurity=False).hexdigest()


class BatchingQoS(QoS):
    """The messages that wait for an acknowledgement, and the acknowledgements that wait."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)  # type: ignore[no-untyped-call]
        self.kept: set[str] = set()
        self._acked: list[str] = []
        self._armed = False

    def append(self, message: Any, delivery_tag: str) -> None:
        """Note a message; one that the script has taken is kept in Redis already."""
        if delivery_tag not in self.kept:
            super().append(message, delivery_tag)  # type: ignore[no-untyped-call]
            return

        self.kept.discard(delivery_tag)
        virtual.QoS.append(self, message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge, together with what else ends in this moment."""
        virtual.QoS.ack(self, delivery_tag)
        self.forget(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Reject; what does not come again is acknowledged in the same way."""
        if requeue:
            super().reject(delivery_tag, requeue=True)  # type: ignore[no-untyped-call]
        else:
            self.ack(delivery_tag)

    def forget(self, delivery_tag: str) -> None:
        """Take a message out of what is kept in Redis, soon."""
        self._acked.append(delivery_tag)
        if self._armed:
            return

        hub = get_event_loop()
        if hub is None:  # whoever consumes without a loop has no later
            self.flush()
        else:
            self._armed = True
            hub.call_later(ACK_SECONDS, self._flush_in_time)

    def flush(self) -> None:
        """Send what has gathered; raises what the connection raises."""
        if not self._acked or self.channel.cut_off:
            return
        with self.channel.conn_or_acquire() as client, client.pipeline(transaction=False) as pipe:
            self.add_to(pipe)
            pipe.execute()

    def add_to(self, pipe: Any, *, prefix: str = "") -> None:
        """Add what has gathered to a pipeline, which may not know the keys' prefix.

        If that is lost, the messages come again once their time is over.
        """
        tags, self._acked = self._acked, []
        if tags:
            pipe.zrem(prefix + self.unacked_index_key, *tags)
            pipe.hdel(prefix + self.unacked_key, *tags)

    def _flush_in_time(self) -> None:
        self._armed = False
        self.flush()


class BatchingChannel(Channel):
    """A channel that takes many messages of certmail's queue at a time."""

    QoS = BatchingQoS

    def _brpop_read(self, **options: Any) -> bool:
        """Take the message that woke us, and what else there is room for."""
        try:
            woken = self._woken(**options)
        finally:
            self._in_poll = False
            self._flush_brpop_reauth()  # type: ignore[no-untyped-call]

        if woken is None:
            raise Empty
        queue, raw = woken
        self._queue_cycle.rotate(queue)

        for tag, message in self._take(queue, raw, self._room(queue) - 1):
            self._hand_over(queue, tag, message)
        return True

    def _room(self, queue: str) -> int:
        """How many messages may be taken now; where nobody consumes any more, only what is here."""
        if queue not in self.active_queues:
            return 1
        room = self.qos.can_consume_max_estimate()
        return MAX_TAKEN if room is None else min(room, MAX_TAKEN)

    def _woken(self, **options: Any) -> tuple[str, bytes] | None:
        """Read BRPOP's answer: of which queue, and the message."""
        try:
            answer = self.client.parse_response(self.client.connection, "BRPOP", **options)
        except self.connection_errors:
            # The next turn connects anew.
            self.client.connection.disconnect()
            raise

        if not answer:
            return None
        name, raw = answer
        return name.decode().rsplit(self.sep, 1)[0], raw

    def _take(self, queue: str, raw: bytes, count: int) -> Sequence[tuple[str, bytes]]:
        """Have the script take more and keep all; gives each with the tag it is kept under."""
        if queue != QUEUE:
            return [("", raw)]

        names = (queue, self.unacked_key, self.unacked_index_key)
        keys = [self.global_keyprefix + name for name in names]
        route = [json.dumps(name) for name in ("", queue)]
        given: list[bytes | str | float] = [time.time(), max(count, 0), *route, raw]
        script, sha = _take_script()

        client = Redis(connection_pool=self.pool)
        with client.pipeline(transaction=False) as pipe:
            self.qos.add_to(pipe, prefix=self.global_keyprefix)
            pipe.evalsha(sha, len(keys), *keys, *given)
            *_, answer = pipe.execute(raise_on_error=False)

        if isinstance(answer, NoScriptError):
            answer = client.eval(script, len(keys), *keys, *given)
        if isinstance(answer, Exception):
            raise answer
        pairs = cast("list[bytes]", answer)
        return [
            (tag.decode(), message) for tag, message in zip(pairs[0::2], pairs[1::2], strict=True)
        ]

    def _hand_over(self, queue: str, tag: str, raw: bytes) -> None:
        """Give a message to its consumer; one that cannot be read costs itself only."""
        kept = self.qos.kept
        if tag:
            kept.add(tag)

        try:
            self.connection._deliver(json.loads(raw), queue)  # noqa: SLF001 - as kombu's channel does
        except LOST:
            raise
        # Whatever it is, it is out of the queue.
        except Exception as error:  # noqa: BLE001
            drop(f"unreadable: {type(error).__name__}", queue)
        finally:
            if tag in kept:  # nobody has taken it up under this tag
                kept.discard(tag)
                self.qos.forget(tag)

    def close(self) -> None:
        """Send the acknowledgements that wait, and close."""
        try:
            self.qos.flush()
        except LOST:
            pass  # they come again, and are refused
        finally:
            super().close()  # type: ignore[no-untyped-call]
