"""What workers may report of a delivery: settlements, and ways out before begin.

As settlement.py and prepare.py make them.
"""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Job, Suspension
from certmail_worker.delivery.send_failures import FailureClass, Verdict
from certmail_worker.delivery.settlement import OnUncertain, Rules, plan_settlement

WAITS: Final = st.sampled_from([None, None, 5.0, 30.0, 900.0])
ALLOWED: Final = st.sampled_from([None, None, None, 100, 200, 250, 10_000])
"""Units a minute, as Google says: less than is configured, or no less, or nothing."""
VERSIONS: Final = st.integers(1, 3)
"""Versions of connections.

What a worker says may be about an account that was replaced, or is new to the ledger.
"""

_OUTCOMES: Final = {
    FailureClass.NONE: [AttemptOutcome.ACCEPTED],
    FailureClass.UNKNOWN: [AttemptOutcome.UNKNOWN],
    FailureClass.TRANSIENT: [AttemptOutcome.NOT_SENT, AttemptOutcome.REJECTED],
}
_TOO_FAST: Final = {FailureClass.MAILBOX_WAIT, FailureClass.PROJECT_WAIT}
_LIKELY: Final = [
    *FailureClass,
    FailureClass.NONE,
    FailureClass.NONE,
    FailureClass.UNKNOWN,
    FailureClass.UNKNOWN,
]


@st.composite
def verdicts(draw: st.DrawFn, given: FailureClass | None = None) -> Verdict:
    """What an answer of Google, or none, means."""
    failure = given or draw(st.sampled_from(_LIKELY))
    structured = draw(st.booleans())

    return Verdict(
        failure,
        draw(st.sampled_from(_OUTCOMES.get(failure, [AttemptOutcome.REJECTED]))),
        code=str(failure),
        message="as Google says.",
        http_status=500 if structured else None,
        structured=structured,
        wait=None if failure is FailureClass.NONE else draw(WAITS),
        allowed=draw(ALLOWED) if failure in _TOO_FAST else None,
        at_google=failure is FailureClass.UNKNOWN and draw(st.sampled_from([True, True, False])),
    )


@st.composite
def stops(draw: st.DrawFn) -> dict[str, Any]:
    """The end of a delivery before begin; `wait` in seconds from now."""
    to = draw(
        st.sampled_from(
            [State.READY, State.SCHEDULED, State.FAILED, State.SUPPRESSED, State.EXPIRED]
        )
    )
    stop: dict[str, Any] = {"to": to, "reason": f"released: to {to}"}

    if to is State.SCHEDULED:
        stop |= {"wait": draw(st.sampled_from([1.0, 20.0, 3600.0, 1e6])), "counts": True}
    elif to is State.READY and draw(st.booleans()):
        stop["suspension"] = Suspension(
            "grant_revoked", "The permission ended.", draw(VERSIONS), "Link the account again."
        )

    return stop


def settlement(verdict: Verdict, job: Job, version: int, now: float) -> dict[str, Any]:
    """What settlement.py makes of a verdict, as arguments of `settle`."""
    doubt = OnUncertain() if job.resent else OnUncertain(resend_5xx=20)
    then = plan_settlement(
        verdict, job, connection_version=version, now=now, rules=Rules(), on_uncertain=doubt
    )
    return {"then": then, "detail": f'{{"http_status":{verdict.http_status or 0}}}'}
