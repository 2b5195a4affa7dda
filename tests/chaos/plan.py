"""What a storm will do, and when: decided before it begins, from its seed alone."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final, TypeVar

T = TypeVar("T")

HTTP_TIMEOUT_SECONDS: Final = 8.0
"""Long enough for a machine that is slow: what it takes too long for is no blow of ours."""
SEND_WINDOW_SECONDS: Final = 3.0
LEASE_SECONDS: Final = 14.0
"""The shortest that certmail allows with these two."""
BUSY_SECONDS: Final = 15.0
"""How long certmail waits for SQLite (engine.py)."""


class Kind(StrEnum):
    """A kind of blow."""

    KILL = "kill"
    """A worker, with SIGKILL; another takes its place."""
    KEEPER = "keeper"
    """The same, but it is the worker that paces, reaps, records and plans."""
    FREEZE = "freeze"
    """A worker stands still (SIGSTOP), every other time for longer than a lease.

    If it can be, it is one with a job claimed and not begun.
    """
    REDIS = "redis"
    """The server, with SIGKILL; it is started again on its files."""
    CUT = "cut"
    """What lies between certmail and Redis: connections cut, answers lost, nothing passing."""
    GATEWAY = "gateway"
    """The gateway, with SIGKILL; it is started again."""
    SQL = "sql"
    """SQLite is locked by somebody else, now and then for longer than certmail waits for it.

    PostgreSQL is stopped at once (SIGQUIT), and started again.
    """
    GOOGLE = "google"
    """One of Google's faults, for one mailbox."""
    GARBAGE = "garbage"
    """Something that nobody should ever send, for one of the doors.

    It comes in the name of a tenant that sends nothing else.
    """


class Cut(StrEnum):
    """What happens to the connections."""

    CUT = "cut"
    """All end."""
    SWALLOW = "swallow"
    """Commands are carried out, and their answers lost with the connection."""
    HOLD = "hold"
    """Nothing passes for a while."""


class Fault(StrEnum):
    """What Google does; in the words of the sandbox, where it has one."""

    DEADLINE = "429_retry_at"
    SLOWER = "429"
    SERVER_ERROR = "500"
    UNAVAILABLE = "503"
    PROXY_PAGE = "502_html"
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    HANG = "hang_after"
    SLOW = "slow"
    LATE = "accept_late"
    TOKEN_REFUSED = "drop_token"
    NO_TOKEN = "token_503"
    REFUSED = "refused"


class Garbage(StrEnum):
    """What is thrown, by its door; the things themselves are in support/garbage.py."""

    PAYLOAD = "payload"
    """A reminder's sealed content."""
    EVENT = "event"
    """An entry of the stream that is recorded."""
    MESSAGE = "message"
    """What lies in Celery's queue."""
    COMMAND = "command"
    """Celery's remote control."""
    KEY = "key"
    """An API key that for some seconds asks for all that it may.

    It sends nothing that can be taken.
    """


GARBAGE_EVERY: Final = 10
"""So much more often than kills: at each moment something is thrown."""
MAX_OF: Final = {Fault.DEADLINE: 2, Fault.SLOWER: 2, Fault.TOKEN_REFUSED: 1}
"""How often some faults hit one tenant, in all turns.

These lower a mailbox's pace for minutes, or if met twice by one reminder stop its lane.
"""


@dataclass(frozen=True, slots=True)
class Storm:
    """How hard it blows.

    `seconds` is how long blows fall and reminders come; `every` is how far apart kills are.
    """

    reminders: int = 400
    tenants: int = 6
    workers: int = 3
    seconds: float = 20.0
    every: float = 4.0
    seed: int = 0
    blows: frozenset[Kind] = frozenset(Kind)
    faults: frozenset[Fault] = frozenset(Fault)


@dataclass(frozen=True, slots=True)
class Blow:
    """One blow.

    `at` counts from the beginning; `target` is a worker's place or a tenant's number.
    """

    at: float
    kind: Kind
    what: str = ""
    seconds: float = 0.0
    target: int = 0
    times: int = 1


def plan(storm: Storm, turn: int = 0) -> tuple[Blow, ...]:
    """All blows, in order; leaving a kind out changes nothing about the others.

    On a slow machine it takes several turns.
    """
    blows = [
        blow
        for kind in Kind
        if kind in storm.blows
        for blow in _PLANS[kind](storm, random.Random(f"{storm.seed}:{turn}:{kind}"))
        if turn == 0 or blow.what not in MAX_OF
    ]
    return tuple(sorted(blows, key=lambda blow: blow.at))


def _times(storm: Storm, chance: random.Random, every: float) -> Iterator[float]:
    """Moments about so far apart, a quarter more or less; one at least."""
    at = min(chance.uniform(0.75, 1.25) * every, storm.seconds / 2)
    while at < storm.seconds:
        yield at
        at += chance.uniform(0.75, 1.25) * every


def _kills(storm: Storm, chance: random.Random) -> Iterator[Blow]:
    for at in _times(storm, chance, storm.every):
        yield Blow(at, Kind.KILL, target=chance.randrange(storm.workers))


def _keepers(storm: Storm, chance: random.Random) -> Iterator[Blow]:
    for at in _times(storm, chance, 2 * storm.every):
        yield Blow(at, Kind.KEEPER, target=chance.randrange(storm.workers))


def _freezes(storm: Storm, chance: random.Random) -> Iterator[Blow]:
    for n, at in enumerate(_times(storm, chance, 1.5 * storm.every)):
        # So that others have sent meanwhile what it holds.
        long = LEASE_SECONDS + chance.uniform(3, 8)
        seconds = long if n % 2 == 1 else chance.uniform(0.5, 8)
        yield Blow(at, Kind.FREEZE, seconds=seconds, target=chance.randrange(storm.workers))


def _redis(storm: Storm, chance: random.Random) -> Iterator[Blow]:
    for n, at in enumerate(_times(storm, chance, 3.5 * storm.every)):
        longer = n % 2 == 1  # than clients try again by themselves
        yield Blow(
            at, Kind.REDIS, seconds=chance.uniform(4, 8) if longer else chance.uniform(0.2, 2.5)
        )


def _cuts(storm: Storm, chance: random.Random) -> Iterator[Blow]:
    for at in _times(storm, chance, storm.every / 2):
        how = chance.choice(list(Cut))
        lasts = {
            Cut.CUT: 0.0,
            Cut.SWALLOW: chance.uniform(0.05, 0.5),
            Cut.HOLD: chance.uniform(0.2, 3),
        }
        yield Blow(at, Kind.CUT, how, seconds=lasts[how])


def _gateway(storm: Storm, chance: random.Random) -> Iterator[Blow]:
    for at in _times(storm, chance, 4 * storm.every):
        yield Blow(at, Kind.GATEWAY, seconds=chance.uniform(0.5, 5))


def _sql(storm: Storm, chance: random.Random) -> Iterator[Blow]:
    for n, at in enumerate(_times(storm, chance, 3 * storm.every)):
        yield Blow(at, Kind.SQL, seconds=BUSY_SECONDS + 3 if n % 5 == 2 else chance.uniform(1, 6))


def _google(storm: Storm, chance: random.Random) -> Iterator[Blow]:
    """Google's faults: about every twelfth request meets one.

    Faults take turns, and each goes through the tenants.
    """
    orders = max(len(Fault), storm.reminders // 20)
    turns = {
        fault: islice(_tenants(storm, chance), MAX_OF.get(fault, orders) * storm.tenants)
        for fault in Fault
    }
    faults = _around(list(Fault), chance)

    for n in range(orders):
        fault, moment, seconds = next(faults), chance.random(), chance.uniform(1, 4)
        if fault is Fault.SLOW:
            seconds /= 2  # well within the time-out, so that it leaves no doubt by itself
        times = 5 if fault is Fault.SLOW else 1 if fault in MAX_OF else chance.choice([1, 1, 2, 3])
        tenant = next(turns[fault], None)
        if tenant is not None and fault in storm.faults:
            at = storm.seconds * (n + moment) / orders
            yield Blow(at, Kind.GOOGLE, fault, seconds=seconds, target=tenant, times=times)


def _tenants(storm: Storm, chance: random.Random) -> Iterator[int]:
    return _around(list(range(storm.tenants)), chance)


def _around(things: Sequence[T], chance: random.Random) -> Iterator[T]:
    """Each once before any comes again, in another order each time; without end."""
    while True:
        yield from chance.sample(things, len(things))


def _garbage(storm: Storm, chance: random.Random) -> Iterator[Blow]:
    """Kinds take turns; `target` says which of its kind."""
    kinds = _around(list(Garbage), chance)
    for at in _times(storm, chance, storm.every / GARBAGE_EVERY):
        what = next(kinds)
        seconds = chance.uniform(1, 2) if what is Garbage.KEY else 0.0
        yield Blow(at, Kind.GARBAGE, what, seconds=seconds, target=chance.randrange(1_000_000))


_PLANS: Final[dict[Kind, Callable[[Storm, random.Random], Iterator[Blow]]]] = {
    Kind.KILL: _kills,
    Kind.KEEPER: _keepers,
    Kind.FREEZE: _freezes,
    Kind.REDIS: _redis,
    Kind.CUT: _cuts,
    Kind.GATEWAY: _gateway,
    Kind.SQL: _sql,
    Kind.GOOGLE: _google,
    Kind.GARBAGE: _garbage,
}
