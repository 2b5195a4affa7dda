"""Samples as a tenant's own: its name and words, dated now, and marked where they leave."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest

from certmail_config.compose.own.tenant_words import read_words
from certmail_config.compose.samples import (
    MARK,
    SampleSender,
    SampleSize,
    letter_of,
    mail_of,
    written_at,
)
from certmail_config.compose.voices import LetterKind

SENDER = SampleSender("Acme", "reviews@acme.example", "help@acme.example")
DOCUMENT = b'{"texts": {"en": {"reminder": {"subject": {"text": "Due {{ due_in }}"}}}}}'
NOW = datetime(2031, 3, 5, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize("kind", LetterKind)
@pytest.mark.parametrize("sample", SampleSize)
def test_each_says_in_its_subject_that_it_is_one(kind: str, sample: str) -> None:
    words = read_words(0, b"{}", (), ())
    letter = written_at(letter_of(SENDER, words, kind, "de", sample), NOW)
    message = message_from_bytes(mail_of(letter, words, marked=True).raw, policy=default)

    assert str(message["Subject"]).startswith(MARK)
    assert message["From"].addresses[0].addr_spec == "reviews@acme.example"
    assert message["Reply-To"].addresses[0].addr_spec == "help@acme.example"
    assert message["Date"].datetime == NOW
    assert len(message["To"].addresses) == 1


def test_its_own_words_stand_there_and_what_is_due_is_as_far_away_as_ever() -> None:
    words = read_words(0, DOCUMENT, (), ())
    letter = letter_of(SENDER, words, "reminder", "en", "rich")
    assert mail_of(letter, words).subject == "Due in 3 days"

    later = written_at(letter, NOW)
    assert abs((later.due_at - NOW) - (letter.due_at - letter.now)) < timedelta(days=1)  # type: ignore[operator]  # both are there
    assert mail_of(later, words, marked=True).subject.startswith("[Sample] Due in ")


def test_without_a_mailbox_the_samples_own_stands_there() -> None:
    letter = letter_of(SampleSender("Acme"), read_words(0, b"{}", (), ()), "digest", "en", "thin")
    assert letter.sender.endswith(".example")
    assert letter.reply_to is None
    assert written_at(letter, NOW).reviews[0].due_at is None
