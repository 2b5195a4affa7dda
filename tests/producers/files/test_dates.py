"""Dates and times as people write them: read where there is only one way, else asked for."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certmail.files.dates import DateDefaults, DateOrder, known_zone, normalize
from certmail_config.base.errors import ReminderRejected, WrongUse

ZURICH = "Europe/Zurich"
NONE = DateDefaults()


class TestDays:
    @pytest.mark.parametrize(
        "text",
        [
            "2026-12-31", "31.12.2026", "31. 12. 2026", "2026/12/31", "2026.12.31", "2026. 12. 31.",
            "2026年12月31日", "31/12/2026", "12/31/2026", "31-12-2026",
            "31-Dec-2026", "31 December 2026", "DEC 31, 2026", "December 31 2026", "  31.12.2026 ",
        ],
    )  # fmt: skip
    def test_are_read_where_there_is_one_way_to(self, text: str) -> None:
        assert normalize("due_at", text, None, NONE) == "2026-12-31"

    def test_the_order_is_asked_for_where_both_are_days(self) -> None:
        with pytest.raises(ReminderRejected) as raised:
            normalize("due_at", "03/04/2026", ZURICH, NONE)
        assert (raised.value.code, raised.value.field) == ("ambiguous_date", "due_at")

        for order, day in [(DateOrder.DMY, "2026-04-03"), (DateOrder.MDY, "2026-03-04")]:
            assert normalize("due_at", "03/04/2026", None, DateDefaults(date_order=order)) == day

        assert normalize("due_at", "04/04/2026", None, NONE) == "2026-04-04"
        assert normalize("due_at", "03.04.2026", None, NONE) == "2026-04-03", "dots have one order"

    def test_one_that_expires_lasts_to_its_end_and_one_that_is_sent_begins_at_its_start(
        self,
    ) -> None:
        assert normalize("expires_at", "31.12.2026", ZURICH, NONE) == "2026-12-31T23:59:59+01:00"
        assert normalize("send_at", "31.12.2026", ZURICH, NONE) == "2026-12-31T00:00:00+01:00"

    @pytest.mark.parametrize(
        "text",
        [
            "31.12.26", "31/31/2026", "30.02.2026", "tomorrow", "46387", "31. Dezember 2026",
            "31.12.2026 25:00", "31.12.2026 13:00 PM", "2026-12", "", "Q4", "-", "2026-12-31Z",
            "01.01.0001 00:00", "31.12.9999 23:00", "31.12.2026 x",
        ],
    )  # fmt: skip
    def test_whatever_else_is_left_to_the_contract(self, text: str) -> None:
        assert normalize("due_at", text, ZURICH, NONE) == text


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "read"),
        [
            ("2026-12-31 17:00", "2026-12-31T17:00:00+01:00"),
            ("31.12.2026 17:00:30", "2026-12-31T17:00:30+01:00"),
            ("2026-07-31T17:00:00.000", "2026-07-31T17:00:00+02:00"),
            ("12/31/2026 5:00 PM", "2026-12-31T17:00:00+01:00"),
            ("12/31/2026, 12:05 a.m.", "2026-12-31T00:05:00+01:00"),
            ("31/12/2026 17h00", "2026-12-31T17:00:00+01:00"),
            ("31.12.2026 17:00+02:00", "2026-12-31T17:00:00+02:00"),
            ("31.12.2026 17:00 Z", "2026-12-31T17:00:00Z"),
            ("2026-12-31T17:00:00+01:00", "2026-12-31T17:00:00+01:00"),
            ("2026-12-31 17:00Z", "2026-12-31 17:00Z"),
        ],
    )
    def test_are_in_the_rows_zone_where_they_name_none(self, text: str, read: str) -> None:
        assert normalize("due_at", text, ZURICH, DateDefaults("Asia/Tokyo")) == read

    def test_or_in_the_files_or_rejected(self) -> None:
        read = normalize("due_at", "2026-12-31 17:00", None, DateDefaults("Asia/Tokyo"))
        assert read == "2026-12-31T17:00:00+09:00"
        for field in ("due_at", "send_at", "expires_at"):
            with pytest.raises(ReminderRejected) as raised:
                normalize(field, "2026-12-31 17:00", None, NONE)
            assert (raised.value.code, raised.value.field) == ("time_without_zone", field)

    @pytest.mark.parametrize(
        ("text", "code"),
        [("29.03.2026 02:30", "no_such_time"), ("25.10.2026 02:30", "ambiguous_time")],
    )
    def test_that_summer_time_skips_or_doubles_are_asked_for(self, text: str, code: str) -> None:
        with pytest.raises(ReminderRejected) as raised:
            normalize("due_at", text, ZURICH, NONE)
        assert raised.value.code == code

    def test_in_a_zone_that_does_not_exist_are_left_for_the_contract_to_refuse(self) -> None:
        assert normalize("due_at", "2026-12-31 17:00", "Mars", NONE) == "2026-12-31T17:00:00Z"
        with pytest.raises(WrongUse):
            known_zone("localtime")

    @given(st.text(alphabet="0123456789-/.:TZ APMdec年月日+", max_size=25))
    def test_any_text_is_read_or_left_or_rejected(self, text: str) -> None:
        with suppress(ReminderRejected):
            assert normalize("due_at", text, ZURICH, NONE) is not None
