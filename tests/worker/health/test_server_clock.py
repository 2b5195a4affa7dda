"""A server's clock that leapt ahead is believed when the clocks of this machine agree with it."""

from __future__ import annotations

import pytest

from certmail_worker.health.server_clock import TOLERANCE_SECONDS, Sample, believable

DAY = 1_800_000_000.0
BOOT = 5_000.0
LAST = Sample(server=DAY, boot=BOOT, wall=DAY)


def later(server: float, boot: float, *, wall: float = DAY) -> Sample:
    return Sample(DAY + server, BOOT + boot, wall)


@pytest.mark.parametrize(
    ("now", "believed"),
    [
        pytest.param(later(1, 1), True, id="an ordinary second"),
        pytest.param(later(120, 120), True, id="two minutes went by here, too"),
        pytest.param(later(30 * 86400, 30 * 86400), True, id="a month went by here, too"),
        pytest.param(later(1 + TOLERANCE_SECONDS, 1), True, id="ahead by what is tolerated"),
        pytest.param(later(1.001 + TOLERANCE_SECONDS, 1), False, id="ahead by more"),
        pytest.param(later(86400, 120), False, id="a day in two minutes"),
        pytest.param(later(-86400, 1), True, id="back: the ledger does not go back with it"),
        pytest.param(later(0, 120), True, id="it stood still"),
        pytest.param(
            later(120, 120, wall=DAY - 86400), True, id="our time of day was set, not theirs"
        ),
        pytest.param(later(86400, 1, wall=DAY + 86400), False, id="both were set wrong together"),
    ],
)
def test_it_must_not_go_on_faster_than_ours_since_boot(now: Sample, *, believed: bool) -> None:
    assert believable(LAST, now) is believed


@pytest.mark.parametrize(
    ("ahead", "believed"),
    [(0, True), (59, True), (-59, True), (60, True), (61, False), (-61, False), (86400, False)],
)
def test_at_first_both_must_show_the_same_time_of_day(ahead: float, *, believed: bool) -> None:
    assert believable(None, Sample(DAY + ahead, BOOT, DAY)) is believed
