"""Jobs and lanes as their hashes in Redis say they are."""

from __future__ import annotations

from collections.abc import Mapping

from certmail_config.jobs.states import AttemptOutcome, State
from support.model.values import Entry, Track

Told = Mapping[str, str]


def entry(id_: str, told: Told, due: Mapping[str, float], unsure: Mapping[str, float]) -> Entry:
    """A job; only when an uncertain one is looked at next, and looked up, stands in the indexes alone."""
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
        at=_whole(due.get(id_)) if state is State.UNCERTAIN else _number(until),
        held=told.get("held") == "1",
        reason=told.get("reason"),
        attempt=attempt,
        fence=int(told["fence"]),
        failures=int(told.get("failures", 0)),
        mailbox=told.get("mailbox"),
        project=told.get("project"),
        day=_number(told.get("day")),
        steps=(float(told["step"]), float(told["project_step"])) if "step" in told else None,
        dispatched_at=_number(told.get("dispatched_at")),
        nonce=told.get("nonce"),
        worker=told.get("worker"),
        look_at=_whole(unsure.get(id_)),
        begun={n: int(told[f"begun:{n}"]) for n in numbers if f"begun:{n}" in told},
        begun_by=_claim(told.get("begun_by")),
        resend=_number(told.get("resend") or None),
        outcomes={
            n: AttemptOutcome(told[f"outcome:{n}"]) for n in numbers if f"outcome:{n}" in told
        },
        called_off=told.get("called_off"),
        finished_at=_number(told.get("finished_at")),
        would_be=_pair(told.get("would_be")),
        possible_duplicate=told.get("possible_duplicate") == "1",
        victims=frozenset(filter(None, told.get("victims", "").split(","))),
    )


def track(told: Told) -> Track:
    """A lane."""
    return Track(
        tenant=told["tenant"],
        mailbox=told["mailbox"],
        project=told["project"],
        units_per_minute=int(told["units_per_minute"]),
        in_flight=int(told["in_flight"]),
        verify=told["verify"] == "1",
        per_day=int(told["per_day"]),
        project_units_per_minute=int(told["project_units_per_minute"]),
        project_units_per_day=int(told["project_units_per_day"]),
        warm_up_days=int(told["warm_up_days"]),
        version=int(told["version"]),
        state=told["state"],
        code=told.get("code"),
        message=told.get("message"),
        sends_since=int(told.get("sends_since", 0)),
        leased_at=int(told.get("leased_at", 0)),
    )


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def _whole(score: float | None) -> int | None:
    return None if score is None else int(score)


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
