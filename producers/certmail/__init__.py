"""certmail for upstream applications: enqueue reminders, and ask what became of them.

Start with `client.mailer`. `files` reads spreadsheets, and `gateway` is the same over HTTP; neither
is imported here.
"""

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
