"""What `certmail send` counts: equal faults as one, and no more in memory than it shows."""

from __future__ import annotations

from datetime import UTC, datetime

from certmail import Receipt
from certmail.files.row import Row
from certmail.files.tally import Occurrences, Tally
from certmail_config.base.errors import ReminderRejected
from certmail_config.jobs.states import State

SOON, LATER = datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 2, tzinfo=UTC)


def wrong(line: int, message: str = "no number") -> tuple[Row, ReminderRejected]:
    why = ReminderRejected("invalid_number", message, field="pending")
    return Row(line, why, left_out=[("name", "NULL")]), why


def test_equal_faults_are_counted_with_the_first_lines() -> None:
    tally = Tally(details=False)

    for line in range(2, 302):
        tally.reject(*wrong(line))
        tally.count_left_out(wrong(line)[0])

    tally.reject(*wrong(400, "too many"))
    assert tally.rejected == 301
    assert {fault[2]: str(alike) for fault, alike in tally.faults.items()} == {
        "no number": "2, 3, 4, 5, 6 … (300)",
        "too many": "400",
    }
    assert tally.left_out["name", "NULL"].count == 300
    assert str(Occurrences(2, [7, 9])) == "7, 9"


def test_without_details_it_stays_small_and_with_them_each_row_is_told() -> None:
    small, full = Tally(details=False), Tally()
    for tally in (small, full):
        for line in range(3000):
            tally.reject(*wrong(line, f"fault {line}"))
            tally.receive(Receipt(f"j{line}", State.READY, duplicate=False, forecast_at=SOON))
    assert (small.rejected, small.enqueued, len(small.faults)) == (3000, 3000, 1001)
    assert (small.as_json()["rejected"], small.as_json()["receipts"]) == ([], [])
    assert (len(full.as_json()["rejected"]), len(full.as_json()["receipts"])) == (3000, 3000)


def test_receipts_are_counted_by_state_and_the_last_to_leave_is_known() -> None:
    tally = Tally()

    for receipt in [
        Receipt("a", State.READY, duplicate=False, forecast_at=LATER),
        Receipt("b", State.READY, duplicate=False, forecast_at=SOON),
        Receipt("c", State.SCHEDULED, duplicate=False),
        Receipt("d", State.UNCERTAIN, duplicate=True),
    ]:
        tally.receive(receipt)

    assert (tally.taken, tally.enqueued, tally.duplicates) == (4, 3, 1)
    assert (tally.latest, tally.without_forecast) == (LATER, 1)
    assert tally.states[State.UNCERTAIN, True] == 1
