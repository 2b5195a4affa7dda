"""Reading a job as it stands, for `status`; nothing here changes anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from certmail_config.base.dates import rfc3339
from certmail_config.base.redis_answers import from_ms
from certmail_config.jobs.states import State


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One request to Gmail as the ledger knows it; times are UTC."""

    n: int
    begun_at: datetime
    ended_at: datetime | None
    http_status: int | None
    google_reason: str | None
    outcome: str | None
    gmail_id: str | None
    latency_ms: int | None = None
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as the ledger knows it; `reason` says why it is where it is, in words.

    `forecast_at`: when it will leave.
    """

    id: str
    tenant: str
    connection: str
    state: State
    reason: str | None
    held: bool
    send_at: datetime | None
    expires_at: datetime
    possible_duplicate: bool
    forecast_at: datetime | None = None
    attempts: list[AttemptView] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The form that every interface gives it: times in RFC 3339, in UTC."""
        value = asdict(self)
        return _written(value) | {"attempts": [_written(each) for each in value["attempts"]]}


def _written(value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: rfc3339(each) if isinstance(each, datetime) else each for name, each in value.items()
    }


def read_job(
    job_id: str,
    job: Mapping[bytes, bytes],
    lane: Mapping[bytes, bytes],
    *pauses: Mapping[bytes, bytes],
    paused: str = "",
    now: float = 0,
) -> JobView | None:
    """Read the job's hash, its lane's, its mailbox's and its project's; None for an unknown job.

    `paused` says in words that an operator lets nothing of its tenant leave.
    """
    if not job:
        return None

    value = _decoded(job)
    state = State(value["state"])
    return JobView(
        id=job_id,
        tenant=value["tenant"],
        connection=value["connection"],
        state=state,
        reason=_why(
            state, value, _decoded(lane), [_decoded(pause) for pause in pauses], paused, now
        ),
        held=value.get("held") == "1",
        send_at=_time(value.get("send_at")),
        expires_at=from_ms(value["expires_at"]),
        possible_duplicate=value.get("possible_duplicate") == "1",
        attempts=[_attempt(n, value) for n in range(1, int(value["attempt"]) + 1)],
    )


def _why(
    state: State,
    job: Mapping[str, str],
    lane: Mapping[str, str],
    pauses: Sequence[Mapping[str, str]],
    paused: str,
    now: float,
) -> str | None:
    """Why a job waits.

    What stops all that waits explains a waiting job better than whatever happened to the job
    before.
    """
    if state in {State.READY, State.SCHEDULED} and paused:
        return f"paused: {paused}"
    if state in {State.READY, State.SCHEDULED} and lane.get("state") == "suspended":
        return f"{lane.get('code', 'suspended')}: {lane.get('message', '')}".replace("\n", " ")

    if state is State.READY:
        for pause in pauses:
            until = _time(pause.get("cooling"))
            if until is not None and until.timestamp() > now:
                goes_on = f"It goes on at {until.isoformat(timespec='seconds')}."
                return f"{pause.get('cool_reason', '')} {goes_on}".strip()

    if state is State.SCHEDULED and not job.get("reason"):
        return "waits for its send time"

    return job.get("reason") or None


def _decoded(fields: Mapping[bytes, bytes]) -> dict[str, str]:
    return {
        name.decode(errors="replace"): text.decode(errors="replace")
        for name, text in fields.items()
    }


def _attempt(n: int, job: Mapping[str, str]) -> AttemptView:
    detail: dict[str, Any] = json.loads(job.get(f"attempt:{n}", "{}"))
    begun = _time(job.get(f"begun:{n}"))
    assert begun is not None, "begin writes the attempt's time with its number"

    return AttemptView(
        n=n,
        begun_at=begun,
        ended_at=datetime.fromisoformat(detail["ended_at"]) if detail.get("ended_at") else None,
        http_status=detail.get("http_status"),
        google_reason=detail.get("google_reason"),
        outcome=job.get(f"outcome:{n}"),
        gmail_id=detail.get("gmail_id"),
        latency_ms=detail.get("latency_ms"),
        key_id=detail.get("key_id"),
    )


def _time(ms: str | None) -> datetime | None:
    return from_ms(ms) if ms else None
