"""The model's pacer: whose job leaves next, and when."""

from __future__ import annotations

import math
from typing import Final, Literal

from certmail_config.base.ids import JobId
from certmail_config.jobs.states import State
from certmail_config.ledger import Dispatched, Stop
from certmail_config.ledger import delivery as real
from support.model.ledger_state import PROJECT
from support.model.meters import fine, sends
from support.model.moves import Moves
from support.model.values import LEASED, Entry, Track, ms

LATE: Final = 2_500
"""So much lateness of the pacer is made up for."""
GATHER: Final = 100
"""A project that lets some leave is not visited again before, ms."""
Wait = float | Literal["slot"] | None
"""What a lane waits for: a time, or for a request to end; None if for nothing."""


class Pacing(Moves):
    """Which lanes are visited when, and what they lease.

    Lanes are visited at the times in `wake`; one that waits for its project has its turn in the
    project's queue.
    """

    def dispatch(self, maximum: int, *, unanswered: int = 0, clock: float) -> Dispatched:
        now, leapt = self.time(clock)
        if leapt or not self.checked:
            return Dispatched((), None, Stop.CLOCK_LEAPT if leapt else Stop.UNCHECKED)
        if "*" in self.paused:
            return Dispatched((), None, Stop.PAUSED)

        self.workers = {
            name: (size, until) for name, (size, until) in self.workers.items() if until > now
        }
        leased = [entry for entry in self.entries.values() if entry.state in LEASED]
        capacity = sum(size for size, _ in self.workers.values()) - len(leased)
        ringing = sum(entry.ringing for entry in leased)
        bells = max(len(self.workers) * real.UNANSWERED_PER_WORKER, unanswered) - ringing
        rung = Round(self, now, min(capacity, bells, maximum)).visit_all(4 * maximum)
        first = min(self.wake.values(), default=None)
        next_in = None if first is None else float(f"{max(first - now, 0):.0f}") / 1000

        return Dispatched(tuple(rung), next_in, unanswered=ringing + len(rung))

    def mailbox_waits(self, track: Track, now: int, since: float) -> Wait:
        """What keeps a mailbox from sending."""
        gate, (meter, _) = (
            self.mailboxes[track.mailbox],
            self.meters_of(track.mailbox, track.project),
        )
        flying = len(self.flying(track.mailbox))
        if gate.cooling > now:
            return gate.cooling
        if flying >= (1 if gate.probe else gate.room(track.in_flight, now)):
            return "slot"
        # Then the lane goes first that went longest ago: part of a millisecond decides.
        if meter.next > now:
            return meter.next + track.leased_at % 900_000 / 1_000_000
        if meter.used(now) >= meter.limit(track.units_per_minute, now):
            meter.waited = meter.waited or fine(since)
            return meter.frees() or "slot"

        day = self.days[track.mailbox]
        if day.used(now) >= track.day_limit(now):
            return "slot" if flying else day.frees()

        return None

    def project_waits(self, track: Track, now: int) -> Wait:
        """What keeps all lanes of its project from sending."""
        gate, meter, day = (
            self.projects[track.project],
            self.meters[track.project],
            self.days[track.project],
        )
        if gate.cooling > now:
            return gate.cooling
        if gate.probe and meter.leased:
            return "slot"
        if meter.next > now:
            return meter.next
        if meter.used(now) >= meter.limit(track.project_units_per_minute, now):
            return meter.frees() or "slot"
        if day.used(now) >= sends(track.project_units_per_day):
            return "slot" if meter.leased else day.frees()

        return None

    def next_job(self, lane: str, now: int) -> Entry | None:
        """The first of a lane whose time has not passed."""
        for entry in self.waiting(lane):
            if entry.expires_at > now:
                return entry
            self.expire(entry, now)
        return None


class Round:
    """One step of the pacer: `room` is for so many jobs."""

    def __init__(self, model: Pacing, now: int, room: int) -> None:
        self.model, self.now, self.room = model, now, room
        self.leased: list[JobId] = []
        self.leased_of: set[str] = set()
        self.queued = 0

    def full(self) -> bool:
        return len(self.leased) >= self.room

    def visit_all(self, maximum: int) -> list[JobId]:
        """Lease for everyone whose time has come, until there is no more room."""
        visits = 0
        while not self.full() and visits < maximum:
            timely = sorted((at, name) for name, at in self.model.wake.items() if at <= self.now)
            if not timely:
                break

            for since, name in timely[: self.room - len(self.leased)]:
                if self.full():
                    break
                visits += 1
                if name.startswith(PROJECT):
                    self._visit_project(name.removeprefix(PROJECT))
                else:
                    self._visit(name, since)

        return self.leased

    def _visit(self, lane: str, since: float, *, turn: bool = False) -> None:
        """Lease one job of a lane, or find out what it waits for.

        `turn`: its project may send, and it is the first.
        """
        model, track = self.model, self.model.tracks[lane]
        model.wake.pop(lane, None)
        if track.state != "open" or not model.waiting(lane) or track.tenant in model.paused:
            return

        wait = model.mailbox_waits(track, self.now, since)
        if wait == "slot":
            model.blocked[track.mailbox].add(lane)
        elif wait is not None:
            model.wake[lane] = fine(wait)
        elif not turn and (wait := self._behind(track)):
            self._queue(lane, track.project, wait)
        elif entry := model.next_job(lane, self.now):
            self._lease(lane, track, entry, since)

    def _behind(self, track: Track) -> Wait:
        """What a lane waits for whose project has to send first for others, or may not send."""
        return self.now if self.model.queues[track.project] else self._project_waits(track)

    def _project_waits(self, track: Track) -> Wait:
        """Its next slot is not waited for where it has sent: then more leave together."""
        wait = self.model.project_waits(track, self.now)
        if track.project in self.leased_of and wait == self.model.meters[track.project].next:
            return max(wait, self.now + GATHER)
        return wait

    def _queue(self, lane: str, project: str, wait: Wait) -> None:
        """Behind those that wait for the project already, in the order in which they come."""
        self.queued += 1
        self.model.queues[project].setdefault(lane, fine(self.now + min(self.queued, 999) / 1000))
        if wait != "slot":
            assert wait is not None
            self.model.wake.setdefault(PROJECT + project, fine(wait))

    def _visit_project(self, project: str) -> None:
        """The lanes that wait for it have their turns for as long as it may send."""
        model, queue = self.model, self.model.queues[project]
        while queue and not self.full():
            since, lane = min((since, lane) for lane, since in queue.items())
            wait = self._project_waits(model.tracks[lane])
            if wait == "slot":
                break
            if wait is not None:
                model.wake[PROJECT + project] = fine(wait)
                return
            del queue[lane]
            self._visit(lane, since, turn=True)

        if not self.full():
            model.wake.pop(PROJECT + project, None)

    def _lease(self, lane: str, track: Track, entry: Entry, since: float) -> None:
        """`since`: when the lane could send at the earliest.

        Lateness of the pacer is made up for, idle time is not.
        """
        model, now = self.model, self.now
        meter, whole = model.meters_of(track.mailbox, track.project)
        step = meter.step(track.units_per_minute, now, track.warmth(now))
        project_step = whole.step(track.project_units_per_minute, now)
        entry.state, entry.dispatched_at, entry.nonce, entry.worker = (
            State.DISPATCHED,
            now,
            None,
            None,
        )

        entry.at = now + ms(real.DOORBELL_LEASE_SECONDS)
        model.count_in(entry, track.mailbox, track.project, (fine(step), fine(project_step)), now)
        since = min(since, meter.waited or math.inf)
        after = max(meter.next, since, now - LATE) + step
        meter.move_on(after)
        whole.move_on(max(whole.next, now - LATE) + project_step)
        track.leased_at, track.sends_since = now, track.sends_since or now
        model.wake[lane] = fine(after + now % 900_000 / 1_000_000)
        self.leased.append(JobId(entry.id))
        self.leased_of.add(track.project)
