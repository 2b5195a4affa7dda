"""The failure table of `messages.send`: from Google's answer to what it means.

A pure table without I/O, clock or settings, in the order in which it is read; the first row that fits decides. Source:
google.md §1.5. Never on the status alone: limits come as 403 and as 429, and a 400 may mean the whole mailbox. But for an answer that
broke off: then the status alone says whether the message was sent, and no row blames a connection or a message for it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from certmail_config.states import AttemptOutcome
from certmail_worker.answers import Answer, Answered, Lost, NotSent
from certmail_worker.google_errors import GoogleError, is_broken, read_error


class FailureClass(StrEnum):
    """What kind of trouble an answer is; each is treated in one way (see plan.py)."""

    NONE = "none"
    """Accepted."""
    MESSAGE = "message"
    """This message is bad, and stays so."""
    MAILBOX_WAIT = "mailbox_wait"
    """The mailbox must wait; other mailboxes need not."""
    MAILBOX_CROWDED = "mailbox_crowded"
    """The mailbox takes fewer requests at once; how many in a minute is another matter."""
    DAY_FULL = "day_full"
    """The mailbox must wait for hours: its daily sending limit is reached."""
    PROJECT_WAIT = "project_wait"
    """The Google Cloud project must wait, for a minute at most."""
    PROJECT_DAY_FULL = "project_day_full"
    """The Google Cloud project must wait for hours, or somebody raises its quota."""
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - the name of a failure, not a password
    """The access token is no longer good; a new one may be."""
    CONNECTION = "connection"
    """The connection needs a person."""
    OPERATOR = "operator"
    """Our own configuration is wrong."""
    TRANSIENT = "transient"
    """Nothing was sent; it may work soon."""
    UNKNOWN = "unknown"
    """Whether it was sent is unknown."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means.

    `wait` is how long Google asked to wait, in seconds from now; `allowed` how many units a minute it says that it allows;
    `at_google`: why the outcome is unknown lies with Google, as far as can be seen, not with our network; `taken`: Gmail said
    that it took the message, although not under which id, so that no rule may send it again.
    """

    failure: FailureClass
    outcome: AttemptOutcome
    code: str = ""
    message: str = ""
    remedy: str = ""
    http_status: int | None = None
    google_reason: str | None = None
    wait: float | None = None
    structured: bool = False
    allowed: int | None = None
    at_google: bool = False
    gmail_id: str | None = None
    thread_id: str | None = None
    taken: bool = False


NOT_DURABLE: Final = Verdict(
    FailureClass.TRANSIENT,
    AttemptOutcome.NOT_SENT,
    "not_durable",
    "Too few replicas of Redis confirmed in time that the request was about to leave, so it did not.",
    "Bring the replicas back (CERTMAIL_DURABILITY); it is tried again by itself.",
)
"""No answer of Gmail's: a request that is not on record for sure is not made, or a failover would make it twice."""


@dataclass(frozen=True, slots=True)
class _Row:
    status: frozenset[int]
    fits: re.Pattern[str]  # searched in the reasons and the message
    failure: FailureClass
    code: str
    sentence: str
    remedy: str = ""


def _row(status: str, fits: str, failure: FailureClass, code: str, sentence: str, remedy: str = "") -> _Row:
    return _Row(
        frozenset(int(part) for part in status.split()),
        re.compile(fits, re.IGNORECASE),
        failure,
        code,
        sentence,
        remedy,
    )


_C = FailureClass
_ENABLE_API: Final = "Enable the Gmail API in the Google Cloud project that owns the credentials, wait a few minutes, and probe the connection."
TABLE: Final = (
    _row(
        "400",
        r"failedPrecondition|FAILED_PRECONDITION|Mail service not enabled|Precondition check failed",
        _C.CONNECTION,
        "mailbox_without_gmail",
        "The mailbox has no Gmail service.",
        "Give the user a licence with Gmail, or connect another mailbox.",
    ),
    _row("400", r"", _C.MESSAGE, "message_rejected", "Gmail does not take this message."),
    _row("413", r"", _C.MESSAGE, "message_too_large", "The message is larger than Gmail takes."),
    _row("401", r"", _C.TOKEN_EXPIRED, "token_expired", "The access token is no longer accepted."),
    _row(
        "403",
        r"insufficientPermissions|ACCESS_TOKEN_SCOPE_INSUFFICIENT|insufficient authentication scopes",
        _C.CONNECTION,
        "scope_missing",
        "The permission gmail.send was not granted.",
        "Grant https://www.googleapis.com/auth/gmail.send: for a service account in the Admin console's domain-wide delegation, "
        "together with the scopes that stand there (a new list replaces them), "
        "else by linking the account again with every box ticked.",
    ),
    _row(
        "403",
        r"accessNotConfigured|SERVICE_DISABLED",
        _C.CONNECTION,
        "api_disabled",
        "The Gmail API is not enabled.",
        _ENABLE_API,
    ),
    _row(
        "403",
        r"domainPolicy",
        _C.CONNECTION,
        "domain_policy",
        "The domain's administrators have disabled Gmail applications.",
        "The Workspace administrator must allow it under Security, API controls.",
    ),
    _row(
        "403",
        r"Delegation denied",
        _C.OPERATOR,
        "delegation_denied",
        "The token belongs to another user than the request.",
        "Report it: this is certmail's mistake.",
    ),
    _row(
        "403 429",
        r"dailyLimitExceeded|DailyExceeded",
        _C.PROJECT_DAY_FULL,
        "project_day_full",
        "The Google Cloud project's daily limit is reached.",
        "Raise the project's quota for the Gmail API, or wait until tomorrow.",
    ),
    _row(
        "403 429", r"Mail sending", _C.DAY_FULL, "day_full", "The mailbox has reached Gmail's sending limit."
    ),
    _row(
        "403 429",
        r"(Units|Queries) per minute(?: per project)?'",  # and no more: `per user` follows where it is the mailbox's
        _C.PROJECT_WAIT,
        "project_minute_full",
        "The Google Cloud project's limit per minute is reached.",
    ),
    _row(
        "403 429",
        r"concurrent",
        _C.MAILBOX_CROWDED,
        "mailbox_crowded",
        "Gmail takes fewer requests of this mailbox at once.",
    ),
    _row(
        "403 429",
        r"limit[ _]?exceeded|RESOURCE_EXHAUSTED|quota|rate limit",  # Google has many: rateLimitExceeded, servingLimitExceeded, …
        _C.MAILBOX_WAIT,
        "mailbox_busy",
        "Gmail asks to send more slowly from this mailbox.",
    ),
    _row("429", r"", _C.MAILBOX_WAIT, "mailbox_busy", "Gmail asks to send more slowly."),
    _row(
        "403",
        r"",
        _C.CONNECTION,
        "forbidden",
        "Gmail refuses to send from this mailbox.",
        "Probe the connection (`certmail connections probe`) and follow what it says.",
    ),
    _row(
        "409 421 423 425",  # ABORTED, and what a front end says before it passes anything on
        r"",
        _C.TRANSIENT,
        "aborted",
        "Gmail broke the request off before it did anything: it was busy with another. It is tried again.",
    ),
    _row(
        "404",
        r"",
        _C.OPERATOR,
        "wrong_address",
        "There is no Gmail API at the configured address.",
        "Check CERTMAIL_GMAIL_URL.",
    ),
)

_ID: Final = re.compile(r"[\x21-\x7e]{1,64}")


def judge(answer: Answer) -> Verdict:
    """Say what an answer means; total: every answer has a verdict."""
    if isinstance(answer, NotSent) and answer.remedy:
        message = f"Gmail was not reached: {answer.why}."
        return Verdict(_C.OPERATOR, AttemptOutcome.NOT_SENT, "proxy_refused", message, answer.remedy)
    if isinstance(answer, NotSent):
        return Verdict(
            _C.TRANSIENT, AttemptOutcome.NOT_SENT, "not_sent", f"The request could not be sent: {answer.why}"
        )
    if isinstance(answer, Lost):
        return Verdict(
            _C.UNKNOWN,
            AttemptOutcome.UNKNOWN,
            "answer_lost",
            f"Gmail's answer was lost: {answer.why}",
            at_google=answer.waited,
        )
    if 200 <= answer.status < 300:
        return _accepted(answer)
    return _refused(read_error(answer))


def _accepted(answer: Answered) -> Verdict:
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or (gmail_id := _id(value.get("id"))) is None:
        return _without_id(answer)
    return Verdict(
        _C.NONE,
        AttemptOutcome.ACCEPTED,
        "accepted",
        "Gmail took the message.",
        http_status=answer.status,
        gmail_id=gmail_id,
        thread_id=_id(value.get("threadId")),
    )


def _without_id(answer: Answered) -> Verdict:
    """A 2xx that lacks what Gmail gives every message that it takes; only of a page that says it is none of Gmail's may a rule decide."""
    if is_broken(answer):
        code, taken = "answer_cut", True
        message = (
            f"Gmail answered {answer.status}, but its answer broke off{f' ({answer.broken})' if answer.broken else ''}: it has "
            "most likely taken the message, so no rule sends it again."
        )
    else:
        kind = answer.headers.get("content-type", "")
        code, taken = "answer_unclear", not kind or "json" in kind.lower()
        who = "" if taken else " Something else may have answered in Gmail's place: a proxy or firewall?"
        message = (
            f"HTTP {answer.status} without a message's id does not say whether Gmail took the message.{who}"
        )
    return Verdict(
        _C.UNKNOWN,
        AttemptOutcome.UNKNOWN,
        code,
        message,
        http_status=answer.status,
        at_google=answer.waited,
        taken=taken,
    )


def _id(value: object) -> str | None:
    """An id as the record can hold it."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def _refused(error: GoogleError) -> Verdict:
    words = f"Google says: {error.message}" if error.structured else f"The answer was {error.message}."
    for row in TABLE:
        if error.status in row.status and _may_say(error, row) and row.fits.search(error.words):
            return _verdict(
                error, row.failure, AttemptOutcome.REJECTED, row.code, f"{row.sentence} {words}", row.remedy
            )
    if error.status in {408, 499} or error.status >= 500:  # 499: cancelled on the way, as a time-out is
        message = f"Gmail's answer does not say whether it took the message. {words}"
        return _verdict(error, _C.UNKNOWN, AttemptOutcome.UNKNOWN, "answer_unclear", message)
    if error.broken:
        message = f"Gmail refused, and its reason did not arrive; it is tried again. {words}"
        return _verdict(error, _C.TRANSIENT, AttemptOutcome.REJECTED, "answer_cut", message)
    if not error.structured:
        message = f"Something else than Gmail's API answers in its place. {words}"
        remedy = "Check CERTMAIL_GMAIL_URL, and the proxy or firewall between certmail and Google."
        return _verdict(error, _C.OPERATOR, AttemptOutcome.REJECTED, "not_gmail", message, remedy)
    message = f"Gmail refused in a way that certmail does not know. {words}"
    return _verdict(error, _C.MESSAGE, AttemptOutcome.REJECTED, "unexpected_answer", message)


def _may_say(error: GoogleError, row: _Row) -> bool:
    """A proxy's page blames neither a connection nor, but for its size, a message; nor does it say what Gmail did."""
    return (
        error.structured
        or error.status == 413
        or row.failure not in {FailureClass.MESSAGE, FailureClass.CONNECTION, FailureClass.TRANSIENT}
    )


def _verdict(
    error: GoogleError,
    failure: FailureClass,
    outcome: AttemptOutcome,
    code: str,
    message: str,
    remedy: str = "",
) -> Verdict:
    return Verdict(
        failure,
        outcome,
        code,
        message,
        remedy,
        http_status=error.status,
        google_reason=error.reason or None,
        wait=error.wait,
        structured=error.structured,
        allowed=error.allowed,
        at_google=outcome is AttemptOutcome.UNKNOWN,
    )
