"""Days and moments as sentences name them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from certmail_config.base.dates import day, moment


def test_a_moment_is_written_in_utc_whatever_its_zone() -> None:
    assert moment(datetime(2026, 12, 2, 15, 20, 59, tzinfo=UTC)) == "2 Dec 2026, 15:20 UTC"
    west = datetime(2026, 12, 31, 23, 5, tzinfo=timezone(timedelta(hours=-5)))
    assert (day(west), moment(west)) == ("1 Jan 2027", "1 Jan 2027, 04:05 UTC")
