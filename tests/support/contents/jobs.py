"""Jobs and lanes as their hashes in Redis say they are."""

from __future__ import annotations

from collections.abc import Mapping

from certmail_config.jobs.states import AttemptOutcome, State
from support.model.values import Entry, Track

Fields = Mapping[str, str]


def entry(id_: str, fields: Fields, due: Mapping[str, float], unsure: Mapping[str, float]) -> Entry:
    """Read a job from its hash.

    Only the indexes know when an uncertain one is looked at next, and looked up.
    """
    state, attempt = State(fields["state"]), int(fields["attempt"])
    numbers = range(1, attempt + 2)
    at = {State.SCHEDULED: fields.get("not_before"), State.DISPATCHED: fields.get("lease")}
    at[State.SENDING] = at[State.DISPATCHED]
    until = at.get(state)

    return Entry(
        id=id_,
        tenant=fields["tenant"],
        connection=fields["connection"],
        campaign=fields["campaign"],
        dedupe=fields["dedupe"],
        priority=int(fields["priority"]),
        enqueued_at=int(fields["enqueued_at"]),
        expires_at=int(fields["expires_at"]),
        keep=int(fields["keep"]),
        state=state,
        at=_whole(due.get(id_)) if state is State.UNCERTAIN else _number(until),
        held=fields.get("held") == "1",
        reason=fields.get("reason"),
        attempt=attempt,
        fence=int(fields["fence"]),
        failures=int(fields.get("failures", 0)),
        mailbox=fields.get("mailbox"),
        project=fields.get("project"),
        day=_number(fields.get("day")),
        steps=(float(fields["step"]), float(fields["project_step"])) if "step" in fields else None,
        dispatched_at=_number(fields.get("dispatched_at")),
        nonce=fields.get("nonce"),
        worker=fields.get("worker"),
        look_at=_whole(unsure.get(id_)),
        begun={n: int(fields[f"begun:{n}"]) for n in numbers if f"begun:{n}" in fields},
        begun_by=_claim(fields.get("begun_by")),
        resend=_number(fields.get("resend") or None),
        outcomes={
            n: AttemptOutcome(fields[f"outcome:{n}"]) for n in numbers if f"outcome:{n}" in fields
        },
        called_off=fields.get("called_off"),
        called_off_as=State(fields["called_off_as"]) if "called_off_as" in fields else None,
        wants=fields.get("wants", ""),
        finished_at=_number(fields.get("finished_at")),
        would_be=_pair(fields.get("would_be")),
        possible_duplicate=fields.get("possible_duplicate") == "1",
        victims=frozenset(filter(None, fields.get("victims", "").split(","))),
        uncounted=fields.get("uncounted") == "1",
    )


def track(fields: Fields) -> Track:
    """A lane."""
    return Track(
        tenant=fields["tenant"],
        mailbox=fields["mailbox"],
        project=fields["project"],
        units_per_minute=int(fields["units_per_minute"]),
        in_flight=int(fields["in_flight"]),
        verify=fields["verify"] == "1",
        per_day=int(fields["per_day"]),
        project_units_per_minute=int(fields["project_units_per_minute"]),
        project_units_per_day=int(fields["project_units_per_day"]),
        warm_up_days=int(fields["warm_up_days"]),
        version=int(fields["version"]),
        state=fields["state"],
        code=fields.get("code"),
        message=fields.get("message"),
        sends_since=int(fields.get("sends_since", 0)),
        leased_at=int(fields.get("leased_at", 0)),
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
