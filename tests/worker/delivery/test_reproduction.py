"""What is said of a message that was composed once more."""

from __future__ import annotations

from typing import Any

import pytest

from certmail_config.compose import Mail, compose
from certmail_config.compose.samples import sample_letter
from certmail_config.compose.samples.letters import NOW
from certmail_worker.delivery.evidence import LONGEST_RELEASE, ContentEvidence
from certmail_worker.delivery.reproduction import (
    RecordedContent,
    equals,
    newest_recorded,
    why_not_equal,
)

MAIL = compose(sample_letter("reminder", "de"))
ATTEMPT: dict[str, Any] = {
    "n": 2,
    "outcome": "unknown",
    "message_sha256": "0" * 64,
    "subject_sha256": "1" * 64,
    "locale": "de",
    "template_version": 3,
    "composed_at": NOW,
    "release": "0.1.0 (c0ffee)",
}


def recorded(**changes: Any) -> RecordedContent:
    found = RecordedContent.of(ATTEMPT | changes)
    assert found is not None
    return found


def reasons(
    mail: Mail = MAIL, *, kept: bool = True, given: bool = False, **changes: Any
) -> list[str]:
    found = recorded(**changes)
    return list(why_not_equal(mail, found, "0.1.0 (c0ffee)", version_kept=kept, given=given))


def test_a_message_is_the_one_that_the_evidence_was_made_of() -> None:
    evidence = ContentEvidence.of(MAIL, NOW, release="0.1.0")
    assert equals(MAIL, recorded(message_sha256=evidence.message_sha256))
    assert not equals(MAIL, recorded())


def test_the_last_attempt_that_has_evidence_counts() -> None:
    without = {"n": 3, "message_sha256": None}
    assert newest_recorded([ATTEMPT | {"n": 1}, ATTEMPT, without]) == recorded()
    assert newest_recorded([without]) is None
    assert newest_recorded([]) is None


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ({"kept": False}, "version 3 of the templates is kept no more"),
        ({"release": "0.0.9"}, "it was composed by certmail 0.0.9, and this is 0.1.0 (c0ffee)"),
        ({"release": None, "composed_at": None}, "neither the moment nor the certmail"),
        ({"locale": "de-CH"}, "it was in de-CH, and this is in de"),
        ({"given": True}, "its content was another"),
        ({}, "the tenant's name, its address for answers or its mailbox"),
    ],
)
def test_the_surest_reason_stands_first(asked: dict[str, Any], first: str) -> None:
    assert reasons(**asked)[0].startswith(first)


def test_what_certmails_own_words_cannot_have_caused_is_not_said() -> None:
    assert not [each for each in reasons(template_version=None) if "suspended" in each]
    assert str(recorded(template_version=None)) == (
        "attempt 2, composed for 2026-12-08T09:00:00.000Z, certmail's own words, de, 0.1.0 (c0ffee)"
    )


def test_a_release_of_any_length_fits_into_the_record() -> None:
    assert len(ContentEvidence.of(MAIL, NOW, release="x" * 500).release) == LONGEST_RELEASE
