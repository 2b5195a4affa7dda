"""The mails that are scored.

Each kind, in each language and country that has texts of its own, in each state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import product
from typing import Any, Final
from uuid import UUID

from certmail_config.base.ids import ConnectionId
from certmail_config.compose import Letter
from certmail_config.compose.samples import SampleSize, sample_letter
from certmail_config.compose.voices import LetterKind
from certmail_config.tenants.models import Connection
from certmail_worker.connections.probe import trial_mail
from judge.mails.samples import LOOKS, written

NOW: Final = datetime(2026, 12, 8, 9, tzinfo=UTC)
KINDS: Final = tuple(LetterKind)
OF_REMINDERS: Final = ("notice", "reminder", "final", "overdue")
"""Kinds that are in each state; what else they know is what the samples know."""
TEST_MAIL: Final = "test mail"
MAILBOX: Final = "access-reviews@acme-industries.com"
_DUE: Final = datetime(2026, 12, 11, 16, tzinfo=UTC)
_STATES: Final[dict[str, dict[str, Any]]] = {
    "open": {},
    "first day": {"completed": 0, "name": None},
    "due tomorrow": {"due_at": NOW + timedelta(days=1)},
    "due today": {"due_at": NOW + timedelta(hours=8)},
    "missed today": {"due_at": NOW - timedelta(hours=1)},
    "missed a week ago": {"due_at": NOW - timedelta(days=7)},
    "all made": {"pending": 0, "completed": 20},
    "bare": dict.fromkeys(
        ("name", "campaign_name", "due_at", "pending", "completed", "link", "time_zone", "reply_to")
    ),
    "right to left": {
        "campaign_name": "סקירת הרשאות",
        "name": "דנה לוי",
        "organisation": "חברה לדוגמה",
    },
    "long link": {
        "link": "https://iga.acme-industries.com/reviews?state=" + "0123456789abcdef" * 115
    },
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One mail as it leaves certmail, and what it is."""

    locale: str
    kind: str
    state: str
    job: str
    raw: bytes


def samples(*, odd: bool = False, few: bool = False) -> Iterator[Sample]:
    """All of them, and the test mail of a connection; with `few` each kind in its usual state.

    `odd` are those that no campaign has: as odd as upstream may make them, or nearly empty in a
    tenant's own look and words.
    """
    number = 0

    for locale in locales():
        for kind in KINDS:
            for state, letter, look in _letters(kind, locale, odd=odd, few=few):
                number += 1
                job = str(UUID(int=number))
                raw = written(replace(letter, job_id=job), look)
                yield Sample(locale, kind, state, job, raw)

    raw = trial_mail._mail(Connection(ConnectionId("c"), "acme", "default", mailbox=MAILBOX))
    job = raw.partition(b"X-Certmail-Id: ")[2].partition(b"\r\n")[0].decode()
    yield Sample("en", TEST_MAIL, "as it is", job, raw)


def _letters(kind: str, locale: str, *, odd: bool, few: bool) -> Iterator[tuple[str, Letter, str]]:
    if kind in OF_REMINDERS and not few:
        for state, changes in _STATES.items():
            yield state, _letter("", kind, locale, changes), "plain"
    for known, look in product(SampleSize, LOOKS):
        usual = known is SampleSize.RICH or (known is SampleSize.THIN and look == "plain")
        if usual or odd:
            letter = replace(sample_letter(kind, locale, known), sender=MAILBOX)
            yield f"{known} sample, {look}", letter, look


def locales() -> list[str]:
    """Those that have texts of their own."""
    names = [file.name for file in (files("certmail_config.templates") / "catalogues").iterdir()]
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def _letter(job: str, kind: str, locale: str, changes: dict[str, Any]) -> Letter:
    parts: dict[str, Any] = {
        "job_id": job,
        "kind": kind,
        "sender": MAILBOX,
        "sender_name": "Acme Industries",
        "reply_to": "it-help@acme-industries.com",
        "to": "maria.lopez@acme-industries.com",
        "name": "María López",
        "campaign_name": "Quarterly access review Q4 2026",
        "due_at": _DUE,
        "pending": 12,
        "completed": 8,
        "link": "https://iga.acme-industries.com/campaigns/q4-2026/reviews/8f3a2c71",
        "locale": locale,
        "time_zone": "Europe/Berlin",
        "organisation": "Acme Industries",
        "now": NOW,
    }

    return Letter(**{**parts, **changes})
