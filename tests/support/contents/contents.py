"""All that a ledger holds, read from Redis or made from the simple model.

The two must be equal. Start reading here: `dump.py` reads every key, `jobs.py` and `meters.py` make
sense of them, and the invariants say what holds of it at any moment.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.jobs.states import State
from support.contents import jobs
from support.contents import meters as counted
from support.contents.dump import Dump
from support.model.meters import SLOT, Day, Gate, Meter
from support.model.model import Model
from support.model.values import DAY, LEASED, Entry, Track

T = TypeVar("T")
Events = list[tuple[str, dict[str, str]]]


@dataclass
class Contents:
    """What is there, index by index; what is empty is left out."""

    noted: int
    entries: dict[str, Entry]
    due: dict[str, float]
    lanes: dict[str, dict[str, float]]
    later: dict[str, dict[str, float]]
    leased: set[str]
    ringing: set[str]
    paused: set[str]
    held_back: dict[str, int]
    """By lane."""
    flying: dict[str, set[str]]
    taken: dict[str, dict[str, int]]
    """By tenant: how many reminders were taken in each day, and all of them."""
    unsure: dict[str, float]
    bodies: set[str]
    passing: set[str]
    """Jobs that Redis will forget after a time, and their dedupe keys."""
    dedupe: dict[str, str]
    tracks: dict[str, Track]
    lanes_of: dict[str, set[str]]
    """By project."""
    meters: dict[str, Meter]
    days: dict[str, Day]
    mailboxes: dict[str, Gate]
    projects: dict[str, Gate]
    tripped: dict[str, set[str]]
    workers: dict[str, tuple[int, int]]
    wake: dict[str, float]
    woken: list[str]
    blocked: dict[str, set[str]]
    queues: dict[str, dict[str, float]]
    unwanted: dict[str, dict[str, str]]
    """By tenant and campaign: marks by reviewer."""
    faults: list[str]
    """How Redis keeps it may be wrong in itself."""


def differences(found: Contents, expected: Contents) -> list[str]:
    """What is not equal, a line for each, so that a failure can be read."""
    lines = []

    for field in fields(Contents):
        a, b = getattr(found, field.name), getattr(expected, field.name)
        if a == b:
            continue

        if isinstance(a, dict):
            lines += [
                f"{field.name}[{key}]: found {a.get(key)}, expected {b.get(key)}"
                for key in sorted(a.keys() | b.keys())
                if a.get(key) != b.get(key)
            ]
        else:
            lines.append(f"{field.name}: found {a}, expected {b}")

    return lines


def expected(model: Model) -> Contents:
    """What a ledger should hold that has come as far as the model."""
    entries, tracks = model.entries, model.tracks
    finished = {id_: entry for id_, entry in entries.items() if not entry.unfinished}
    leased = {id_: entry for id_, entry in entries.items() if entry.state in LEASED}

    return Contents(
        noted=model.noted,
        entries=entries,
        due={id_: entry.due for id_, entry in entries.items() if entry.due is not None},
        lanes=_full(
            {
                lane: {
                    entry.id: entry.priority * 10**13 + entry.enqueued_at
                    for entry in model.waiting(lane)
                }
                for lane in tracks
            }
        ),
        later=_full(
            {
                lane: {
                    entry.id: entry.at
                    for entry in entries.values()
                    if entry.connection == lane
                    and entry.state is State.SCHEDULED
                    and entry.at is not None
                }
                for lane in tracks
            }
        ),
        leased=set(leased),
        paused=model.paused,
        held_back=dict(model.held_back),
        ringing={id_ for id_, entry in entries.items() if entry.ringing},
        flying={
            name: {entry.id for entry in model.flying(name)}
            for name in {entry.mailbox for entry in leased.values() if entry.mailbox is not None}
        },
        taken={tenant: {**days, "all": sum(days.values())} for tenant, days in model.taken.items()},
        unsure={id_: entry.look_at for id_, entry in entries.items() if entry.look_at is not None},
        bodies=entries.keys() - finished.keys(),
        passing={*finished, *(entry.dedupe for entry in finished.values())},
        dedupe={key: "|".join(value) for key, value in model.keys.items()},
        tracks=tracks,
        lanes_of={
            project: {lane for lane, track in tracks.items() if track.project == project}
            for project in {track.project for track in tracks.values()}
        },
        meters=_used(model.meters, Meter()),
        days=_used(model.days, Day()),
        mailboxes=_used(model.mailboxes, Gate()),
        projects=_used(model.projects, Gate()),
        tripped=_full(model.tripped),
        workers=model.workers,
        wake=model.wake,
        woken=[""] if model.woken else [],
        blocked=_full(model.blocked),
        queues=_full(model.queues),
        unwanted=_full(model.unwanted),
        faults=[],
    )


def as_of(contents: Contents, now: int) -> Contents:
    """Without what is counted no more: a ledger forgets it when it next has to know."""
    first = (now - DAY) // SLOT
    return replace(
        contents,
        meters=_used(
            {
                name: replace(
                    meter,
                    window={entry: at for entry, at in meter.window.items() if at > now},
                )
                for name, meter in contents.meters.items()
            },
            Meter(),
        ),
        days=_used(
            {
                name: Day({slot: count for slot, count in day.slots.items() if slot >= first})
                for name, day in contents.days.items()
            },
            Day(),
        ),
    )


class Reader:
    """Reads a ledger again and again.

    All of it each time; of what has not changed since the last time, the sense is known.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._last: Dump | None = None
        self._jobs: dict[str, tuple[dict[str, str], tuple[float | None, float | None], Entry]] = {}

    def read(self, since: str) -> tuple[Contents, Events]:
        """Read the ledger, and the events after `since`."""
        dump = self._last = Dump(self._redis, since, self._last)
        return _contents(dump, self._entries(dump)), dump.events

    def _entries(self, dump: Dump) -> dict[str, Entry]:
        due, unsure = _indexes(dump, redis_keys.DUE, redis_keys.UNSURE)
        before, self._jobs = self._jobs, {}

        for id_, hash_ in dump.hashes(redis_keys.JOB).items():
            scores = due.get(id_), unsure.get(id_)
            known = before.get(id_)
            if known is None or known[0] is not hash_ or known[1] != scores:
                known = hash_, scores, jobs.entry(id_, hash_, due, unsure)
            self._jobs[id_] = known

        return {id_: entry for id_, (_, _, entry) in self._jobs.items()}


def _contents(dump: Dump, entries: dict[str, Entry]) -> Contents:
    due, unsure, alive, wake = _indexes(
        dump, redis_keys.DUE, redis_keys.UNSURE, redis_keys.WORKERS, redis_keys.WAKE
    )
    capacity = dump.hashes(redis_keys.CAPACITY).get("", {})
    assert capacity.keys() == alive.keys()

    return Contents(
        noted=int(dump.strings(redis_keys.CLOCK).get("", 0)),
        entries=entries,
        due=due,
        lanes=dump.scores(redis_keys.LANE),
        later=dump.scores(redis_keys.LATER),
        leased=dump.sets(redis_keys.LEASED).get("", set()),
        ringing=dump.sets(redis_keys.RINGING).get("", set()),
        paused=dump.sets(redis_keys.PAUSED).get("", set()),
        held_back={
            lane: int(n) for lane, n in dump.hashes(redis_keys.HELD_BACK).get("", {}).items()
        },
        flying=dump.sets(redis_keys.FLYING),
        taken={
            tenant: {day: int(n) for day, n in days.items()}
            for tenant, days in dump.hashes(redis_keys.TAKEN).items()
        },
        unsure=unsure,
        bodies=set(dump.strings(redis_keys.BODY)),
        passing={
            id_
            for prefix in (redis_keys.JOB, redis_keys.DEDUPE)
            for id_, ttl in dump.lives(prefix).items()
            if ttl > 0
        },
        dedupe=dump.strings(redis_keys.DEDUPE),
        tracks={
            lane: jobs.track(hash_) for lane, hash_ in dump.hashes(redis_keys.LANE_INFO).items()
        },
        lanes_of=dump.sets(redis_keys.LANES),
        meters=_used(counted.meters(dump), Meter()),
        days=_used(counted.days(dump), Day()),
        mailboxes=_used(counted.gates(dump, redis_keys.MAILBOX), Gate()),
        projects=_used(counted.gates(dump, redis_keys.PROJECT), Gate()),
        tripped=dump.sets(redis_keys.TRIPPED),
        workers={worker: (int(capacity[worker]), int(until)) for worker, until in alive.items()},
        wake=wake,
        woken=dump.words(redis_keys.PACER_WOKEN).get("", []),
        blocked=dump.sets(redis_keys.BLOCKED),
        queues=dump.scores(redis_keys.QUEUE),
        unwanted=dump.hashes(redis_keys.UNWANTED),
        faults=list(counted.faults(dump)),
    )


def _indexes(dump: Dump, *keys: str) -> list[dict[str, float]]:
    """Indexes that there is one of each."""
    return [dump.scores(key).get("", {}) for key in keys]


def _full(indexes: Any) -> Any:
    return {name: members for name, members in indexes.items() if members}


def _used(found: dict[str, T], new: T) -> dict[str, T]:
    """Without those of which nothing was ever said."""
    return {name: value for name, value in found.items() if value != new}
