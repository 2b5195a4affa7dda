"""What upstream applications use: say who is to be reminded of what, and ask what became of it."""

from certmail.client.async_mailer import AsyncMailer
from certmail.client.mailer import Mailer
from certmail.client.receipt import Receipt
from certmail_config.base.errors import (
    BatchInterrupted,
    CertmailError,
    ReminderRejected,
    SettingsError,
    StoresUnreachable,
)
from certmail_config.jobs.reminder import Reminder
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Cancellation
from certmail_config.ledger.cancelling import Cancelled
from certmail_config.ledger.view import AttemptView, JobView

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
