"""What an answer means for a message, and for its endpoint; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from certmail_config.sql.webhooks.messages import BASE, Ended, MessageState, TakenMessage
from certmail_config.webhooks.health import Health, did_not_take, is_gone, took
from certmail_config.webhooks.posting import Came
from certmail_config.webhooks.schedule import ASKS_TO_WAIT, wait_before

HTTP_GONE: Final = 410
Random = Callable[[], float]
Waits = Callable[[int, float], float | None]
"""The seconds before the n-th attempt, as `wait_before` says them."""


class Tried(NamedTuple):
    """An attempt that is over, what came of it, when, and at which address."""

    taken: TakenMessage
    came: Came
    at: datetime
    url: str


def end_of(tried: Tried, random: Random, waits: Waits = wait_before) -> Ended:
    """What becomes of the message: delivered, due again, or failed after the last attempt.

    Where nobody wants messages any more it is none's fault: it waits until somebody resumes the
    endpoint.
    """
    taken, came, at, _ = tried
    if came.taken:
        return Ended(taken, MessageState.DELIVERED, at, None, came.status, None)
    if came.status == HTTP_GONE:
        return Ended(taken, MessageState.WAITING, at, at, came.status, came.why)

    wait = waits(taken.attempt % BASE + 1, random())
    if wait is None:
        return Ended(taken, MessageState.FAILED, at, None, came.status, came.why)
    due = at + timedelta(seconds=max(wait, came.asked or 0.0))
    return Ended(taken, MessageState.WAITING, at, due, came.status, came.why)


def health_after(
    health: Health, error: str | None, tries: Iterable[Tried], random: Random
) -> tuple[Health, str | None]:
    """How an endpoint is after these attempts, in their order, and why it last took nothing."""
    for _, came, at, _ in tries:
        if came.taken:
            health, error = took(health, at), None
        elif came.status == HTTP_GONE:
            health, error = is_gone(health, at), came.why
        else:
            asked = came.asked if came.status in ASKS_TO_WAIT else None
            health, error = did_not_take(health, at, asked, random=random), came.why
    return health, error
