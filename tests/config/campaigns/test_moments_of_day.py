"""The hours of a day, when clocks skip some of them or repeat them."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic_core import PydanticCustomError

from certmail_config.campaigns.moments_of_day import (
    Opening,
    Window,
    opening,
    read_window,
    tzdata_version,
    zone,
    zone_names,
)

SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def berlin(day: date, hours: str) -> tuple[str, str]:
    found = opening(day, read_window(hours), zone("Europe/Berlin"))
    assert isinstance(found, Opening)
    return f"{found.begins:%H:%M}", f"{found.ends:%H:%M}"


def test_a_time_that_clocks_skip_moves_forward_by_what_they_skip() -> None:
    assert berlin(SPRING, "02:30-17:00") == ("01:30", "15:00")  # 03:30 there


def test_of_a_time_that_comes_twice_the_first_is_meant() -> None:
    assert berlin(AUTUMN, "02:30-17:00") == ("00:30", "16:00")
    assert berlin(AUTUMN, "01:00-02:30") == ("23:00", "00:30")


def test_a_window_that_clocks_skip_keeps_its_length() -> None:
    assert berlin(SPRING, "02:15-02:45") == ("01:15", "01:45")
    assert berlin(SPRING, "02:30-03:15") == ("01:30", "02:15")


def test_a_day_that_clocks_skip_has_none() -> None:
    assert opening(date(2011, 12, 30), Window(540, 1020), zone("Pacific/Apia")) is None


def test_a_window_that_clocks_move_to_another_day_is_none() -> None:
    saturday = date(2026, 3, 28)
    assert opening(saturday, read_window("23:15-23:45"), zone("America/Scoresbysund")) is None
    assert opening(saturday, read_window("22:15-22:45"), zone("America/Scoresbysund")) is not None


@pytest.mark.parametrize("text", ["09:00-17:00", "9:00 - 17:00", "00:00-24:00"])
def test_a_window_is_read(text: str) -> None:
    assert read_window(text).opens in {0, 540}


@pytest.mark.parametrize(
    "text", ["17:00-09:00", "09:00-09:00", "09:60-17:00", "9-17", "09:00-24:01", 9, None]
)
def test_what_is_none_is_refused(text: object) -> None:
    with pytest.raises(PydanticCustomError, match="not hours of one day"):
        read_window(text)


def test_zones_are_those_of_the_package() -> None:
    assert len(zone_names()) > 590
    assert "Europe/Kyiv" in zone_names()
    assert not zone_names() & {"Factory", "localtime"}
    assert tzdata_version().startswith("20")
    assert zone("Europe/Berlin").key == "Europe/Berlin"
