import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice, product
from typing import Any

import pytest

from certmail_config.compose import Letter
from certmail_config.compose.content import Content, content
from certmail_config.compose.language.catalogue import catalogue
from certmail_config.compose.pages import html_page, text_page

Make = Callable[..., Letter]
Seen = Callable[[str], str]

LANGUAGES = ["en", "de", "es", "fr", "ja", "pl", "ar", "he", "it", "nl", "pt", "zh"]
UNSEEN = re.compile("[\u200b\u200e\u200f\u2068\u2069]")
KINDS = ["notice", "reminder", "final"]
EARLY = datetime(2026, 12, 8, 9, 0, tzinfo=UTC)
LATE = datetime(2026, 12, 20, 9, 0, tzinfo=UTC)
OPTIONAL: dict[str, list[Any]] = {
    "name": [None, "Zoë Noël"],
    "campaign_name": [None, "Q4 (EMEA)"],
    "due_at": [None, datetime(2026, 12, 11, 16, 0, tzinfo=UTC)],
    "pending": [None, 0, 1, 12],
    "completed": [None, 30],
    "link": [None, "https://iga.acme.example/r/1"],
    "now": [EARLY, LATE],
}


def combinations() -> Iterator[dict[str, Any]]:
    return (dict(zip(OPTIONAL, values, strict=True)) for values in product(*OPTIONAL.values()))


def facts(composed: Content) -> list[str]:
    """What both bodies must say."""
    known: list[object] = [composed.headline, composed.greeting, composed.ask, *composed.footer]
    if composed.progress:
        known += [
            composed.progress.sentence,
            *([composed.progress.done] if composed.progress.done else []),
        ]
    if composed.due:
        known += [composed.due.label, composed.due.moment, composed.due.zone, composed.due.relative]
    known += [composed.button, composed.link] if composed.link else [composed.no_link]
    return [str(fact) for fact in known]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_missing_the_text_reads_naturally_and_both_bodies_say_the_same(
    letter: Make, seen: Seen, language: str, kind: str
) -> None:
    # Each language for itself with a share of them: all are met in several languages.
    for parts in islice(combinations(), LANGUAGES.index(language) % 3, None, 3):
        composed = content(
            letter(
                kind=kind, locale=language, reply_to=parts["link"] and "help@acme.example", **parts
            )
        )
        # Where a headline without blanks may break nobody sees.
        text, page = text_page(composed), seen(html_page(composed))
        text, page = (UNSEEN.sub("", each) for each in (text, page))

        for fact in facts(composed):
            assert UNSEEN.sub("", fact) in text
            assert UNSEEN.sub("", fact) in page

        for reading in (composed.subject, composed.preheader, text, page):
            assert not re.search(
                r"None|[{}]|  |\t|\(\)|“”|«\s*»|「」| [,.;]|[,:;]\.|\.\.", reading
            ), reading

        for line in text.splitlines():
            assert line == ("-- " if line == "-- " else line.strip())
            assert not re.match(r"[,.:;·\u2013)]", line), text
            assert not re.search(r"[·(\u2013]$", line), text

        assert "\n\n\n" not in text
        assert sorted(set(re.findall(r"\d+", text))) == sorted(set(re.findall(r"\d+", page)))


def test_the_catalogues_speak_different_languages(letter: Make) -> None:
    composed = [text_page(content(letter(locale=language))) for language in LANGUAGES]
    assert len(set(composed)) == len(LANGUAGES)


def test_a_reminder_says_who_asks_what_is_open_and_by_when(letter: Make) -> None:
    assert text_page(content(letter())) == (
        "12 access decisions are waiting for you\n\n"
        "Hello María López,\n\n"
        "In the access review “Quarterly access review Q4 2026”, Acme Corporation is still waiting for you to decide"
        " who keeps their access.\n\n"
        "12 of 20 decisions open (40% done)\n"
        "Due: Friday, 11 December 2026 at\u00a017:00 (Central European Time) \u2013 in 3 days\n\n"
        "Review access: https://iga.acme.example/campaigns/q4-2026/reviews/8f3a2c71\n\n"
        "-- \n"
        "You are receiving this email because Acme Corporation has named you as a reviewer.\n"
        "It was sent automatically.\n"
        "Questions? Write to iga-help@acme.example\n"
    )


@pytest.mark.parametrize(
    ("locale", "end", "in_subject"),
    [
        ("en-GB", "Friday, 11 December 2026, end of day", "11 December"),
        ("de", "Freitag, 11. Dezember 2026, Ende des Tages", "11. Dezember"),
        ("fr", "vendredi 11 décembre 2026, fin de la journée", "11 décembre"),
        ("es", "viernes, 11 de diciembre de 2026, al final del día", "11 de diciembre"),
        ("pl", "piątek, 11 grudnia 2026, do końca dnia", "11 grudnia"),
        ("ja", "2026年12月11日金曜日いっぱい", "12月11日"),
    ],
)
@pytest.mark.parametrize(
    "due", [date(2026, 12, 11), datetime.fromisoformat("2026-12-12T00:00+01:00")]
)
def test_what_is_due_until_midnight_is_due_until_the_end_of_the_day_before(
    letter: Make, due: date, locale: str, end: str, in_subject: str
) -> None:
    composed = content(letter(due_at=due, locale=locale))
    assert composed.due is not None
    assert str(composed.due.moment) == end
    assert end in text_page(composed)
    assert composed.subject.endswith(in_subject)
    assert composed.due.relative.values == (("count", "3"),)


def test_a_date_of_which_nobody_said_where_names_no_zone(letter: Make, seen: Seen) -> None:
    composed = content(letter(due_at=date(2026, 12, 11), time_zone=None))
    line = "Friday, 11 December 2026, end of day"
    assert f"Due: {line} \u2013 in 3 days\n" in text_page(composed)
    assert line in seen(html_page(composed)).splitlines()


def test_the_barest_reminder_is_still_a_letter(letter: Make) -> None:
    bare = dict.fromkeys(
        (
            "name",
            "campaign_name",
            "due_at",
            "pending",
            "completed",
            "link",
            "locale",
            "time_zone",
            "reply_to",
        )
    )

    assert text_page(content(letter(**bare))) == (
        "Your access review is waiting for you\n\n"
        "Hello,\n\n"
        "Acme Corporation is still waiting for you to decide who keeps their access.\n\n"
        "Please make your decisions in the system that Acme Corporation uses for access reviews.\n\n"
        "-- \n"
        "You are receiving this email because Acme Corporation has named you as a reviewer.\n"
        "It was sent automatically.\n"
    )


@pytest.mark.parametrize(
    ("kind", "now", "label", "headline", "tone", "relative"),
    [
        (
            "notice",
            "2026-12-01",
            "New access review",
            "Your access review has begun",
            "calm",
            "in 10 days",
        ),
        (
            "reminder",
            "2026-12-08",
            "Reminder",
            "12 access decisions are waiting for you",
            "calm",
            "in 3 days",
        ),
        (
            "reminder",
            "2026-12-10",
            "Reminder",
            "12 access decisions are waiting for you",
            "soon",
            "tomorrow",
        ),
        (
            "final",
            "2026-12-08",
            "Last reminder",
            "Your access review ends soon",
            "calm",
            "in 3 days",
        ),
        (
            "final",
            "2026-12-04",
            "Last reminder",
            "Your access review ends soon",
            "calm",
            "in 7 days",
        ),
        (
            "final",
            "2026-12-03",
            "Last reminder",
            "12 access decisions are waiting for you",
            "calm",
            "in 8 days",
        ),
        (
            "final",
            "2026-12-10",
            "Last reminder",
            "Your access review is due tomorrow",
            "soon",
            "tomorrow",
        ),
        (
            "final",
            "2026-12-11",
            "Last reminder",
            "Your access review is due today",
            "soon",
            "today",
        ),
        (
            "final",
            "2026-12-12",
            "Overdue",
            "Your access review is overdue",
            "late",
            "was due yesterday",
        ),
        (
            "reminder",
            "2026-12-13",
            "Overdue",
            "Your access review is overdue",
            "late",
            "overdue for 2 days",
        ),
    ],
)
def test_each_kind_has_its_own_tone(
    letter: Make, kind: str, now: str, label: str, headline: str, tone: str, relative: str
) -> None:
    composed = content(letter(kind=kind, now=datetime.fromisoformat(f"{now}T09:00:00+00:00")))
    assert (str(composed.label), str(composed.headline), composed.tone) == (label, headline, tone)
    assert composed.due is not None
    assert str(composed.due.relative) == relative


@pytest.mark.parametrize(
    ("changes", "subject"),
    [
        ({}, "Reminder: Quarterly access review Q4 2026 · 12 open · due 11 December"),
        ({"pending": None, "due_at": None}, "Reminder: Quarterly access review Q4 2026"),
        ({"campaign_name": None, "pending": 0}, "Reminder: your access review · due 11 December"),
        ({"locale": "de", "kind": "notice"}, "Zugriffsprüfung hat begonnen: Quarterly access review Q4 2026 · 12 offen · fällig am 11. Dezember"),
        ({"now": LATE}, "Overdue: Quarterly access review Q4 2026 · 12 open"),
        ({"now": datetime(2026, 12, 10, 9, tzinfo=UTC)}, "Reminder: Quarterly access review Q4 2026 · 12 open · due tomorrow"),
        ({"now": datetime(2026, 12, 11, 9, tzinfo=UTC)}, "Reminder: Quarterly access review Q4 2026 · 12 open · due today"),
        # It is 2027 already where the reviewer is.
        ({"now": datetime(2026, 12, 31, 23, 30, tzinfo=UTC), "due_at": date(2027, 1, 9)}, "Reminder: Quarterly access review Q4 2026 · 12 open · due 9 January"),
        ({"due_at": date(2027, 1, 9)}, "Reminder: Quarterly access review Q4 2026 · 12 open · due 9 January 2027"),
        ({"due_at": datetime(2028, 12, 11, 16, tzinfo=UTC), "locale": "en-US"}, "Reminder: Quarterly access review Q4 2026 · 12 open · due December 11, 2028"),
        ({"due_at": date(2028, 12, 11), "locale": "es"}, "Recordatorio: Quarterly access review Q4 2026 · 12 pendientes · vence el 11 de diciembre de 2028"),
    ],
)  # fmt: skip
def test_the_subject_names_the_campaign_what_is_open_and_the_day(
    letter: Make, changes: dict[str, Any], subject: str
) -> None:
    assert content(letter(**changes)).subject == subject


@pytest.mark.parametrize(
    ("pending", "completed", "sentence", "percent"),
    [
        (12, 8, "12 of 20 decisions open", 40),
        (1, 0, "1 decision open", None),
        (12, 0, "12 decisions open", None),
        (1, 999, "1 of 1,000 decisions open", 99),
        (999, 1, "999 of 1,000 decisions open", 1),
        (0, 3, "All 3 decisions are made", 100),
        (0, 1, "Your decision is made", 100),
        (1, None, "1 decision open", None),
        (None, 2, "2 decisions made so far", None),
    ],
)
def test_progress_tells_exactly_what_the_numbers_tell(
    letter: Make, pending: int | None, completed: int | None, sentence: str, percent: int | None
) -> None:
    progress = content(letter(pending=pending, completed=completed)).progress
    assert progress is not None
    assert (str(progress.sentence), progress.percent) == (sentence, percent)


@pytest.mark.parametrize(
    ("pending", "completed"),
    [(None, None), (0, 0), (10**40, None), (0, None), (None, 0), (-3, None), (-1, -1)],
)
def test_numbers_that_tell_nothing_are_left_out(
    letter: Make, pending: int | None, completed: int | None
) -> None:
    assert content(letter(pending=pending, completed=completed)).progress is None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_only_what_ends_within_a_week_ends_soon(letter: Make, language: str, kind: str) -> None:
    soon = str(catalogue(language).say("final.headline"))
    headlines = {
        days: str(
            content(
                letter(kind=kind, locale=language, due_at=EARLY + timedelta(days=days))
            ).headline
        )
        for days in (2, 7, 8, 60, 800)
    }

    assert soon not in [headlines[8], headlines[60], headlines[800]]
    assert (headlines[2] == headlines[7] == soon) == (kind == "final")
    assert str(content(letter(kind=kind, locale=language, due_at=None)).headline) != soon, (
        "nobody knows"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_subject_and_body_call_the_day_the_same(letter: Make, language: str) -> None:
    for days, key in ((0, "due.today"), (1, "due.day")):
        composed = content(letter(locale=language, due_at=EARLY + timedelta(days=days, hours=1)))
        near = str(catalogue(language).say(key))
        assert composed.due is not None
        assert str(composed.due.relative) == near
        assert near in composed.subject.rpartition("·")[2]
        assert not re.search(r"\d", composed.subject.rpartition("·")[2])


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_is_to_finish_what_they_were_never_asked_to_begin(
    letter: Make, language: str
) -> None:
    asked = {
        kind: str(content(letter(kind=kind, locale=language, now=LATE)).button) for kind in KINDS
    }
    assert asked["notice"] == str(catalogue(language).say("notice.button"))
    assert asked["reminder"] == asked["final"] == str(catalogue(language).say("late.button"))


@pytest.mark.parametrize(
    "name", ["\u200d", "\u2800", "\u3164\u115f", "\u200c \u0301", "\ufe0f\u00ad", "\u2800 \u2800"]
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_name_that_nobody_sees_greets_as_if_there_were_none(
    letter: Make, language: str, name: str
) -> None:
    composed = content(letter(locale=language, name=name, campaign_name=name, organisation=name))
    assert composed == content(
        letter(locale=language, name=None, campaign_name=None, organisation="acme.example")
    )


def test_an_organisation_without_a_name_is_known_by_its_domain(letter: Make) -> None:
    assert str(content(letter(organisation=" \n")).organisation) == "acme.example"


def test_very_long_names_are_cut_where_words_end(letter: Make) -> None:
    composed = content(
        letter(campaign_name="Quarterly review of everything " * 20, organisation="Acme " * 90)
    )
    assert len(composed.subject) < 120
    assert (
        "everything…" in composed.subject
        or "of…" in composed.subject
        or "review…" in composed.subject
    )
    assert len(str(composed.ask)) < 360
