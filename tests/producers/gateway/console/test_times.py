"""Times on pages: UTC in words, and marked for the reader's own zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from certmail.gateway.console.times import day, marked, moment
from certmail_config.base import dates

AT = datetime(2026, 12, 2, 15, 20, tzinfo=UTC)


def test_without_a_script_a_moment_reads_in_utc_and_says_so() -> None:
    there = AT.astimezone(timezone(timedelta(hours=9)))
    assert (
        moment(there, "en")
        == '<time datetime="2026-12-02T15:20:00+00:00" data-moment>2 Dec 2026, 15:20 UTC</time>'
    )
    assert ">2 Dez. 2026, 15:20 UTC<" in moment(AT, "de")
    assert (
        day(AT, "en")
        == '<time datetime="2026-12-02T15:20:00+00:00" data-moment="day">2 Dec 2026</time>'
    )


@pytest.mark.parametrize("month", range(1, 13))
def test_the_moments_in_a_workers_sentence_are_marked(month: int) -> None:
    at = AT.replace(month=month)
    text = marked(f"Google may need until {dates.moment(at)}; since 2026-11-27 03:00 UTC.", "en")
    assert text.count("<time ") == 2
    assert f'datetime="{at.isoformat()}"' in text
    assert 'datetime="2026-11-27T03:00:00+00:00"' in text


def test_a_day_alone_is_marked_too_so_that_a_page_has_one_way_to_write_it() -> None:
    text = marked("The certificate is valid until 2 Dec 2026. Since 2 Dec 2026, 15:20 UTC.", "en")
    noon = AT.replace(hour=12, minute=0)
    assert f"The certificate is valid until {day(noon, 'en')}." in text, (
        "which is the same day nearly everywhere"
    )
    assert text.count("<time ") == 2


def test_a_day_before_a_comma_is_one_as_well() -> None:
    shown = marked("starts on Sat 28 Nov 2026, moved from Sat 28 Nov 2026 (Saturday)", "en")
    assert shown.count("<time ") == shown.count("</time>") == 2


@pytest.mark.parametrize(
    "text", ["99 Dec 2026, 15:20 UTC", "2 Foo 2026, 15:20 UTC", "2026-13-01 00:00 UTC"]
)
def test_what_only_looks_like_a_moment_stays(text: str) -> None:
    assert marked(text, "en") == text


def test_a_sentence_is_escaped_first() -> None:
    assert marked("<b>2 Dec 2026, 15:20 UTC", "en").startswith("&lt;b&gt;<time ")
