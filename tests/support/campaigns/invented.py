"""Campaigns and reviewers as nobody would write them, for Hypothesis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st

from certmail_config.campaigns.moments_of_day import zone_names

ZONES: Final = sorted(zone_names())
CHANGING: Final = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo")
PLACES: Final = (
    ("DE", "BE"), ("DE", None), ("US", "NY"), ("AE", None), ("IL", None), ("JP", None),
    ("FR", None), ("SA", None), ("BN", None), (None, None),
)  # fmt: skip
WINDOWS: Final = ("09:00-17:00", "00:00-24:00", "22:00-23:30", "02:15-02:45", "08:30-12:00")
WHOLE: Final = st.integers(1, 9)


def interval() -> st.SearchStrategy[str]:
    return st.builds(
        lambda number, kind: f"{number} {kind}day{'' if number == 1 else 's'}",
        WHOLE,
        st.sampled_from(["working ", ""]),
    )


@st.composite
def rules(draw: st.DrawFn) -> list[dict[str, Any]]:
    kind = st.sampled_from(["notice", "reminder", "final", "overdue"])
    forms = st.one_of(
        st.fixed_dictionaries({"on": st.sampled_from(["start", "due"]), "kind": kind}),
        st.fixed_dictionaries({"every": interval(), "at_most": WHOLE, "kind": kind}),
        st.fixed_dictionaries({"every": interval(), "kind": kind}),
        st.fixed_dictionaries(
            {"before_due": st.lists(st.integers(0, 20), min_size=1, max_size=4), "kind": kind}
        ),
        st.fixed_dictionaries({"overdue": interval(), "at_most": WHOLE, "kind": kind}),
        st.fixed_dictionaries(
            {"escalate_after": WHOLE, "to": st.sampled_from(["manager", "owner"])}
        ),
        st.fixed_dictionaries(
            {"overdue_by": interval(), "to": st.sampled_from(["manager", "owner"])}
        ),
    )
    found = draw(st.lists(forms, min_size=1, max_size=6))
    return [{"id": f"rule-{number}", **each} for number, each in enumerate(found)]


@st.composite
def campaigns(draw: st.DrawFn) -> dict[str, Any]:
    start = draw(st.datetimes(datetime(2025, 1, 1), datetime(2028, 12, 31)))  # noqa: DTZ001
    start = start.replace(second=0, microsecond=0, tzinfo=UTC)
    due = start + timedelta(minutes=draw(st.integers(1, 60 * 24 * 60)))
    country, part = draw(st.sampled_from(PLACES))
    near = st.integers(-5, 70).map(lambda days: (start + timedelta(days=days)).date())
    calendar = {
        "country": country,
        "subdivision": part,
        "window": draw(st.sampled_from(WINDOWS)),
        "days": draw(st.sampled_from([None, ["sun", "mon", "tue"], ["sat"], ["mon", "fri"]])),
        "closed": draw(st.lists(near, max_size=4)),
        "open": draw(st.lists(near, max_size=2)),
    }
    return {
        "tenant": "acme",
        "id": "q4",
        "start": start.isoformat(),
        "due": due.isoformat(),
        "owner": "grc@acme.example",
        "time_zone": draw(st.sampled_from(CHANGING)),
        "calendar": {name: value for name, value in calendar.items() if value is not None},
        "cap_per_week": draw(st.sampled_from([None, 1, 2, 3])),
        "rule": draw(rules()),
    }


@st.composite
def reviewers(draw: st.DrawFn, start: str) -> dict[str, Any]:
    country, part = draw(st.sampled_from([(None, None), *PLACES]))
    begin = datetime.fromisoformat(start).date()
    away = sorted(begin + timedelta(days=draw(st.integers(-5, 60))) for _ in range(2))
    given = {
        "to": "anna@acme.example",
        "time_zone": draw(st.one_of(st.none(), st.sampled_from(ZONES))),
        "country": country,
        "subdivision": part,
        "manager": draw(st.sampled_from([None, "boss@acme.example", "grc@acme.example"])),
        "pending": draw(st.sampled_from([None, 1, 5, 0])),
    }
    if draw(st.booleans()):
        given |= {
            "deputy": "carl@acme.example",
            "deputy_from": away[0].isoformat(),
            "deputy_until": away[1].isoformat(),
        }
    return {name: value for name, value in given.items() if value is not None}


@st.composite
def outages(draw: st.DrawFn) -> list[bool]:
    """Whether everything ran, a quarter of a day each: runs of days, and outages of as many."""
    spans = draw(st.lists(st.integers(1, 30), min_size=1, max_size=8))
    first = draw(st.booleans())
    return [first == (number % 2 == 0) for number, span in enumerate(spans) for _ in range(span)]
