"""The failure table of `messages.send`: what each of Gmail's refusals means, and what to do.

`TABLE` says which answer is what, `MEANINGS` what follows from that. Source: google.md §1.5. Never
on the status alone: limits come as 403 and as 429, and a 400 may mean the whole mailbox.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class FailureClass(StrEnum):
    """What kind of trouble an answer is; each is treated in one way (see settlement.py)."""

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


class FailureRow(NamedTuple):
    """What an answer is that has one of these statuses, and these words in its reasons or message.

    Capitals do not matter; no words fit any answer. `meaning` is a key of `MEANINGS`: the code, and
    behind a slash which of its sentences.
    """

    statuses: str
    words: str
    meaning: str


class Meaning(NamedTuple):
    """How a refusal is treated, a sentence that precedes Google's own words, and what to do."""

    failure: FailureClass
    sentence: str
    remedy: str = ""


# Read from top to bottom: the first row that fits decides.
TABLE: Final = (
    #   HTTP status        reasons or message hold                 what it is
    FailureRow("400",             "failedPrecondition",                   "mailbox_without_gmail"),
    FailureRow("400",             "FAILED_PRECONDITION",                  "mailbox_without_gmail"),
    FailureRow("400",             "Mail service not enabled",             "mailbox_without_gmail"),
    FailureRow("400",             "Precondition check failed",            "mailbox_without_gmail"),
    FailureRow("400",             "",                                     "message_rejected"),
    FailureRow("413",             "",                                     "message_too_large"),
    FailureRow("401",             "",                                     "token_expired"),
    FailureRow("403",             "insufficientPermissions",              "scope_missing"),
    FailureRow("403",             "ACCESS_TOKEN_SCOPE_INSUFFICIENT",      "scope_missing"),
    FailureRow("403",             "insufficient authentication scopes",   "scope_missing"),
    FailureRow("403",             "accessNotConfigured",                  "api_disabled"),
    FailureRow("403",             "SERVICE_DISABLED",                     "api_disabled"),
    FailureRow("403",             "domainPolicy",                         "domain_policy"),
    FailureRow("403",             "Delegation denied",                    "delegation_denied"),
    FailureRow("403 429",         "dailyLimitExceeded",                   "project_day_full"),
    FailureRow("403 429",         "DailyExceeded",                        "project_day_full"),
    FailureRow("403 429",         "Mail sending",                         "day_full"),
    # With the quotation mark, and so no more: `per user` follows where it is the mailbox's.
    FailureRow("403 429",         "Units per minute'",                    "project_minute_full"),
    FailureRow("403 429",         "Units per minute per project'",        "project_minute_full"),
    FailureRow("403 429",         "Queries per minute'",                  "project_minute_full"),
    FailureRow("403 429",         "Queries per minute per project'",      "project_minute_full"),
    FailureRow("403 429",         "concurrent",                           "mailbox_crowded"),
    # Google has many: rateLimitExceeded, servingLimitExceeded, …
    FailureRow("403 429",         "LimitExceeded",                        "mailbox_busy"),
    FailureRow("403 429",         "limit exceeded",                       "mailbox_busy"),
    FailureRow("403 429",         "LIMIT_EXCEEDED",                       "mailbox_busy"),
    FailureRow("403 429",         "RESOURCE_EXHAUSTED",                   "mailbox_busy"),
    FailureRow("403 429",         "quota",                                "mailbox_busy"),
    FailureRow("403 429",         "rate limit",                           "mailbox_busy"),
    FailureRow("429",             "",                                     "mailbox_busy/unexplained"),
    FailureRow("403",             "",                                     "forbidden"),
    # ABORTED, and what a front end says before it passes anything on.
    FailureRow("409 421 423 425", "",                                     "aborted"),
    FailureRow("404",             "",                                     "wrong_address"),
)  # fmt: skip

_C = FailureClass
MEANINGS: Final = {
    "mailbox_without_gmail": Meaning(
        _C.CONNECTION,
        "The mailbox has no Gmail service.",
        "Give the user a licence with Gmail, or connect another mailbox.",
    ),
    "message_rejected": Meaning(_C.MESSAGE, "Gmail does not take this message."),
    "message_too_large": Meaning(_C.MESSAGE, "The message is larger than Gmail takes."),
    "token_expired": Meaning(_C.TOKEN_EXPIRED, "The access token is no longer accepted."),
    "scope_missing": Meaning(
        _C.CONNECTION,
        "The permission gmail.send was not granted.",
        "Grant https://www.googleapis.com/auth/gmail.send: for a service account in the Admin "
        "console's domain-wide delegation, together with the scopes that stand there (a new list "
        "replaces them), else by linking the account again with every box ticked.",
    ),
    "api_disabled": Meaning(
        _C.CONNECTION,
        "The Gmail API is not enabled.",
        "Enable the Gmail API in the Google Cloud project that owns the credentials, wait a few "
        "minutes, and probe the connection.",
    ),
    "domain_policy": Meaning(
        _C.CONNECTION,
        "The domain's administrators have disabled Gmail applications.",
        "The Workspace administrator must allow it under Security, API controls.",
    ),
    "delegation_denied": Meaning(
        _C.OPERATOR,
        "The token belongs to another user than the request.",
        "Report it: this is certmail's mistake.",
    ),
    "project_day_full": Meaning(
        _C.PROJECT_DAY_FULL,
        "The Google Cloud project's daily limit is reached.",
        "Raise the project's quota for the Gmail API, or wait until tomorrow.",
    ),
    "day_full": Meaning(_C.DAY_FULL, "The mailbox has reached Gmail's sending limit."),
    "project_minute_full": Meaning(
        _C.PROJECT_WAIT, "The Google Cloud project's limit per minute is reached."
    ),
    "mailbox_crowded": Meaning(
        _C.MAILBOX_CROWDED, "Gmail takes fewer requests of this mailbox at once."
    ),
    "mailbox_busy": Meaning(_C.MAILBOX_WAIT, "Gmail asks to send more slowly from this mailbox."),
    "mailbox_busy/unexplained": Meaning(_C.MAILBOX_WAIT, "Gmail asks to send more slowly."),
    "forbidden": Meaning(
        _C.CONNECTION,
        "Gmail refuses to send from this mailbox.",
        "Probe the connection (`certmail connections probe`) and follow what it says.",
    ),
    "aborted": Meaning(
        _C.TRANSIENT,
        "Gmail broke the request off before it did anything: it was busy with another. It is tried "
        "again.",
    ),
    "wrong_address": Meaning(
        _C.OPERATOR,
        "There is no Gmail API at the configured address.",
        "Check CERTMAIL_GMAIL_URL.",
    ),
}
