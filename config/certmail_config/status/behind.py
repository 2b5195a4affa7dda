"""Who works on what was taken in, and what of that stands still: a check by name, for /readyz.

Anybody may ask: which worker on which machine, and what it failed with, is for doctor and the log to
say. None of it withdraws a process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from certmail_config.base import redis_keys
from certmail_config.status import stalls

OK: Final = "ok"
STANDS: Final = "not as it should be (`certmail doctor` says more), since"
STOPPED: Final = "stopped (`certmail doctor` says more):"


@dataclass(frozen=True, slots=True)
class Behind:
    """What Redis shows: the services, and the code of what stops pacing, if anything does."""

    seen: stalls.Seen
    stopped: str | None

    @property
    def workers(self) -> dict[str, str]:
        """Whether any worker is alive."""
        return {"workers": OK if self.seen.workers else "none is alive: reminders wait"}

    @property
    def services(self) -> dict[str, str]:
        """What stands still, and how much waits for a time; nothing where all is well."""
        found = {"pacing": f"{STOPPED} {self.stopped}"} if self.stopped else {}
        if not self.seen.workers:
            return found

        for each in stalls.standstills(self.seen):
            found[each.service] = f"{STANDS} {each.since:%Y-%m-%dT%H:%M:%SZ}"
        mailboxes, projects = self.seen.waits
        if mailboxes or projects:
            found["waits"] = (
                f"{mailboxes} mailboxes and {projects} projects wait for a time: "
                "`certmail doctor` says why"
            )

        return found


def ask(pipe: Any) -> None:
    """Put the questions into a pipeline, synchronous or not; its answers are read by `read`."""
    stalls.ask(pipe)
    pipe.hget(redis_keys.STOPPED, "code")


def read(answers: Sequence[Any]) -> Behind:
    """Read the answers to `ask`."""
    *services, code = answers
    return Behind(stalls.read(services), code[:100].decode(errors="replace") if code else None)
