"""From a verdict to what is done about it: the next state, the wait, and what stops with it.

Pure: the clock and the rules are arguments. What it returns is carried out by one script
(`settle`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from certmail_config.jobs.states import State
from certmail_config.jobs.uncertain_policy import Policy, Rule, decide
from certmail_config.ledger import Job, Pause, Settlement, Suspension
from certmail_worker.delivery.send_failures import FailureClass, Verdict
from certmail_worker.google import backoff

MARGIN_SECONDS = 1.0
"""Added to each deadline that Google names.

Asking at the very time moves it on (google.md §1.3).
"""

_LINK_AGAIN = (
    "Link the account again; for a service account check that it is enabled and delegated, then "
    "probe the connection (`certmail connections probe`)."
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator decided. All times are seconds.

    `uncertain` says what follows an unknown outcome, `resend` how long after it; `resend_5xx` the
    same where Google itself says that it failed, None to hold; `probe` how often a mailbox tries
    one while Gmail is out of order; `verify` how long after an attempt's end a mail that is not
    among the sent ones was not sent; `project_share` which part of each project's limits is this
    deployment's.
    """

    uncertain: Policy = field(default_factory=Policy)
    resend: float = 120
    resend_5xx: float | None = 900
    probe: float = 15
    verify: float = 120
    project_share: float = 1


@dataclass(frozen=True, slots=True)
class OnUncertain:
    """What follows if nobody learns what became of a reminder's request.

    Seconds until it is sent once more, None to hold it.
    """

    resend: float | None = None
    resend_5xx: float | None = None


VERIFY_MARGIN_SECONDS = 180.0
"""A rule waits for what a look among the sent mails finds, and so much longer."""


def on_uncertain(
    rules: Rules, *, kind: str, own: Rule | None, tenant: Policy | None, verify: bool, resent: bool
) -> OnUncertain:
    """Decide before the request leaves; what was sent once more already is held."""
    if resent:
        return OnUncertain()

    minimum = rules.verify + VERIFY_MARGIN_SECONDS if verify else 0.0
    again = decide(kind, own=own, tenant=tenant, deployment=rules.uncertain) is Rule.RESEND
    return OnUncertain(
        resend=max(rules.resend, minimum) if again else None,
        resend_5xx=None if rules.resend_5xx is None else max(rules.resend_5xx, minimum),
    )


def plan_settlement(
    verdict: Verdict,
    job: Job,
    *,
    connection_version: int,
    now: float,
    rules: Rules,
    on_uncertain: OnUncertain = OnUncertain(),
    token: str = "",
) -> Settlement:
    """Decide what follows; total over the failure classes.

    `token` is the mark of the access token that was used.
    """
    reason = f"{verdict.code}: {verdict.message} {verdict.remedy}".rstrip()
    outcome = verdict.outcome
    # A deadline that Google names holds for all that the mailbox has to send, whatever else the
    # answer says.
    deadline = None if verdict.wait is None else now + verdict.wait + MARGIN_SECONDS
    asked = None if deadline is None else Pause(deadline, named=True)

    match verdict.failure:
        case FailureClass.NONE:
            return Settlement(outcome, State.ACCEPTED, "")
        case FailureClass.MESSAGE:
            return Settlement(outcome, State.FAILED, reason)
        case (
            FailureClass.MAILBOX_WAIT
            | FailureClass.MAILBOX_CROWDED
            | FailureClass.DAY_FULL
            | FailureClass.PROJECT_WAIT
            | FailureClass.PROJECT_DAY_FULL
        ):
            # A wait for quota is no attempt: the job stays in its lane, and the mailbox or project
            # carries the wait.
            return Settlement(
                outcome, State.READY, reason, pause=_pause(verdict, job, now, deadline, rules)
            )
        case FailureClass.TOKEN_EXPIRED:
            return _token_refused(verdict, job, connection_version, now, token)
        case FailureClass.CONNECTION:
            why = Suspension(verdict.code, verdict.message, connection_version, verdict.remedy)
            return Settlement(outcome, State.READY, reason, suspension=why)
        case FailureClass.OPERATOR:
            at = now + backoff.seconds(backoff.OPERATOR, job.failures + 1)
            return Settlement(
                outcome,
                State.SCHEDULED,
                reason,
                at=at,
                counts=True,
                pause=asked,
            )
        case FailureClass.TRANSIENT:
            at = now + backoff.seconds(backoff.JOB, job.failures + 1)
            return Settlement(outcome, State.SCHEDULED, reason, at=at, counts=True)
        case FailureClass.UNKNOWN:
            return Settlement(
                outcome,
                State.UNCERTAIN,
                reason,
                at=_resend_at(verdict, now, on_uncertain),
                pause=asked,
                probe_in=rules.probe if verdict.at_google else None,
            )


def _token_refused(verdict: Verdict, job: Job, version: int, now: float, token: str) -> Settlement:
    """A new token is asked for once; a new one that is refused too stops the connection."""
    reason = f"token_expired: {verdict.message}"
    if not job.refreshed:
        return Settlement(verdict.outcome, State.READY, reason)
    if job.refused_token == token:
        # It could not be dropped: that says nothing of a new one.
        at = now + backoff.seconds(backoff.JOB, job.failures + 1)
        return Settlement(verdict.outcome, State.SCHEDULED, reason, at=at, counts=True)

    # Under another code than before, so that the next 401 counts as the first again once the lane
    # is open.
    message = f"Gmail refuses a new access token too. {verdict.message}"
    return Settlement(
        verdict.outcome,
        State.READY,
        f"token_refused: {message} {_LINK_AGAIN}",
        suspension=Suspension("token_refused", message, version, _LINK_AGAIN),
    )


def _pause(verdict: Verdict, job: Job, now: float, deadline: float | None, rules: Rules) -> Pause:
    """The wait of a mailbox or project, and whether its pace turned out to be too fast."""
    project = verdict.failure in {FailureClass.PROJECT_WAIT, FailureClass.PROJECT_DAY_FULL}
    hours = verdict.failure in {FailureClass.DAY_FULL, FailureClass.PROJECT_DAY_FULL}
    crowded = verdict.failure is FailureClass.MAILBOX_CROWDED

    strikes = job.project_strikes if project else job.strikes
    back_off = backoff.seconds(backoff.DAY if hours else backoff.MAILBOX, strikes + 1)
    until = now + back_off if deadline is None else deadline

    allowed = None
    if not (hours or crowded):
        allowed = int((verdict.allowed or 0) * (rules.project_share if project else 1))

    return Pause(
        until, named=deadline is not None, project=project, allowed=allowed, crowded=crowded
    )


def _resend_at(verdict: Verdict, now: float, on_uncertain: OnUncertain) -> float | None:
    """When a rule sends it once more; None to hold it for a person.

    It is always held where Gmail said that it took it.
    """
    if verdict.taken:
        return None

    google_failed = (
        verdict.http_status is not None and verdict.http_status >= 500 and verdict.structured
    )
    again = on_uncertain.resend_5xx if google_failed else on_uncertain.resend
    return None if again is None else now + max(again, verdict.wait or 0)
