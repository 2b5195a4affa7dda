"""The one table of sample letters."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from certmail_config.compose.letter import Letter, PendingItem, Review

NOW: Final = datetime(2026, 12, 8, 9, tzinfo=UTC)
"""When all of them are written: the same mail each time."""
_THIN: Final[dict[str, Any]] = {
    "name": None,
    "campaign_name": None,
    "due_at": None,
    "pending": None,
    "completed": None,
    "link": None,
    "reply_to": None,
    "time_zone": None,
}
_LONG: Final = "Überprüfungs­verantwortliche/r & <b>Stell­vertretung</b> " * 4
_NASTY: Final[dict[str, Any]] = {
    "name": '\u202eDr. דנה "Danny" Łukasz O’Neill-山田 <x@y> 👩‍👩‍👧‍👦' + "x" * 90,
    "campaign_name": "סקירת Q4 {campaign} %s מראש & <i>q</i> " + "Kontrollmaßnahmen" * 12,
    "organisation": "Müller & Söhne <Holding> S.à r.l. اختبار Inc.",
    "sender_name": 'Müller, "Söhne" & Co. =?utf-8?q?x?=',
    "link": "https://straße.example/reviews?state=" + "0123456789abcdef" * 100 + "&a='\"<>é",
    "pending": 123_456,
    "completed": 1,
}
_ITEMS: Final = (
    PendingItem("SAP Finance", "Ben Ray", "Approver"),
    PendingItem("Salesforce", "Priya Nair", "Administrator"),
    PendingItem("GitHub", "Tom Okafor"),
    PendingItem("Payroll exports"),
)
_REVIEWS: Final = (
    Review("Production databases", NOW + timedelta(days=17), 5, 1, "https://iga.acme.example/r/9"),
    Review(
        "Quarterly access review Q4 2026",
        NOW + timedelta(days=3, hours=7),
        12,
        8,
        "https://iga.acme.example/r/7",
    ),
    Review("Payroll", NOW - timedelta(days=2), 1, 0, "https://iga.acme.example/r/8"),
    Review("Leavers of November"),
)
_NASTY_ITEM: Final = PendingItem(_LONG, "دانا\n-- \n<script>alert(1)</script>", "מנהל " + "W" * 100)
_CHANGES: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "overdue": {"rich": {"due_at": NOW - timedelta(days=5)}},
    "escalation": {
        "thin": {"about": "Ben Ray"},
        "rich": {"about": "Ben Ray", "times_reminded": 3, "due_at": NOW - timedelta(days=5)},
        "nasty": {
            "about": "Ben \u202e<b>Ray</b>, דנה {about} " + "y" * 200,
            "times_reminded": 10**6,
        },
    },
    "digest": {
        "thin": {"reviews": (Review("Payroll"),)},
        "rich": {"reviews": _REVIEWS, "link": "https://iga.acme.example/reviews"},
        "nasty": {
            "reviews": tuple(
                Review(
                    f"{_LONG} {number}",
                    NOW + timedelta(days=number - 9),
                    number * 1000 + 1,
                    number,
                    f"https://straße.example/{number}?" + "é=" * 300,
                )
                for number in range(20)
            )
        },
    },
    "custom": {
        "thin": {"own_subject": "Access reviews", "own_text": "The review begins on Monday."},
        "rich": {
            "own_subject": "Before you decide: what has changed",
            "own_text": "From this quarter on you also decide on service accounts.\n\n"
            "The guide in the intranet shows how. It takes about ten minutes.",
        },
        "nasty": {
            "own_subject": "Re: {subject} <b>%s</b> \u202e\u05e1\u05e7\u05d9\u05e8\u05d4\r\nBcc: eve@evil.example "
            + "w" * 90,
            "own_text": "-- \n<script>alert(1)</script> {{ 7 * 7 }} {organisation}\n"
            + "x" * 1200
            + "\n\u2028نص\u202e "
            + "אבג דהו 123 (a) " * 30,
        },
    },
}
_SHOWS_ITEMS: Final = frozenset({"notice", "reminder", "final", "overdue", "escalation", "custom"})


class SampleSize(StrEnum):
    """How much a letter knows, or how odd it is."""

    THIN = "thin"
    RICH = "rich"
    NASTY = "nasty"


def sample_letter(kind: str, locale: str | None, sample: str = SampleSize.RICH) -> Letter:
    """The sample of this kind in this language."""
    changes: dict[str, Any] = {"thin": _THIN, "rich": {}, "nasty": _NASTY}[sample]
    if kind in _SHOWS_ITEMS and sample != "thin":
        changes = {**changes, "items": _ITEMS if sample == "rich" else (_NASTY_ITEM,) * 14}

    own = _CHANGES.get(kind, {}).get(sample, {})
    return replace(_rich(kind, locale), **{**changes, **own})


def _rich(kind: str, locale: str | None) -> Letter:
    return Letter(
        job_id=str(UUID(int=7)),
        kind=kind,
        sender="access-reviews@acme.example",
        sender_name="ACME Industries",
        reply_to="iga-help@acme.example",
        to="maria.lopez@acme.example",
        name="María López",
        campaign_name="Quarterly access review Q4 2026",
        due_at=NOW + timedelta(days=3, hours=7),
        pending=12,
        completed=8,
        link="https://iga.acme.example/campaigns/q4-2026/reviews/8f3a2c71",
        locale=locale,
        time_zone="Europe/Berlin",
        organisation="ACME Industries",
        now=NOW,
    )
