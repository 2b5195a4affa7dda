"""How a delivery ended, and which of Celery's events says so. Pure.

Flower shows the state that an event is named after.

The task's id is the job's, so that one row tells of one reminder, whichever worker had it last. An
event of an earlier state that comes late changes nothing there, as Celery orders states; only RETRY
gives way to all, and is told only of what waits again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from certmail_config.jobs.states import State

REFUSED: Final = "refused"
"""The state of a doorbell that had nothing to do: it came late, or twice."""
WAITING: Final = frozenset({State.READY, State.SCHEDULED})
LATER: Final = frozenset({*WAITING, "stale", "unchecked", "clock_leapt"})
"""Why a doorbell may be refused whose job is rung for again."""
_NOT_SENT: Final = frozenset({State.FAILED, State.EXPIRED})


@dataclass(frozen=True, slots=True)
class End:
    """The state that it ended in, or `refused`, and the code of why."""

    state: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.state}: {self.why}" if self.state == REFUSED else str(self.state)


def event(end: End) -> tuple[str, dict[str, Any]] | None:
    """The event that tells of an end, with its fields beside the task's id.

    None where nothing is to be said of the reminder itself.
    """
    why = end.why or str(end.state)

    if end.state in WAITING or (end.state == REFUSED and end.why in LATER):
        return "task-retried", {"exception": why, "traceback": None}

    if end.state in _NOT_SENT:
        return "task-failed", {"exception": why, "traceback": None}

    if end.state == State.UNCERTAIN:
        return "task-uncertain", {"result": str(end.state), "exception": why}

    if end.state == REFUSED:
        return ("task-refused", {"result": str(end)}) if end.why == "unknown" else None

    return "task-succeeded", {"result": str(end)}
