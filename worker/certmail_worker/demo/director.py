"""The director lets go wrong what goes wrong on an ordinary day, each at its cue.

A deadline, an expired token, an error, a lost answer, a killed worker.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from certmail_config.jobs.states import State
from certmail_worker.demo.cast import ACME, GLOBEX, Role
from certmail_worker.demo.google import SandboxGoogle
from certmail_worker.demo.ledger import Seen
from certmail_worker.demo.progress import DemoProgress

DEADLINE_SECONDS = 12


@dataclass(frozen=True, slots=True)
class Cue:
    """When so many of a tenant's mails are accepted, this happens."""

    role: Role
    accepted: int
    words: str
    act: Callable[[], None]


@dataclass(slots=True)
class Director:
    """Gives each cue once, in order for each tenant, and tells what follows from it."""

    google: SandboxGoogle
    progress: DemoProgress
    kill_worker: Callable[[], None]
    more: Sequence[Cue] = ()
    """What people do besides."""
    killed: list[str] = field(default_factory=list)
    _before: Mapping[str, Seen] = field(default_factory=dict)
    _cues: list[Cue] = field(default_factory=list)
    _hanging: bool = False

    def __post_init__(self) -> None:
        """Write the script."""
        self._cues = [
            Cue(
                GLOBEX,
                5,
                f"Gmail tells globex to wait {DEADLINE_SECONDS} s: no request leaves before.",
                self._deadline,
            ),
            Cue(
                ACME,
                8,
                "Gmail fails for acme with a 503: sent once more after 10 s, on record.",
                self._fault(ACME, "503"),
            ),
            Cue(
                ACME,
                16,
                "Gmail takes a mail of acme, and its answer is lost: looked up among the sent mails.",
                self._fault(ACME, "reset_after"),
            ),
            Cue(
                GLOBEX,
                18,
                "The access token of globex expires: refreshed, and sent in a second attempt.",
                self._fault(GLOBEX, "drop_token"),
            ),
            Cue(ACME, 26, "A request of acme hangs …", self._hang),
            *self.more,
        ]

    def watch(self, seen: Mapping[str, Seen]) -> None:
        """Look at the ledger: give what is due, and say what happened."""
        accepted = Counter(item.tenant for item in seen.values() if item.state is State.ACCEPTED)

        for cue in list(self._cues):
            if accepted[cue.role.tenant] >= cue.accepted:
                self._cues.remove(cue)
                self.progress.say(cue.words)
                cue.act()

        if self._hanging:
            self._kill_when_it_hangs()

        for job, item in seen.items():
            self._tell(self._before.get(job), item)
        self._before = dict(seen)

    @property
    def done(self) -> bool:
        """Whether everything that shall go wrong has."""
        return not self._cues and not self._hanging

    def _fault(self, role: Role, fault: str) -> Callable[[], None]:
        return lambda: self.google.fault(role.mailbox, fault)

    def _deadline(self) -> None:
        until = datetime.now(UTC) + timedelta(seconds=DEADLINE_SECONDS)
        text = until.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.google.fault(GLOBEX.mailbox, "429_retry_at", retry_at=text)

    def _hang(self) -> None:
        self.google.fault(ACME.mailbox, "hang_after")
        self._hanging = True

    def _kill_when_it_hangs(self) -> None:
        hanging = [
            str(item["certmail_id"])
            for item in self.google.faults_met()
            if item["fault"] == "hang_after"
        ]
        if not hanging:
            return

        self._hanging = False
        self.killed = hanging
        self.kill_worker()
        self.progress.say(
            "… and its worker is killed with SIGKILL. Another takes over; the lease ends in 45 s."
        )

    def _tell(self, before: Seen | None, now: Seen) -> None:
        if before is None or before.state is now.state:
            return
        if now.state is State.UNCERTAIN:
            self.progress.say(
                f"{now.tenant}: one mail is uncertain ({now.reason.partition(':')[0]})."
            )
        elif before.state is State.UNCERTAIN and now.state is State.ACCEPTED:
            self.progress.say(f"{now.tenant}: found among the sent mails, so it was accepted.")
        elif before.state is State.UNCERTAIN and now.possible_duplicate:
            self.progress.say(f"{now.tenant}: sent once more, as a possible duplicate.")
