"""One reminder's story in words: a moment for each event, with what is known of its request. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from certmail.gateway.console.record import words
from certmail_config.jobs.states import FINAL, State
from certmail_config.sql.delivery_story import Story
from certmail_config.sql.history import HistoryEntry

Saying = Callable[[str | None], str]
"""Gives a reason as the reader may see it, without its code."""
_LONG: Final = timedelta(seconds=5)
"""Whoever waited for so long for its turn is told why."""
_BY_HAND: Final = "settled_by_hand"
_LOOKED_UP: Final = "verified"


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened: its title and, where there is more to say, why.

    `request` is what is known of the request to Gmail that it ended; `paced` says that it had
    waited for its turn.
    """

    at: datetime
    tone: str
    title: str
    why: str = ""
    by: str = ""
    attempt: int | None = None
    request: Mapping[str, Any] | None = None
    paced: bool = False


def timeline(story: Story, lane: Iterable[HistoryEntry], saying: Saying) -> tuple[Moment, ...]:
    """All that is on record, the oldest first, and what meanwhile happened to its `lane`."""
    own = list(_own(story, saying))
    others = (each for each in lane if each.connection in {None, story.delivery["connection"]})
    held_up = (_of_lane(each, saying) for each in others if each.type in words.LANE)
    until = own[-1].at if own and State(story.delivery["state"]) in FINAL else None
    beside = [each for each in held_up if until is None or each.at <= until]
    return tuple(sorted([*own, *beside], key=lambda moment: moment.at))


def _of_lane(each: HistoryEntry, saying: Saying) -> Moment:
    tone, title = words.LANE[each.type]
    return Moment(each.at, tone, title, why=saying(each.reason))


def _own(story: Story, saying: Saying) -> Iterator[Moment]:
    """The reminder's own; a reason that was told just before is told once."""
    attempts = {row["n"]: row for row in story.attempts}
    before, waits_since = "", None

    for event in story.events:
        tone, title = _title(event)
        why = saying(event.get("reason"))
        begun = event["type"] == "begun"
        yield Moment(
            event["at"],
            tone,
            title,
            why="" if why == before else why,
            by=str(event.get("worker", "")) if begun else "",
            attempt=int(event["attempt"]) if "attempt" in event else None,
            request=_request(event, attempts),
            paced=begun and waits_since is not None and event["at"] - waits_since > _LONG,
        )
        before = why or before
        waits_since = event["at"] if event.get("state") == State.READY else None


def _title(event: Mapping[str, Any]) -> tuple[str, str]:
    kind, state = event["type"], event.get("state")
    code = str(event.get("reason", "")).partition(":")[0]
    found = next(_titles(kind, state, str(event.get("outcome", "")), code, event), None)
    return found or words.HAPPENED.get(kind, words.OTHER)


def _titles(
    kind: str, state: Any, outcome: str, code: str, event: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """The titles that fit, the one that says most first."""
    if kind == "settled":
        if code == _BY_HAND:
            yield from _known(words.BY_HAND, outcome)
        if code == _LOOKED_UP:
            yield from _known(words.FOUND, outcome)
        yield from _known(words.OUTCOMES, outcome)
    if kind == "enqueued" and state in set(State):
        yield from _known(words.ENQUEUED, State(state))
    if kind == "released" and state in set(State):
        yield from _known(words.RELEASED, State(state))
    if kind == "reaped" and state == State.READY:
        yield words.GIVEN_BACK
    if kind == "reaped" and "attempt" in event:
        yield words.LOST


def _known(titles: Mapping[Any, tuple[str, str]], name: Any) -> Iterator[tuple[str, str]]:
    if name in titles:
        yield titles[name]


def _request(
    event: Mapping[str, Any], attempts: Mapping[int, Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """Gmail's answer, at the event that brought it."""
    if event["type"] != "settled" or "attempt" not in event:
        return None
    request = attempts.get(int(event["attempt"]))
    return request if request is not None and request["http_status"] is not None else None
