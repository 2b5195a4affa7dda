"""From Gmail's answer to its meaning: accepted, refused for a reason of the table, or unknown.

Pure: without I/O, clock or settings. Of an answer that broke off the status alone says whether the
message was sent, and no row of the table blames a connection or a message for it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from certmail_config.jobs.states import AttemptOutcome
from certmail_worker.delivery.failure_table import MEANINGS, TABLE, FailureClass, FailureRow
from certmail_worker.google.google_errors import GoogleError, is_broken, read_error
from certmail_worker.google.responses import Answer, Answered, Lost, NotSent


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means.

    `wait` is how long Google asked to wait, in seconds from now; `allowed` how many units a minute
    it says that it allows; `at_google`: why the outcome is unknown lies with Google, as far as can
    be seen, not with our network; `taken`: Gmail said that it took the message, although not under
    which id, so that no rule may send it again.
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
    "Too few replicas of Redis confirmed in time that the request was about to leave, so it did "
    "not.",
    "Bring the replicas back (CERTMAIL_DURABILITY); it is tried again by itself.",
)
"""The verdict on a request that was not made, since it was not on record for sure.

It is no answer of Gmail's. Were the request made, a failover would make it twice.
"""


_C = FailureClass
_ID: Final = re.compile(r"[\x21-\x7e]{1,64}")


def judge(answer: Answer) -> Verdict:
    """Say what an answer means; total: every answer has a verdict."""
    if isinstance(answer, NotSent) and answer.remedy:
        message = f"Gmail was not reached: {answer.why}."
        return Verdict(
            _C.OPERATOR, AttemptOutcome.NOT_SENT, "proxy_refused", message, answer.remedy
        )
    if isinstance(answer, NotSent):
        return Verdict(
            _C.TRANSIENT,
            AttemptOutcome.NOT_SENT,
            "not_sent",
            f"The request could not be sent: {answer.why}",
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
    """A 2xx that lacks the id which Gmail gives every message that it takes.

    Whether to send again a rule may decide only of a page that says it is none of Gmail's.
    """
    if is_broken(answer):
        code, taken = "answer_cut", True
        how = f" ({answer.broken})" if answer.broken else ""
        message = (
            f"Gmail answered {answer.status}, but its answer broke off{how}: it has "
            "most likely taken the message, so no rule sends it again."
        )
    else:
        kind = answer.headers.get("content-type", "")
        code, taken = "answer_unclear", not kind or "json" in kind.lower()
        message = (
            f"HTTP {answer.status} without a message's id does not say whether Gmail took the "
            "message."
        )
        if not taken:
            message += " Something else may have answered in Gmail's place: a proxy or firewall?"

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
    words = (
        f"Google says: {error.message}" if error.structured else f"The answer was {error.message}."
    )

    if row := find_row(error):
        code, _, _ = row.meaning.partition("/")
        failure, sentence, remedy = MEANINGS[row.meaning]
        return _verdict(
            error, failure, AttemptOutcome.REJECTED, code, f"{sentence} {words}", remedy
        )

    # 499: cancelled on the way, as a time-out is.
    if error.status in {408, 499} or error.status >= 500:
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


def find_row(error: GoogleError) -> FailureRow | None:
    """The table's row for a refusal: the first that fits and is credible."""
    status, text = str(error.status), error.words.casefold()

    for row in TABLE:
        fits = status in row.statuses.split() and row.words.casefold() in text
        if fits and _is_credible(error, row):
            return row

    return None


def _is_credible(error: GoogleError, row: FailureRow) -> bool:
    """Whether such an answer can be believed to mean what the row says.

    A proxy's page blames neither a connection nor, but for its size, a message; nor does it say
    what Gmail did.
    """
    return (
        error.structured
        or error.status == 413
        or MEANINGS[row.meaning].failure
        not in {FailureClass.MESSAGE, FailureClass.CONNECTION, FailureClass.TRANSIENT}
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


__all__ = ["NOT_DURABLE", "FailureClass", "Verdict", "find_row", "judge"]
