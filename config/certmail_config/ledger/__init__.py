"""The ledger: the truth about every job, in Redis, changed only by the scripts of this package.

Its calls are by subject: intake.py, delivery.py, ending.py, lanes.py, workers.py, upkeep.py; the
scripts lie in lua/. docs/ledger.md, made from both, is where to start reading.
"""

from certmail_config.ledger.delivery import begin, claim, dispatch, release, settle
from certmail_config.ledger.ending import cancel, cancel_matching, close, forget, reap, withdraw
from certmail_config.ledger.intake import enqueue, enqueue_many
from certmail_config.ledger.lanes import (
    open_lane,
    pause,
    remove_lane,
    set_lane,
    spend,
    spend_message,
    suspend_lane,
    suspend_template,
    warn_expiry,
)
from certmail_config.ledger.script import Call, arun, arun_durably, run, run_each, run_many
from certmail_config.ledger.unwanted.marks import mark_unwanted
from certmail_config.ledger.upkeep import act
from certmail_config.ledger.values import (
    Act,
    Begun,
    Cancellation,
    CancelledPage,
    Claimed,
    Dispatched,
    Enqueued,
    Job,
    Lane,
    Pause,
    Reaped,
    RefusedBy,
    Settlement,
    Stop,
    Suspension,
    Tick,
)
from certmail_config.ledger.workers import advertise, keep, note

__all__ = [
    "Act",
    "Begun",
    "Call",
    "Cancellation",
    "CancelledPage",
    "Claimed",
    "Dispatched",
    "Enqueued",
    "Job",
    "Lane",
    "Pause",
    "Reaped",
    "RefusedBy",
    "Settlement",
    "Stop",
    "Suspension",
    "Tick",
    "act",
    "advertise",
    "arun",
    "arun_durably",
    "begin",
    "cancel",
    "cancel_matching",
    "claim",
    "close",
    "dispatch",
    "enqueue",
    "enqueue_many",
    "forget",
    "keep",
    "mark_unwanted",
    "note",
    "open_lane",
    "pause",
    "reap",
    "release",
    "remove_lane",
    "run",
    "run_each",
    "run_many",
    "set_lane",
    "settle",
    "spend",
    "spend_message",
    "suspend_lane",
    "suspend_template",
    "warn_expiry",
    "withdraw",
]
