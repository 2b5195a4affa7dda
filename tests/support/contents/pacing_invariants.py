"""What holds of pacing at any moment, whatever has happened to the ledger.

Nobody sends more than is allowed, or while it pauses; nobody is forgotten.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from certmail_config.jobs.states import AttemptOutcome, State
from support.contents.contents import Contents
from support.model.ledger_state import PROJECT
from support.model.meters import Gate, Meter, sends
from support.model.values import DAY, LEASED, Entry

GOOGLES_MINUTE: Final = 60_000
LEASE: Final = 60_000
"""A request leaves so long after its job was leased, at most."""
NOTHING: Final = frozenset({AttemptOutcome.NOT_SENT, AttemptOutcome.REJECTED})
"""Outcomes of requests that became no message."""


@dataclass
class PacingHistory:
    """The pacing so far: the latest believed time, the largest limits, and what left when."""

    latest: int
    minutes: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    """By meter."""
    days: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    """By mailbox and by project."""
    horizon: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """By name in `wake`: the latest time for which there was a reason to sleep.

    A full day is no such reason here.
    """
    begins: dict[tuple[str, int], tuple[int, str, str]] = field(default_factory=dict)
    """Attempts: when, and of which mailbox and project."""

    def note(self, ledger: Contents, latest: int) -> None:
        """What is so now."""
        self.latest = max(self.latest, latest)

        for lane, track in ledger.tracks.items():
            meter = f"{track.mailbox}:{track.project}"
            _raise(self.minutes, meter, sends(track.units_per_minute))
            _raise(self.minutes, track.project, sends(track.project_units_per_minute))
            _raise(self.days, track.mailbox, track.per_day)
            _raise(self.days, track.project, sends(track.project_units_per_day))
            gates = ledger.mailboxes.get(track.mailbox), ledger.projects.get(track.project)
            names = (lane, PROJECT + track.project)

            for name, of, gate in zip(names, (meter, track.project), gates, strict=True):
                self.horizon[name] = max(
                    self.horizon[name], self.latest, *_reasons(ledger.meters.get(of), gate)
                )

    def excuse(self, ledger: Contents) -> None:
        """Forgive longer sleep after late news, which may give places of a day back.

        Nobody who waits for such a place until tomorrow is woken for it.
        """
        for name, at in ledger.wake.items():
            _raise(self.horizon, name, at)

    def begun(self, before: Contents, ledger: Contents) -> Iterator[str]:
        """What has left since, and whether it might."""
        for entry in ledger.entries.values():
            attempt = (entry.id, entry.attempt)
            if entry.state is not State.SENDING or attempt in self.begins:
                continue

            at, mailbox, project = (
                entry.begun[entry.attempt],
                entry.mailbox or "",
                entry.project or "",
            )
            self.begins[attempt] = at, mailbox, project
            gates = before.mailboxes.get(mailbox, Gate()), before.projects.get(project, Gate())
            under_way = ledger.flying[mailbox], ledger.meters[project].leased

            for gate, leased in zip(gates, under_way, strict=True):
                if gate.cooling > at:
                    yield f"{entry.id} begins in a pause"
                if gate.probe and leased != {entry.id}:
                    yield f"{entry.id} is to probe, but {leased} are under way"

            yield from self._too_many(ledger, at)

    def _too_many(self, ledger: Contents, now: int) -> Iterator[str]:
        """Google's own view: it counts what arrives."""
        minute, day = defaultdict[str, int](int), defaultdict[str, int](int)

        for (id_, attempt), (at, mailbox, project) in self.begins.items():
            outcome = (
                ledger.entries[id_].outcomes.get(attempt)
                if id_ in ledger.entries
                else AttemptOutcome.NOT_SENT
            )
            if at > now - GOOGLES_MINUTE and outcome is not AttemptOutcome.NOT_SENT:
                for meter in (f"{mailbox}:{project}", project):
                    minute[meter] += 1

            if at > now - DAY + LEASE and outcome not in NOTHING:
                for name in (mailbox, project):
                    day[name] += 1

        for what, counts, limits in (("minute", minute, self.minutes), ("day", day, self.days)):
            for name, count in counts.items():
                if count > limits[name]:
                    yield f"{name} sends {count} in a {what}, and may send {limits[name]}"


def paced(ledger: Contents, history: PacingHistory) -> Iterator[str]:
    """A sentence for each thing that is not as it must be."""
    yield from ledger.faults
    leased = [entry for entry in ledger.entries.values() if entry.state in LEASED]

    for name, meter in ledger.meters.items():
        places = meter.leased
        if places != {entry.id for entry in leased if name in _meters_of(entry)}:
            yield f"the minute of {name} has places for {places}, which are not the jobs that are leased"
        used = sum(at > history.latest for at in meter.window.values())
        if used > history.minutes[name]:
            yield f"the minute of {name} holds {used}, and may hold {history.minutes[name]}"

    for entry in leased:
        if not all(entry.id in ledger.meters[name].window for name in _meters_of(entry)):
            yield f"{entry.id} is leased, but has no place in its minutes"

    yield from _lanes(ledger)
    yield from _waiting_rooms(ledger)
    yield from _sleepers(ledger, history)


def _lanes(ledger: Contents) -> Iterator[str]:
    """Nobody is forgotten."""
    for lane, track in ledger.tracks.items():
        queued = [project for project, lanes in ledger.queues.items() if lane in lanes]
        blocked = [mailbox for mailbox, lanes in ledger.blocked.items() if lane in lanes]
        if track.state != "open" and (lane in ledger.wake or queued):
            yield f"lane {lane} is stopped, but visited"
        if lane in ledger.wake and queued:
            yield f"lane {lane} is visited, and waits for its project too"
        if set(queued) - {track.project}:
            yield f"lane {lane} waits for {queued}, which is not its project"
        may_send = track.state == "open" and not {"*", track.tenant} & ledger.paused
        if may_send and lane in ledger.lanes and not (lane in ledger.wake or queued or blocked):
            yield f"lane {lane} has jobs and is open, but forgotten"
        if set(blocked) - {track.mailbox}:
            yield f"lane {lane} waits for a slot of {blocked}, which is not its mailbox"


def _waiting_rooms(ledger: Contents) -> Iterator[str]:
    """Somebody comes for those who wait."""
    for mailbox in ledger.blocked.keys() - ledger.flying.keys():
        yield f"lanes wait for a slot of {mailbox}, where nothing is in flight"
    for project in ledger.queues:
        if PROJECT + project not in ledger.wake and not ledger.meters[project].leased:
            yield f"lanes wait for {project}, which nobody visits and where nothing is in flight"


def _sleepers(ledger: Contents, history: PacingHistory) -> Iterator[str]:
    """Nobody sleeps longer than it has to."""
    for name, at in ledger.wake.items():
        of = name.removeprefix(PROJECT) if name.startswith(PROJECT) else ledger.tracks[name].mailbox
        until = history.horizon[name]
        if (day := ledger.days.get(of)) is not None:
            until = max(until, day.frees())
        if at > until:
            yield f"{name} sleeps longer than it has to, until {at}"


def _meters_of(entry: Entry) -> tuple[str, str]:
    return f"{entry.mailbox}:{entry.project}", entry.project or ""


def _reasons(meter: Meter | None, gate: Gate | None) -> Iterator[float]:
    """Until when a mailbox or project waits; part of a millisecond more decides who goes first."""
    if gate is not None:
        yield gate.cooling
    if meter is not None:
        yield meter.next + 1
        yield from (at for at in meter.window.values() if at != math.inf)


def _raise(of: defaultdict[str, int] | defaultdict[str, float], name: str, value: float) -> None:
    of[name] = max(of[name], value)  # type: ignore[assignment]  # an int stays one
