"""Looking for our own mail among the sent ones of a mailbox.

Pages are read until all are found, or too old.

Listing SENT is immediately consistent, where searching is not (google.md §2.5). Every request is
paid for out of the mailbox's minute, so that looking never costs a send its place.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from cachetools import LRUCache

from certmail_config.base.ids import ConnectionId
from certmail_config.ledger.lanes import SEND_UNITS
from certmail_config.metrics.instruments import WorkerMeters
from certmail_worker.google.gmail import GET_UNITS, LIST_UNITS, Gmail
from certmail_worker.google.responses import Answer, Answered

PAGE_SIZE = 100
MAX_REMEMBERED: Final = 20_000
"""Messages that are remembered of all mailboxes together: some 10 MB."""
MAX_BOXES: Final = 5_000


@dataclass(frozen=True, slots=True)
class Sent:
    """One sent message of ours; `at` is when Google took it, in seconds."""

    message: str
    thread: str | None
    certmail_id: str | None
    at: float


class LookFailedError(Exception):
    """The mailbox could not be looked into now; the text says why, without addresses.

    `status` is HTTP's, if there was one.
    """

    def __init__(self, why: str, status: int | None = None) -> None:
        super().__init__(why)
        self.status = status


@dataclass(slots=True)
class SentBox:
    """The sent mail of one connection.

    What was read once is remembered among `known`, and what was paid for is used up.
    """

    gmail: Gmail
    connection: ConnectionId
    known: MutableMapping[tuple[ConnectionId, str], Sent]
    meters: WorkerMeters = field(default_factory=WorkerMeters)
    _credit: int = 0

    async def since(
        self, token: str, oldest: float, pay: Callable[[int], Awaitable[bool]]
    ) -> AsyncIterator[Sent]:
        """Yield messages, the newest first, down to `oldest`; raises LookFailedError."""
        page: str | None = None

        while True:
            await self._use(LIST_UNITS, pay, "list")
            value = _json(await self.gmail.list_sent(token, page_size=PAGE_SIZE, page=page))

            for item in value.get("messages") or []:
                sent = self.known.get((self.connection, str(item["id"])))
                if sent is None:
                    await self._use(GET_UNITS, pay, "get")
                    sent = await self._get(token, str(item["id"]))
                if sent.at < oldest:
                    return
                yield sent

            page = value.get("nextPageToken")
            if not page:
                return

    async def _use(self, units: int, pay: Callable[[int], Awaitable[bool]], call: str) -> None:
        """Use up units that were paid for, and pay when there are too few.

        Paid is by the price of a send, in which the mailbox's minute is counted.
        """
        if self._credit < units:
            if not await pay(SEND_UNITS):
                raise LookFailedError("the mailbox's minute has no room for it now")
            self._credit += SEND_UNITS
        self._credit -= units
        self.meters.units.add(call, by=units)

    async def _get(self, token: str, message: str) -> Sent:
        value = _json(await self.gmail.get_certmail_id(token, message))
        headers = {
            item["name"].lower(): item["value"]
            for item in value.get("payload", {}).get("headers", [])
        }
        sent = Sent(
            message,
            value.get("threadId"),
            headers.get("x-certmail-id"),
            int(value["internalDate"]) / 1000,
        )

        self.known[self.connection, message] = sent
        return sent


@dataclass(slots=True)
class SentBoxes:
    """The sent mail of all connections that are looked into; those looked into last stay."""

    gmail: Gmail
    meters: WorkerMeters = field(default_factory=WorkerMeters)
    _boxes: MutableMapping[ConnectionId, SentBox] = field(
        default_factory=partial(LRUCache, MAX_BOXES)
    )
    _known: MutableMapping[tuple[ConnectionId, str], Sent] = field(
        default_factory=partial(LRUCache, MAX_REMEMBERED)
    )

    def of(self, connection: ConnectionId) -> SentBox:
        """That of one connection."""
        box = self._boxes.get(connection)
        if box is None:
            box = self._boxes[connection] = SentBox(
                self.gmail, connection, self._known, self.meters
            )
        return box


def _json(answer: Answer) -> dict[str, Any]:
    if not isinstance(answer, Answered):
        raise LookFailedError(answer.why)
    if answer.status != 200:
        raise LookFailedError(f"HTTP {answer.status}", answer.status)

    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise LookFailedError(answer.broken or "an answer that cannot be read") from None

    if not isinstance(value, dict):
        raise LookFailedError("an answer that is no object")

    return value
