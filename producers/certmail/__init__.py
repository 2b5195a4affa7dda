"""What upstream applications use: say who is to be reminded of what, and ask what became of it."""

from certmail.async_mailer import AsyncMailer
from certmail.cancelling import Cancelled
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
from certmail_config.reminder import Reminder

__all__ = [
    "AsyncMailer",
    "BatchInterrupted",
    "Cancellation",
    "Cancelled",
    "CertmailError",
    "Mailer",
    "Receipt",
    "Reminder",
    "ReminderRejected",
    "SettingsError",
    "StoresUnreachable",
]
