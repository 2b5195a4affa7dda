"""From a verdict to what is done about it: the next state, the wait, and what stops with it.

Pure: the clock and the rules are arguments. What it returns is carried out by one script (`settle`).
"""

from __future__ import annotations

from dataclasses import dataclass

from certmail_config.ledger import Job, Suspension
from certmail_config.states import AttemptOutcome, State
from certmail_worker import backoff
from certmail_worker.failures import FailureClass, Verdict

MARGIN_SECONDS = 1.0
"""Google's deadlines are waited for and a second more: asking at the very time moves them on (google.md §1.3)."""

_LINK_AGAIN = (
    "Link the account again; for a service account check that it is enabled and delegated, then probe the connection "
    "(`certmail connections probe`)."
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator decided about unknown outcomes; seconds until a resend, or None to hold."""

    resend_5xx: float | None = 900


@dataclass(frozen=True, slots=True)
class Settlement:
    """What follows an attempt; times are wall-clock seconds."""

    outcome: AttemptOutcome
    to: State
    reason: str
    at: float | None = None
    counts: bool = False
    cool_until: float | None = None
    named: bool = False
    suspension: Suspension | None = None


def plan(verdict: Verdict, job: Job, connection_version: int, now: float, rules: Rules) -> Settlement:
    """Decide what follows; total over the failure classes."""
    reason = f"{verdict.code}: {verdict.message} {verdict.remedy}".rstrip()
    outcome = verdict.outcome
    # A deadline that Google names holds for all that the mailbox has to send, whatever else the answer says.
    deadline = None if verdict.wait is None else now + verdict.wait + MARGIN_SECONDS
    match verdict.failure:
        case FailureClass.NONE:
            return Settlement(outcome, State.ACCEPTED, "")
        case FailureClass.MESSAGE:
            return Settlement(outcome, State.FAILED, reason)
        case (
            FailureClass.MAILBOX_WAIT
            | FailureClass.DAY_FULL
            | FailureClass.PROJECT_WAIT
            | FailureClass.PROJECT_DAY_FULL
        ):
            # A wait for quota is no attempt: the job stays in its lane, and the mailbox carries the wait.
            until = now + _back_off(verdict, job) if deadline is None else deadline
            return Settlement(outcome, State.READY, reason, cool_until=until, named=deadline is not None)
        case FailureClass.TOKEN_EXPIRED if not job.refreshed:
            return Settlement(outcome, State.READY, f"token_expired: {verdict.message}")
        case FailureClass.TOKEN_EXPIRED:
            # Under another code than before, so that the next 401 counts as the first again once the lane is open.
            message = f"Gmail refuses a new access token too. {verdict.message} {_LINK_AGAIN}"
            return Settlement(
                outcome,
                State.READY,
                f"token_refused: {message}",
                suspension=Suspension("token_refused", message, connection_version),
            )
        case FailureClass.CONNECTION:
            message = f"{verdict.message} {verdict.remedy}".strip()
            return Settlement(
                outcome, State.READY, reason, suspension=Suspension(verdict.code, message, connection_version)
            )
        case FailureClass.OPERATOR:
            at = now + backoff.seconds(backoff.OPERATOR, job.failures + 1)
            return Settlement(
                outcome,
                State.SCHEDULED,
                reason,
                at=at,
                counts=True,
                cool_until=deadline,
                named=deadline is not None,
            )
        case FailureClass.TRANSIENT:
            at = now + backoff.seconds(backoff.JOB, job.failures + 1)
            return Settlement(outcome, State.SCHEDULED, reason, at=at, counts=True)
        case FailureClass.UNKNOWN:
            return Settlement(
                outcome,
                State.UNCERTAIN,
                reason,
                at=_resend_at(verdict, job, now, rules),
                cool_until=deadline,
                named=deadline is not None,
            )


def _back_off(verdict: Verdict, job: Job) -> float:
    hours = verdict.failure in {FailureClass.DAY_FULL, FailureClass.PROJECT_DAY_FULL}
    strategy = backoff.DAY if hours else backoff.MAILBOX
    return backoff.seconds(strategy, job.strikes + 1)


def _resend_at(verdict: Verdict, job: Job, now: float, rules: Rules) -> float | None:
    """When a rule sends it once more, or None to hold it for a person."""
    google_failed = verdict.http_status is not None and verdict.http_status >= 500 and verdict.structured
    if not google_failed or rules.resend_5xx is None or job.resent:
        return None
    return now + max(rules.resend_5xx, verdict.wait or 0)
