"""When a message comes again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from certmail_config.webhooks.schedule import MAX_RETRY_AFTER, STEPS, retry_after, wait_before

NOW = datetime(2026, 11, 25, 15, 20, tzinfo=UTC)


def test_the_steps_are_those_of_the_standard() -> None:
    minutes, hours = 60, 3600
    assert (0, 5, 5 * minutes, 30 * minutes, 2 * hours, 5 * hours, 10 * hours, 10 * hours) == STEPS


def test_there_are_eight_attempts_and_each_step_is_up_to_a_fifth_longer() -> None:
    assert [wait_before(n, 0) for n in range(1, 10)] == [*STEPS, None]
    assert wait_before(2, 0.5) == 5.5
    assert wait_before(3, 1) == 360


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120),
        (" 0 ", 0),
        ("999999999999", MAX_RETRY_AFTER),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("Wed, 25 Nov 2026 15:22:00 GMT", 120),
        ("Wed, 25 Nov 2026 16:22:00 +0100", 120),
        ("Wed, 25 Nov 2026 15:22:00 -0000", 120),
        ("Wed, 25 Nov 2020 15:22:00 GMT", 0),
        ("Wed, 25 Nov 2099 15:22:00 GMT", MAX_RETRY_AFTER),
        ("Wed, 99 Nov 2026 15:22:00 GMT", None),
    ],
)
def test_retry_after_in_either_form_within_a_bound(header: str | None, seconds: float) -> None:
    assert retry_after(header, NOW) == seconds
