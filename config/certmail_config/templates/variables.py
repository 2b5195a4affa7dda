"""The variables that each kind of mail has, and samples of what they may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from certmail_config.templates.language import Form, Number, Scope, Values, Variable

_TEXT, _NUMBER = Form.TEXT, Form.NUMBER
_COMMON: Final[dict[str, Variable]] = {
    "organisation": Variable(_TEXT, "what the mails call the tenant"),
    "name": Variable(_TEXT, "the reviewer's, where it is known"),
    "reply_to": Variable(_TEXT, "the address that answers go to, where there is one"),
}
_CAMPAIGN: Final[dict[str, Variable]] = {
    "campaign": Variable(_TEXT, "the campaign's name"),
    "pending": Variable(_NUMBER, "decisions still open"),
    "completed": Variable(_NUMBER, "decisions made"),
    "total": Variable(_NUMBER, "both together"),
    "percent": Variable(_TEXT, "how much is done, such as 40%"),
    "due": Variable(_TEXT, "the due date and time, in the reviewer's language and zone"),
    "due_day": Variable(_TEXT, "the due date in short, such as 11 Dec"),
    "due_in": Variable(_TEXT, "how far away it is, such as `in 3 days`"),
    "days_left": Variable(_NUMBER, "days until the due date; 0 on the day and after it"),
    "days_late": Variable(_NUMBER, "days since the due date; 0 until it has passed"),
}
_ITEMS: Final[dict[str, Variable]] = {
    "items": Variable(
        Form.LIST,
        "what is left to decide, where it is known; ten at most",
        {"what": _TEXT, "who": _TEXT, "access": _TEXT},
    ),
}
_OF_KIND: Final[Mapping[str, dict[str, Variable]]] = {
    "escalation": {
        "about": Variable(_TEXT, "whose decisions are missing"),
        "times_reminded": Variable(_NUMBER, "how often they were reminded"),
    },
    "digest": {
        "pending": Variable(_NUMBER, "decisions still open in all of them"),
        "campaigns": Variable(
            Form.LIST,
            "the campaigns, soonest first; ten at most",
            {"name": _TEXT, "open": _TEXT, "due": _TEXT, "due_in": _TEXT},
        ),
    },
    "custom": {
        "subject": Variable(_TEXT, "the reminder's own subject"),
        "text": Variable(_TEXT, "the reminder's own text"),
    },
}

OF_ITS_READER: Final = frozenset(
    {"name", "items", "about", "times_reminded", "campaigns", "subject", "text"}
)
"""Those that say who gets a mail, or what is theirs: no mail leaves them behind in a worker."""


def scope_of(kind: str) -> Scope:
    """What the words of a mail of this kind may name."""
    return _SCOPES[kind]


_SCOPES: Final[Mapping[str, Scope]] = {
    **{
        kind: _COMMON | _CAMPAIGN | _ITEMS | _OF_KIND.get(kind, {})
        for kind in ("notice", "reminder", "final", "overdue", "escalation", "custom")
    },
    "digest": _COMMON | _OF_KIND["digest"],
}

_NASTY: Final = "<script>alert(1)</script> “quotes” & {{ braces }} שלום 審査 👩‍👩‍👧 "


def _number(value: int) -> Number:
    return Number(value, f"{value:,}")


SAMPLES: Final[Mapping[str, Values]] = {
    "thin": {
        "organisation": "acme",
        # These three kinds always have theirs.
        "about": "Ben",
        "campaigns": [{"name": "Q4"}],
        "subject": "Review",
        "text": "Please decide.",
    },
    "rich": {
        "organisation": "Acme Inc.",
        "name": "Anna Example",
        "reply_to": "reviews@acme.example",
        "campaign": "Q4 finance systems",
        "pending": _number(12),
        "completed": _number(8),
        "total": _number(20),
        "percent": "40%",
        "due": "Friday, 11 December 2026 at 17:00",
        "due_day": "11 Dec",
        "due_in": "in 3 days",
        "days_left": _number(3),
        "days_late": _number(0),
        "items": [
            {"what": "SAP", "who": "Ben Example", "access": "Accounts payable"},
            {"what": "Payroll", "who": "Cleo Example"},
        ],
        "about": "Ben Example",
        "times_reminded": _number(3),
        "campaigns": [
            {
                "name": "Q4 finance systems",
                "open": "12 decisions open",
                "due": "Friday, 11 December 2026 at 17:00",
                "due_in": "in 3 days",
            },
            {"name": "Administrators"},
        ],
        "subject": "A word about your review",
        "text": "The review has moved to a new system.\nNothing else changes.",
    },
    "nasty": {
        "organisation": (_NASTY * 3)[:80],
        "name": (_NASTY * 3)[:80],
        "reply_to": f"{'a' * 64}@{'.'.join(['b' * 60] * 4)}.example",
        "campaign": (_NASTY * 4)[:160],
        "pending": _number(20_000_000),
        "completed": _number(1_000_000),
        "total": _number(2_000_000),
        "percent": "100 %",
        "due": "Wednesday, the thirtieth of September, 2026, at 11:59:59 in the evening (Coordinated Universal Time)",
        "due_day": "the thirtieth of September, 2026",
        "due_in": "overdue for more than one thousand days",
        "days_left": _number(100_000),
        "days_late": _number(100_000),
        "items": [
            {"what": (_NASTY * 3)[:120], "who": (_NASTY * 3)[:120], "access": (_NASTY * 3)[:120]}
        ]
        * 10,
        "about": (_NASTY * 4)[:160],
        "times_reminded": _number(1_000_000),
        "campaigns": [
            {
                "name": (_NASTY * 3)[:128],
                "open": "1,000,000 decisions still open of 2,000,000 decisions altogether",
                "due": "Wednesday, the thirtieth of September, 2026, at 11:59 PM",
                "due_in": "overdue for more than one thousand days",
            }
        ]
        * 10,
        "subject": (_NASTY * 3)[:150],
        "text": (_NASTY * 80)[:5000],
    },
}
"""Nearly nothing, what is usual, and as long and awkward as upstream may make it.

No value is longer in any mail than in the last (tests hold the composer against it): what is
published cannot fail for one reminder's sake, and be put aside for all others.
"""
