"""How a calendar file is written: what it says comes out again, whatever that is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from certmail_config.compose.calendar import DueEvent, calendar_lines
from certmail_config.compose.calendar.icalendar import sequence
from certmail_config.compose.language import clean
from support.data.calendar_file import read_calendar

NOW = datetime(2026, 12, 8, 9, 30, 15, tzinfo=UTC)
WORDS = st.lists(
    st.text('a ,;:\\"é漢🚀\u200d\u0301אم\r\n', max_size=90) | st.text(max_size=60), max_size=4
).map(lambda parts: clean.line("".join(parts)))


def file(*events: DueEvent, now: datetime = NOW) -> bytes:
    return "".join(f"{line}\r\n" for line in calendar_lines(events, now)).encode()


def event(day: date = date(2026, 12, 11), **words: str) -> DueEvent:
    return DueEvent("u", day, words.get("summary", "s"), (words.get("description", "d"),), None)


@given(summary=WORDS, one=WORDS, other=WORDS)
@example("漢" * 25, "é" * 40, "🚀" * 40)
@example("x" * 66 + " y", "a" * 61 + " b", "\\" * 90)
def test_all_words_come_out_as_they_went_in_and_no_character_is_cut(
    summary: str, one: str, other: str
) -> None:
    written = event()._replace(summary=summary, description=(one, other))
    [read] = read_calendar(file(written))
    assert read.summary == summary
    assert read.description == f"{one}\n{other}"


def test_commas_semicolons_backslashes_and_lines_are_escaped() -> None:
    lines = calendar_lines([event(summary="a,b;c\\d:e\nf")], NOW)
    assert "SUMMARY:a\\,b\\;c\\\\d:e\\nf" in lines


def test_an_entry_is_of_a_whole_day_wherever_its_reader_is() -> None:
    lines = calendar_lines([event(date(2026, 12, 31))], NOW)
    assert "DTSTART;VALUE=DATE:20261231" in lines
    assert "DTEND;VALUE=DATE:20270101" in lines
    assert "DTSTAMP:20261208T093015Z" in lines
    assert not any(
        line.startswith(("TZ", "ORGANIZER", "ATTENDEE", "BEGIN:VALARM")) for line in lines
    )


def test_the_last_day_that_there_is_has_none_after_it() -> None:
    assert read_calendar(file(event(date.max)))[0].day == date.max


def test_what_is_written_later_has_a_greater_sequence() -> None:
    moments = [NOW + timedelta(seconds=n * n * 977) for n in range(500)]
    found = [sequence(moment) for moment in moments]
    assert found == sorted(set(found))
    assert sequence(NOW.astimezone()) == sequence(NOW)
    assert sequence(datetime(987, 1, 1, tzinfo=UTC)) == 0
    assert sequence(datetime(9999, 1, 1, tzinfo=UTC)) == 2**31 - 1
