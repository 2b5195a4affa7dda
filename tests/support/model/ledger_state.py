"""What the model holds, its time and its events."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final

from certmail_config.jobs.states import State
from support.model.meters import Day, Gate, Meter
from support.model.values import LEASED, Entry, Track, ms

LEAP: Final = 60_000
PROJECT: Final = "project:"
"""Under this name a project is visited for the lanes that wait for it."""


class LedgerState:
    """Jobs, lanes, workers, and what Google counts; `events` is what the stream should hold."""

    def __init__(self) -> None:
        self.noted = 0
        self.checked = True
        # Tenants of which nothing leaves; `*` is all.
        self.paused: set[str] = set()
        self.entries: dict[str, Entry] = {}
        self.bodies: dict[str, bytes] = {}
        self.keys: dict[str, tuple[str, str]] = {}
        self.tracks: dict[str, Track] = {}
        # By tenant and day since 1970: reminders taken in, of the days that still counted on its
        # latest.
        self.taken: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self.workers: dict[str, tuple[int, int]] = {}
        self.events: list[dict[str, str]] = []
        # Of mailboxes in their projects (`mailbox:project`), and of projects.
        self.meters: defaultdict[str, Meter] = defaultdict(Meter)
        # Of mailboxes and of projects.
        self.days: defaultdict[str, Day] = defaultdict(Day)
        self.mailboxes: defaultdict[str, Gate] = defaultdict(Gate)
        self.projects: defaultdict[str, Gate] = defaultdict(Gate)
        # By project: mailboxes with an unknown outcome since one of it succeeded.
        self.tripped: defaultdict[str, set[str]] = defaultdict(set)
        # By lane: how many a repair has held, because they could have left.
        self.held_back: Counter[str] = Counter()
        # When the pacer visits which lane or project.
        self.wake: dict[str, float] = {}
        # Whether a lane has got a time there since the pacer last looked whether it was woken.
        self.woken = False
        # By mailbox: lanes that wait until one of its requests ends.
        self.blocked: defaultdict[str, set[str]] = defaultdict(set)
        # By tenant and campaign: of which reviewers, or of all (`*`), nothing is wanted, and why.
        self.unwanted: defaultdict[str, dict[str, str]] = defaultdict(dict)
        # By project: lanes that wait for it, and since when.
        self.queues: defaultdict[str, dict[str, float]] = defaultdict(dict)

    def time(self, clock: float) -> tuple[int, bool]:
        """The ledger's time, which never goes back, and whether the clock has leapt ahead of it."""
        given = ms(clock)
        return max(given, self.noted), 0 < self.noted < given - LEAP

    def believed(self, now: int) -> int:
        """The time, or the one last noted if the clock leapt: it may be put back."""
        return self.noted if 0 < self.noted < now - LEAP else now

    def emit(self, now: int, kind: str, /, **fields: str) -> None:
        """Append an event; with it the time is noted, unless it leapt."""
        self.noted = self.believed(now)
        self.events.append({"type": kind, "at": str(now), **fields})

    def emit_job(self, now: int, kind: str, entry: Entry, /, *names: str, **fields: str) -> None:
        """An event of a job: its state, what else is named of it as it is now, and more."""
        said = {name: getattr(entry, name) for name in names}
        if "held" in said:
            said["held"] = int(entry.held)
        described = {name: str(value) for name, value in said.items()}
        self.emit(
            now, kind, job=entry.id, tenant=entry.tenant, state=entry.state, **described, **fields
        )

    def waiting(self, lane: str) -> list[Entry]:
        """The jobs of a lane, in the order in which they leave."""
        ready = (
            entry
            for entry in self.entries.values()
            if entry.state is State.READY and entry.connection == lane
        )
        return sorted(ready, key=lambda entry: entry.turn)

    def flying(self, mailbox: str) -> list[Entry]:
        """Its leased jobs."""
        return [
            entry
            for entry in self.entries.values()
            if entry.state in LEASED and entry.mailbox == mailbox
        ]

    def meters_of(self, mailbox: str, project: str) -> tuple[Meter, Meter]:
        return self.meters[f"{mailbox}:{project}"], self.meters[project]

    def gates_of(self, mailbox: str, project: str) -> tuple[Gate, Gate]:
        return self.mailboxes[mailbox], self.projects[project]

    def days_of(self, mailbox: str, project: str) -> tuple[Day, Day]:
        return self.days[mailbox], self.days[project]
