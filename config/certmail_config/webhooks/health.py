"""The states of an endpoint, and what moves it from one to another; pure.

    active ──(fails for a while)──► backing_off ──(fails for five days, or 410)──► disabled
      ▲  ◄──(takes a message)──────────┘                                              │
      └──────────────(resume, by a person)──── paused ◄──(pause, by a person)     ◄───┘

Whatever its state, messages are kept for it; only `active` and `backing_off` send them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

GONE: Final = "gone"
FAILING: Final = "failing"
PAUSED: Final = "paused"
BACK_OFF_AFTER: Final = 5
"""So many failures in a row …"""
BACK_OFF_SECONDS: Final = 30.0
"""… over so long make an endpoint back off: one bad message, or a restart, does not."""
PROBE_STEPS: Final = (5.0, 15.0, 60.0, 300.0, 900.0)
"""Seconds between the messages by which an endpoint that backs off is tried; the last stays."""
DISABLE_AFTER: Final = timedelta(days=5)
"""Failing for so long without one success ends in `disabled`."""


class EndpointState(StrEnum):
    """How an endpoint is."""

    ACTIVE = "active"
    """It is sent whatever is due."""
    BACKING_OFF = "backing_off"
    """It has failed for a while: one message at a time tries it, ever less often."""
    DISABLED = "disabled"
    """It failed for five days, or answered 410. Messages are kept; a person resumes it."""
    PAUSED = "paused"
    """A person has stopped it. Messages are kept."""


SENDING: Final = frozenset({EndpointState.ACTIVE, EndpointState.BACKING_OFF})
"""The states in which messages leave."""


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of how an endpoint takes its messages.

    `failures` are those in a row, since `failing_since`. Nothing leaves before `next_at`.
    """

    state: EndpointState
    code: str | None = None
    since: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    next_at: datetime | None = None
    succeeded_at: datetime | None = None


def took(health: Health, at: datetime) -> Health:
    """It has taken a message; whoever backs off is active again."""
    found = replace(health, failures=0, failing_since=None, succeeded_at=at)
    if health.state is EndpointState.BACKING_OFF:
        return replace(found, state=EndpointState.ACTIVE, code=None, since=at, next_at=None)
    return found


def did_not_take(
    health: Health, at: datetime, asked: float | None = None, *, random: Callable[[], float]
) -> Health:
    """It has not taken a message; `asked` are the seconds for which it asked to be left alone."""
    since = health.failing_since or at
    found = replace(health, failures=health.failures + 1, failing_since=since)
    if health.state not in SENDING:
        return found

    if at - since >= DISABLE_AFTER:
        return replace(found, state=EndpointState.DISABLED, code=FAILING, since=at, next_at=None)
    if health.state is EndpointState.ACTIVE and _fails_for_a_while(found, at):
        found = replace(found, state=EndpointState.BACKING_OFF, code=FAILING, since=at)

    wait = asked or 0.0
    if found.state is EndpointState.BACKING_OFF:
        step = PROBE_STEPS[min(found.failures - BACK_OFF_AFTER, len(PROBE_STEPS) - 1)]
        wait = max(wait, step + step * random() / 5)
    return _not_before(found, at + timedelta(seconds=wait)) if wait else found


def is_gone(health: Health, at: datetime) -> Health:
    """It answered 410: nobody wants these messages there.

    Not if it had said so before a person let it go on, or is stopped as it is.
    """
    before_it_went_on = health.since is not None and at < health.since
    if health.state not in SENDING or before_it_went_on:
        return health
    return replace(health, state=EndpointState.DISABLED, code=GONE, since=at, next_at=None)


def pause(health: Health, at: datetime) -> Health:
    """A person stops it."""
    return replace(health, state=EndpointState.PAUSED, code=PAUSED, since=at, next_at=None)


def resume(health: Health, at: datetime) -> Health:
    """A person lets it go on, whatever it was: it begins anew."""
    return Health(EndpointState.ACTIVE, since=at, succeeded_at=health.succeeded_at)


def move(health: Health, at: datetime) -> Health:
    """A person names another address for it: what the one before did counts no more.

    What a person has stopped, or has to resume, stays so.
    """
    if health.state in SENDING:
        return Health(EndpointState.ACTIVE, since=at, succeeded_at=health.succeeded_at)
    return replace(health, failures=0, failing_since=None)


def _fails_for_a_while(health: Health, at: datetime) -> bool:
    since = health.failing_since or at
    long_enough = (at - since).total_seconds() >= BACK_OFF_SECONDS
    return health.failures >= BACK_OFF_AFTER and long_enough


def _not_before(health: Health, at: datetime) -> Health:
    return replace(health, next_at=max(at, health.next_at) if health.next_at else at)
