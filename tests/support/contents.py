"""All that a ledger holds, read from Redis in one round trip, or made from the simple model: the two must be equal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from redis import Redis

from certmail_config import keys
from certmail_config.states import AttemptOutcome, State
from support.model import Model
from support.model_values import LEASED, Entry, Mailbox, Track


@dataclass
class Contents:
    """What is there, index by index."""

    noted: int
    entries: dict[str, Entry]
    due: dict[str, int]
    lanes: dict[str, dict[str, int]]
    leased: set[str]
    ringing: set[str]
    flying: dict[str, set[str]]
    unsure: dict[str, int]
    bodies: set[str]
    passing: set[str]
    """Jobs that Redis will forget after a time, and their dedupe keys."""
    dedupe: dict[str, str]
    tracks: dict[str, Track]
    mailboxes: dict[str, Mailbox]
    workers: dict[str, tuple[int, int]]


@dataclass
class Waking:
    """When the pacer visits which lane, and which lanes wait for a slot of which mailbox: the ledger's own affair."""

    wake: dict[str, int]
    blocked: dict[str, set[str]]


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
    entries = model.entries
    finished = {id_: entry for id_, entry in entries.items() if not entry.unfinished}
    return Contents(
        noted=model.noted,
        entries=entries,
        due={id_: entry.due for id_, entry in entries.items() if entry.due is not None},
        lanes={
            lane: {entry.id: entry.priority * 10**13 + entry.enqueued_at for entry in model.waiting(lane)}
            for lane in model.tracks
        },
        leased={id_ for id_, entry in entries.items() if entry.state in LEASED},
        ringing={id_ for id_, entry in entries.items() if entry.ringing},
        flying={name: {entry.id for entry in model.flying(name)} for name in model.mailboxes},
        unsure={id_: entry.look_at for id_, entry in entries.items() if entry.look_at is not None},
        bodies=entries.keys() - finished.keys(),
        passing={*finished, *(entry.dedupe for entry in finished.values())},
        dedupe={key: "|".join(value) for key, value in model.keys.items()},
        tracks=model.tracks,
        mailboxes=dict(model.mailboxes),
        workers=model.workers,
    )


def read(redis: Redis, model: Model, since: str) -> tuple[Contents, Waking, list[tuple[str, dict[str, str]]]]:
    """Read the ledger, for the lanes and mailboxes that the model knows, and the events after `since`."""
    jobs, dedupe = list(model.entries), list(model.keys)
    lanes, mailboxes = list(model.tracks), list(model.mailboxes)
    with redis.pipeline(transaction=False) as pipe:
        pipe.keys(keys.JOB + "*")
        pipe.keys(keys.BODY + "*")
        pipe.keys(keys.DEDUPE + "*")
        pipe.get(keys.CLOCK)
        for zset in (keys.DUE, keys.UNSURE, keys.WAKE, keys.WORKERS):
            pipe.zrange(zset, 0, -1, withscores=True)
        pipe.hgetall(keys.CAPACITY)
        pipe.smembers(keys.LEASED)
        pipe.smembers(keys.RINGING)
        pipe.xrange(keys.EVENTS, min=f"({since}")
        for job in jobs:
            pipe.hgetall(keys.JOB + job)
            pipe.pttl(keys.JOB + job)
        for key in dedupe:
            pipe.get(keys.DEDUPE + key)
            pipe.pttl(keys.DEDUPE + key)
        for lane in lanes:
            pipe.hgetall(keys.LANE_INFO + lane)
            pipe.zrange(keys.LANE + lane, 0, -1, withscores=True)
        for mailbox in mailboxes:
            pipe.hgetall(keys.MAILBOX + mailbox)
            pipe.zrange(keys.BEGINS + mailbox, 0, -1, withscores=True)
            pipe.smembers(keys.FLYING + mailbox)
            pipe.smembers(keys.BLOCKED + mailbox)
        answers = iter(pipe.execute())

    job_keys, body_keys, dedupe_keys = (_ids(next(answers)) for _ in range(3))
    noted = int(next(answers) or 0)
    due, unsure, wake, alive = (_scores(next(answers)) for _ in range(4))
    capacity, leased, ringing = _text(next(answers)), _set(next(answers)), _set(next(answers))
    events = [(id_.decode(), _text(told)) for id_, told in next(answers)]
    found_jobs = {job: (_text(next(answers)), next(answers)) for job in jobs}
    found_keys = {key: (next(answers), next(answers)) for key in dedupe}
    found_lanes = {lane: (_text(next(answers)), _scores(next(answers))) for lane in lanes}
    found_boxes = {name: tuple(next(answers) for _ in range(4)) for name in mailboxes}

    assert job_keys == {job for job, (told, _) in found_jobs.items() if told}, job_keys
    assert dedupe_keys == {key for key, (told, _) in found_keys.items() if told is not None}, dedupe_keys
    assert capacity.keys() == alive.keys()
    contents = Contents(
        noted=noted,
        entries={job: entry(job, told, due) for job, (told, _) in found_jobs.items() if told}
        | {job: entry_looked_at(job, told, due, unsure) for job, (told, _) in found_jobs.items() if told},
        due=due,
        lanes={lane: scores for lane, (_, scores) in found_lanes.items()},
        leased=leased,
        ringing=ringing,
        flying={name: _set(box[2]) for name, box in found_boxes.items()},
        unsure=unsure,
        bodies=body_keys,
        passing={job for job, (_, ttl) in found_jobs.items() if ttl > 0}
        | {key for key, (_, ttl) in found_keys.items() if ttl > 0},
        dedupe={key: told.decode() for key, (told, _) in found_keys.items() if told is not None},
        tracks={lane: _track(told) for lane, (told, _) in found_lanes.items() if told},
        mailboxes={name: _mailbox(_text(box[0]), _scores(box[1])) for name, box in found_boxes.items()},
        workers={worker: (int(capacity[worker]), until) for worker, until in alive.items()},
    )
    return contents, Waking(wake, {name: _set(box[3]) for name, box in found_boxes.items()}), events


def entry(id_: str, told: dict[str, str], due: dict[str, int]) -> Entry:
    """A job as its hash says it is; only the time of the next look at an uncertain one stands in the index alone."""
    state, attempt = State(told["state"]), int(told["attempt"])
    numbers = range(1, attempt + 2)
    at = {State.SCHEDULED: told.get("not_before"), State.DISPATCHED: told.get("lease")}
    at[State.SENDING] = at[State.DISPATCHED]
    until = at.get(state)
    return Entry(
        id=id_,
        tenant=told["tenant"],
        connection=told["connection"],
        campaign=told["campaign"],
        dedupe=told["dedupe"],
        priority=int(told["priority"]),
        enqueued_at=int(told["enqueued_at"]),
        expires_at=int(told["expires_at"]),
        keep=int(told["keep"]),
        state=state,
        at=due.get(id_) if state is State.UNCERTAIN else None if until is None else int(until),
        held=told.get("held") == "1",
        reason=told.get("reason"),
        attempt=attempt,
        fence=int(told["fence"]),
        failures=int(told.get("failures", 0)),
        mailbox=told.get("mailbox"),
        dispatched_at=_number(told.get("dispatched_at")),
        nonce=told.get("nonce"),
        worker=told.get("worker"),
        begun={n: int(told[f"begun:{n}"]) for n in numbers if f"begun:{n}" in told},
        begun_by=_claim(told.get("begun_by")),
        outcomes={n: AttemptOutcome(told[f"outcome:{n}"]) for n in numbers if f"outcome:{n}" in told},
        called_off=told.get("called_off"),
        finished_at=_number(told.get("finished_at")),
        would_be=_pair(told.get("would_be")),
        possible_duplicate=told.get("possible_duplicate") == "1",
        victims=frozenset(filter(None, told.get("victims", "").split(","))),
    )


def entry_looked_at(id_: str, told: dict[str, str], due: dict[str, int], unsure: dict[str, int]) -> Entry:
    found = entry(id_, told, due)
    found.look_at = unsure.get(id_)
    return found


def _track(told: dict[str, str]) -> Track:
    return Track(
        tenant=told["tenant"],
        mailbox=told["mailbox"],
        units_per_minute=int(told["units_per_minute"]),
        in_flight=int(told["in_flight"]),
        verify=told["verify"] == "1",
        version=int(told["version"]),
        state=told["state"],
        code=told.get("code"),
        message=told.get("message"),
    )


def _mailbox(told: dict[str, str], begins: dict[str, int]) -> Mailbox:
    return Mailbox(
        next=int(told.get("next", 0)),
        cooling=int(told.get("cooling", 0)),
        cooled_at=int(told.get("cooled_at", 0)),
        cool_reason=told.get("cool_reason"),
        probe=told.get("probe") == "1",
        strikes=int(told.get("strikes", 0)),
        begins=begins,
    )


def _ids(found: Iterable[bytes]) -> set[str]:
    """What follows the prefix, which has two colons."""
    return {key.decode().split(":", 2)[2] for key in found}


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def _claim(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    fence, _, nonce = text.partition(":")
    return int(fence), nonce


def _pair(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    state, _, reason = text.partition("|")
    return state, reason


def _text(found: Any) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in found.items()}


def _scores(found: Any) -> dict[str, int]:
    return {member.decode(): int(score) for member, score in found}


def _set(found: Any) -> set[str]:
    return {member.decode() for member in found}
