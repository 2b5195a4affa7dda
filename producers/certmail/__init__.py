"""What upstream applications use: say who is to be reminded of what, and ask what became of it."""

from certmail.async_mailer import AsyncMailer
from certmail.mailer import Mailer
from certmail.receipt import Receipt
from certmail_config.errors import (
    BatchInterrupted,
    CertmailError,
    ReminderRejected,
    SettingsError,
    StoresUnreachable,
)
from certmail_config.ledger import Cancellation
from certmail_config.ledger.cancelling import Cancelled
from certmail_config.ledger.view import AttemptView, JobView
from certmail_config.reminder import Reminder
from certmail_config.states import AttemptOutcome, State

__all__ = [
    "AsyncMailer",
    "AttemptOutcome",
    "AttemptView",
    "BatchInterrupted",
    "Cancellation",
    "Cancelled",
    "CertmailError",
    "JobView",
    "Mailer",
    "Receipt",
    "Reminder",
    "ReminderRejected",
    "SettingsError",
    "State",
    "StoresUnreachable",
]
