"""The bytes of a mail are those that the standard library's `EmailMessage` makes of the same words.

Evidence hashes the bytes, so they must not change with a release of Python either: what this
release makes is compared, and what all must make is on record.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from hashlib import sha256
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from certmail_config.compose import ComposeError, Letter, Look, compose
from certmail_config.compose.calendar import calendar_lines, due_events
from certmail_config.compose.content import content
from certmail_config.compose.pages import html_page, text_page
from certmail_config.compose.wire.bodies import Body, body_of_lines
from certmail_config.compose.wire.frames import frame
from certmail_config.compose.wire.message import message
from support.data.email_message import judged

Make = Callable[..., Letter]

KINDS = ["notice", "reminder", "final"]
LOCALES = [
    "en-GB",
    "en-US",
    "de",
    "de-CH",
    "fr",
    "fr-CA",
    "es-MX",
    "pl",
    "ja",
    "ar-EG",
    "zh",
    "xx",
    None,
]
NOW = datetime(2026, 12, 8, 9, tzinfo=UTC)
NOTHING = ("name", "campaign_name", "due_at", "pending", "completed", "link", "reply_to")
STATES: dict[str, dict[str, Any]] = {
    "open": {},
    "nothing made": {"completed": 0},
    "one open": {"pending": 1, "completed": 19},
    "all made": {"pending": 0, "completed": 20},
    "only the made known": {"pending": None},
    "many": {"pending": 123_456, "completed": 1_000_000},
    "due tomorrow": {"due_at": NOW + timedelta(days=1)},
    "due today": {"due_at": NOW + timedelta(hours=3)},
    "missed today": {"due_at": NOW - timedelta(minutes=1)},
    "missed last year": {"due_at": NOW - timedelta(days=400)},
    "due on a day": {"due_at": date(2026, 12, 11)},
    "no zone": {"time_zone": None, "due_at": NOW.astimezone(timezone(timedelta(hours=-3)))},
    "nothing known": dict.fromkeys(NOTHING),
    "no link": {"link": None},
    "long link": {"link": "https://iga.example/?state=" + "0123456789=&é" * 140},
    "link in letters of the world": {"link": "https://straße.example/r/7?q=ü&r='\"<>"},
    "link to an address": {"link": "http://[2001:db8::1]:8443/r/7"},
    "no reply": {"reply_to": " "},
    "sender in letters of the world": {"sender": "r@xn--strae-oqa.example"},
    "sender at a long domain": {"sender": "r@" + "department-of-long-names." * 8 + "example"},
    "long recipient": {"to": "a" * 150 + "@example.com"},
    "old date": {"now": datetime(987, 1, 2, 3, 4, 5, tzinfo=UTC)},
    "id in capitals": {"job_id": "01937E6C-5A00-7000-8000-0000000000AA"},
}
NAMES = [
    "John Smith", "Smith, John", "María López", "Łukasz Żółć-Źrebięcki", "山田太郎", "דנה לוי",
    "محمد بن سلمان", "דנה Levi", "हिन्दी नाम", "ไทยชื่อ", "Zoë 🚀 Noël", "👩‍👩‍👧‍👦" * 20, "x" * 90, "Ž" * 80,
    "漢字" * 50, "=" * 70, "é=" * 40, "; semicolons, commas, " * 6, "word " * 30, "=?utf-8?q?x?= y",
    '"><script>alert(1)</script>', "{organisation} %s {0}", "x\r\nBcc: eve@evil.example", "\u202eevil",
    "eve@evil.example, and so on and on until the line is too long for one line, and then some",
    "a\tb", "O'Brien & Söhne <x@y>", "-- ", "From here", ".",
]  # fmt: skip


def encoded(page: str) -> Body:
    """A page without gaps."""
    return frame(page).filled(())


def own_and_judged(letter: Letter) -> tuple[bytes, bytes]:
    mail = compose(letter)
    shown = content(letter)
    return mail.raw, judged(letter, mail.subject, mail.locale, text_page(shown), html_page(shown))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_in_every_language_and_state(
    letter: Make, kind: str, locale: str | None
) -> None:
    for state, changes in STATES.items():
        own, theirs = own_and_judged(
            letter(**{"kind": kind, "locale": locale, "now": NOW, **changes})
        )
        assert own == theirs, state


@pytest.mark.parametrize("locale", ["en-GB", "pl", "ja"])
@pytest.mark.parametrize("field", ["name", "sender_name", "campaign_name", "organisation"])
def test_every_kind_of_name_in_every_place(letter: Make, field: str, locale: str) -> None:
    for name in NAMES:
        own, theirs = own_and_judged(letter(locale=locale, **{field: name}))
        assert own == theirs, name


@pytest.mark.parametrize("locale", LOCALES)
def test_the_calendar_of_every_kind_and_state(letter: Make, locale: str | None) -> None:
    brought = 0
    for kind, (state, changes) in product(KINDS, STATES.items()):
        made = letter(**{"kind": kind, "locale": locale, "now": NOW, **changes})
        mail, shown = compose(made, Look(calendar=True)), content(made)
        events = due_events(made, shown)
        brought += len(events)
        lines = "\n".join(calendar_lines(events, made.now)) + "\n" if events else None
        pages = text_page(shown), html_page(shown)
        assert mail.raw == judged(made, mail.subject, mail.locale, *pages, lines), state
    assert brought > 40


SCRIPTS = "aZ09 -'.,;:@<>()[]\"\\=?_&{}%\t\r\n\u00a0éßłżωЖ漢語あ한अनิדלم\u200d\u200e🚀👩e\u0301"
WORDS = st.none() | st.lists(
    st.sampled_from(NAMES) | st.text(SCRIPTS, max_size=90) | st.text(max_size=40), max_size=3
).map("".join)
LETTERS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(KINDS),
        "locale": st.sampled_from(LOCALES),
        "name": WORDS,
        "sender_name": WORDS,
        "campaign_name": WORDS,
        "organisation": WORDS.map(lambda words: words or ""),
        "reply_to": st.none() | st.emails(domains=st.sampled_from(["acme.example", "b.co"])),
        "pending": st.none() | st.integers(-2, 2_000_000),
        "completed": st.none() | st.integers(-2, 2_000_000),
        "due_at": st.none()
        | st.dates(date(2020, 1, 1), date(2030, 1, 1))
        | st.datetimes(datetime(2026, 11, 1), datetime(2027, 2, 1), timezones=st.timezones()),  # noqa: DTZ001
        "time_zone": st.none() | st.timezone_keys(),
        "now": st.datetimes(datetime(2026, 12, 1), datetime(2027, 1, 31), timezones=st.just(UTC)),  # noqa: DTZ001
        "link": st.none()
        | st.text("aé=&?/%'\"<>漢0123456789", max_size=1200).map("https://iga.example/{}".format),
        "job_id": st.uuids().map(str),
    }
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(parts=LETTERS)
def test_whatever_words_come_together(letter: Make, parts: dict[str, Any]) -> None:
    made = letter(**parts)
    try:
        own, theirs = own_and_judged(made)
    except ComposeError as error:
        # No link is as long, and no address holds such characters: refused before anything is written.
        assert "No mail can carry its link" in str(error) or "address" in str(error)  # noqa: PT017
    else:
        assert own == theirs


# Any text for a page, not only such as the templates make: lines of every length and ending in an
# escape anywhere, and shares of what is not ASCII on both sides of where base64 begins.
LINES = st.text('ab =é漢🚀.-"', max_size=200).map(str.rstrip)
PAGES = st.lists(LINES, min_size=1, max_size=8).map("\n".join).filter(bool)
ENDS = st.sampled_from(["", "\n"])


@settings(max_examples=200, deadline=None)
@given(subject=st.text("ab;, =?_é漢🚀", min_size=1, max_size=200), text=PAGES, html=PAGES, end=ENDS)
@example("a", "é" + "a" * 9, "é" + "a" * 10, "\n")
@example("a", "é" + "a" * 9, "é" + "a" * 10, "")
@example("a", "-- ", "\n\n" + "a" * 75 + "é\n" + "a" * 76 + "\n" + "a" * 77, "\n")
def test_whatever_the_pages_are(letter: Make, subject: str, text: str, html: str, end: str) -> None:
    subject, text, html = " ".join(subject.split()) or "a", text + end, html + end
    own = message(letter(), subject, "en", encoded(text), encoded(html))
    assert own == judged(letter(), subject, "en", text, html)

    lines = text.split("\n")
    own = message(letter(), subject, "en", encoded(text), encoded(html), body_of_lines(lines))
    assert own == judged(letter(), subject, "en", text, html, "\n".join(lines) + "\n")


def test_an_id_at_a_domain_of_any_length(letter: Make) -> None:
    for length in range(1, 120):
        domain = "department." * 12
        sender = f"r@{domain[: length - 1].rstrip('.')}x"
        own, theirs = own_and_judged(letter(sender=sender))
        assert own == theirs, length


def fixed() -> Iterator[bytes]:
    """Messages of words that depend on no catalogue, no CLDR and no template."""
    for number, (name, subject) in enumerate(product(NAMES[:13], ["Reminder: Q4", "短い · ü" * 9])):
        made = Letter(
            job_id=str(UUID(int=number)),
            kind="reminder",
            sender="r@" + "long-names." * (number % 9) + "example",
            sender_name=name[::-1],
            reply_to=None,
            to="maria.lopez@acme.example",
            name=name,
            campaign_name=None,
            due_at=None,
            pending=None,
            completed=None,
            link=None,
            locale=None,
            time_zone=None,
            organisation="",
            now=NOW + timedelta(days=number, seconds=number),
        )
        text = f"{name * 3}\n\n-- \n{subject}\n"
        yield message(made, subject, "en", encoded(text), encoded(f'<p class="a=b">{text}</p>\n'))


def test_no_release_of_python_changes_the_bytes() -> None:
    digest = sha256(b"".join(fixed())).hexdigest()
    assert digest == "3fb547f0c4d09f17459f15401857f47d38c8d09af0db77270b376f168dfc10fe", (
        "evidence hashes the bytes of mails: they must not change"
    )
