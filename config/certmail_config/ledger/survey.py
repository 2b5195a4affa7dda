"""What waits, and how fast it may leave: what the forecast and metrics need to know of the ledger.

Times are seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from certmail_config.base.ids import ConnectionId
from certmail_config.jobs.states import State
from certmail_config.ledger.arguments import ms
from certmail_config.ledger.script import Call, load

NAME_BYTES: Final = 128


@dataclass(frozen=True, slots=True)
class LaneSurvey:
    """A lane as it stands.

    Paces are sends per second, those of now; `day` is (when they leave the rolling day, how many).

    `sends_since` is when the mailbox first sent, None before; `project_lanes` counts the lanes of
    its project.
    """

    open: bool
    ready: int
    per_second: float
    not_before: float
    sends_since: float | None
    warm_up_days: int
    per_day: int
    day: tuple[tuple[float, int], ...]
    project: str
    project_lanes: int
    project_per_second: float
    project_not_before: float
    project_per_day: int
    project_day_used: int
    place: float
    """In the queue for its project: from 0, the front, to 1, behind all others."""
    unfinished: int
    """Jobs of all lanes."""


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """Some of a project's lanes that have something to send: (jobs, sends per second) each.

    Cursor 0 is the end.
    """

    cursor: int
    lanes: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Use:
    """A mailbox or project: which parts of its minute and its day are used, and whether it waits.

    It waits for a time that Google named, or that was backed off to.
    """

    key: str
    minute: float
    day: float
    cooling: bool


@dataclass(frozen=True, slots=True)
class LaneSample:
    """One lane: `first_at` is when the reminder was enqueued that is the next to leave."""

    state: str
    tenant: str
    ready: int
    scheduled: int
    first_at: float | None
    mailbox: Use | None = None
    project: Use | None = None


@dataclass(frozen=True, slots=True)
class LanePage:
    """Some lanes, without those that are not there or cannot be read, and when that was."""

    at: float
    lanes: tuple[LaneSample, ...]


def survey(connection: ConnectionId, *, clock: float | None = None) -> Call[LaneSurvey | None]:
    """Look at a lane; None if there is no such lane."""

    def read(answer: list[Any]) -> LaneSurvey | None:
        if not answer:
            return None

        state, ready, pace, not_before, since, warm_up, per_day, day, project, lanes, *whole = (
            answer
        )
        all_pace, all_not_before, all_day, all_used, place, unfinished = whole
        return LaneSurvey(
            open=state == b"open",
            ready=int(ready),
            per_second=float(pace) / 60,
            not_before=float(not_before) / 1000,
            sends_since=int(since) / 1000 if int(since) else None,
            warm_up_days=int(warm_up),
            per_day=int(per_day),
            day=tuple(sorted((int(until) / 1000, int(count)) for count, until in _pairs(day))),
            project=project.decode(),
            project_lanes=int(lanes),
            project_per_second=float(all_pace) / 60,
            project_not_before=float(all_not_before) / 1000,
            project_per_day=int(all_day),
            project_day_used=int(all_used),
            place=float(place),
            unfinished=int(unfinished),
        )

    return Call(load("survey"), (connection, ms(clock)), read)


def survey_project(
    project: str, cursor: int, *, count: int = 500, but: ConnectionId, clock: float | None = None
) -> Call[ProjectPage]:
    """Look at some of a project's lanes, without the lane `but`."""

    def read(answer: list[Any]) -> ProjectPage:
        lanes = tuple((int(jobs), float(pace) / 60) for jobs, pace in _pairs(answer[1:]))
        return ProjectPage(int(answer[0]), lanes)

    return Call(load("survey_project"), (project, cursor, count, but, ms(clock)), read)


def survey_places(jobs: Sequence[tuple[State, ConnectionId, str]]) -> Call[list[int | None]]:
    """Look at how many leave before each of these jobs, ready or scheduled.

    None where it does not wait so.
    """
    return Call(load("survey_places"), tuple(part for job in jobs for part in job), list)


def sample(lanes: Sequence[ConnectionId], *, clock: float | None = None) -> Call[LanePage]:
    """Look at some lanes; a few hundred hold the server for some milliseconds."""

    def read(answer: list[Any]) -> LanePage:
        at, *rows = answer
        return LanePage(int(at) / 1000, tuple(_lane(row) for row in rows if row[0]))

    return Call(load("sample"), (ms(clock), *lanes), read)


def _pairs(flat: list[Any]) -> list[tuple[Any, Any]]:
    return list(zip(flat[::2], flat[1::2], strict=True))


def _lane(row: list[Any]) -> LaneSample:
    state, tenant, ready, scheduled, first, mailbox, project, *uses = row
    known = (
        _text(state),
        _text(tenant),
        int(ready),
        int(scheduled),
        int(first) / 1000 if first else None,
    )
    if not uses:
        return LaneSample(*known)
    return LaneSample(*known, _use(mailbox, uses[:3]), _use(project, uses[3:]))


def _use(key: bytes, values: list[bytes]) -> Use:
    minute, day, cooling = values
    return Use(_text(key), float(minute), float(day), cooling == b"1")


def _text(value: bytes) -> str:
    """A name; none of ours is longer."""
    return value[:NAME_BYTES].decode(errors="replace")
