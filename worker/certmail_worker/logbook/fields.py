"""The fields that lines have, and what each means."""

from __future__ import annotations

from typing import Final

EVERY: Final = {
    "timestamp": "when, in UTC, to the microsecond",
    "level": "`info`, `warning`, `error`, `critical`",
    "process": "`worker`, `gateway`, `flower` or `up`",
    "worker": "of a worker, from when it can deliver: its name as the record has it",
    "event": "what it is about; of a library's line its words",
    "logger": "of a library's line: which one",
    "repeated": "for how many more lines of its kind it stands",
    "code, error, remedy": "why, in a word, in a sentence, and what to do",
    "exception": "Python's trace, of what nobody foresaw; without the values of variables",
}
DELIVERY: Final = {
    "job": "the reminder's id, as in its receipt",
    "tenant, connection, campaign": "whose it is; `campaign` where it has one",
    "attempt": "which request it was; none where no request was made",
    "state": "what the reminder is now: `accepted`, `failed`, `expired`, `suppressed`, `uncertain`; `ready` or `scheduled` where it waits again; `refused` where the ledger did not let it begin",
    "outcome": "of the request: `accepted`, `rejected`, `unknown`, `not_sent`",
    "failure": "the kind of trouble, by which it is treated (`none`, `mailbox_wait`, `connection`, …)",
    "code": "why, as in the record",
    "http": "Google's status",
    "age_s": "seconds from the receipt to the request",
    "late_ms": "how much later it left than pace, quota and Google's pauses let it",
    "claim_ms, prepare_ms, begin_ms, send_ms, settle_ms": "how long each phase took, as far as it came",
    "waits, until": "what waits for a time, the mailbox or the whole project, and until when",
    "raised, where": "of what nobody foresaw: its kind, and the last lines of code",
}
ACCESS: Final = {
    "method, route, status, ms": "what was asked, the address as its pattern, how it ended, how long it took",
    "request": "the request's id",
    "key": "the API key's id",
    "tenant": "whose it was, if one tenant's; else `tenants`, how many",
    "job": "the reminder that it was about",
}
