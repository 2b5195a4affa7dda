"""Gmail's limits on sending: messages and recipients of a mailbox in 24 h (google.md §1.2).

The 24 hours roll.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from certmail_sandbox.accounts.directory import CONSUMER, domain_of
from certmail_sandbox.quotas.limits import Limits
from certmail_sandbox.quotas.windows import DAY_SECONDS, RecentRecipients
from certmail_sandbox.wire import gmail_errors


@dataclass(slots=True)
class Sent:
    """What a mailbox sent, to everybody, and to those outside its own domain."""

    everybody: RecentRecipients = field(default_factory=RecentRecipients)
    outside: RecentRecipients = field(default_factory=RecentRecipients)


@dataclass
class SendingLimits:
    """What each mailbox has sent to whom."""

    _sent: dict[str, Sent] = field(default_factory=dict)

    def check_messages(self, limits: Limits, mailbox: str, now: float) -> None:
        """Refuse one message more than a day may have, before its content is looked at.

        Raises ApiError, a 429 with the time at which the oldest message is a day old.
        """
        sent = self._of(mailbox, now)
        if len(sent.everybody.entries) >= _messages(limits, mailbox):
            _refuse(limits, sent, now)

    def check_recipients(
        self, limits: Limits, mailbox: str, recipients: Collection[str], now: float
    ) -> bool:
        """Whether a message to these may leave; False where Gmail takes it and then bounces it.

        Raises ApiError: 400 where they are too many for one message, 429 where they are too many
        for the day.
        """
        if len(recipients) > limits.recipients_per_message:
            raise gmail_errors.invalid_argument("Too many recipients")

        sent, people = self._of(mailbox, now), {address.lower() for address in recipients}
        total, different = sent.everybody.with_these(people)
        outside, different_outside = sent.outside.with_these(_outside(mailbox, people))
        fits = (
            len(sent.everybody.entries) < _messages(limits, mailbox)
            and total <= limits.recipients_per_day
            and outside <= limits.external_recipients_per_day
            and different <= limits.unique_recipients_per_day
            and different_outside <= limits.unique_external_recipients_per_day
        )
        if not fits:
            _refuse(limits, sent, now)

        return fits

    def count(self, mailbox: str, recipients: Collection[str], now: float) -> None:
        """Count a message that leaves."""
        sent, people = self._of(mailbox, now), {address.lower() for address in recipients}
        sent.everybody.add(now, people)
        sent.outside.add(now, _outside(mailbox, people))

    def _of(self, mailbox: str, now: float) -> Sent:
        sent = self._sent.setdefault(mailbox, Sent())
        sent.everybody.forget(now)
        sent.outside.forget(now)
        return sent


def _messages(limits: Limits, mailbox: str) -> int:
    consumer = domain_of(mailbox) in CONSUMER
    if consumer:
        return min(limits.messages_per_day, limits.consumer_messages_per_day)
    return limits.messages_per_day


def _outside(mailbox: str, recipients: Collection[str]) -> list[str]:
    home = domain_of(mailbox)
    return [address for address in recipients if domain_of(address) != home]


def _refuse(limits: Limits, sent: Sent, now: float) -> None:
    """429, once Gmail has noticed: the limit was reached by the last message that counted."""
    entries = sent.everybody.entries
    if entries and now < entries[-1][0] + limits.sending_lag_seconds:
        return
    retry_at = entries[0][0] + DAY_SECONDS if entries else now + DAY_SECONDS
    raise gmail_errors.user_rate_limit(retry_at, " (Mail sending)")
