"""The report of a chaos test: what it says of punctuality."""

from __future__ import annotations

from chaos.report import Punctuality, compared, punctuality


def test_punctuality_is_the_median_and_what_nineteen_of_twenty_are_within() -> None:
    found = punctuality([float(n) for n in range(1, 101)])
    assert str(found) == "median 50.50 s, 95 % within 95.95 s"
    assert punctuality([]) == Punctuality(0.0, 0.0)
    assert punctuality([2.0]) == Punctuality(2.0, 2.0)


def test_two_storms_are_compared_in_percent() -> None:
    line = compared(Punctuality(2.0, 10.0), Punctuality(2.1, 9.0))
    assert line.endswith(
        "against median 2.00 s, 95 % within 10.00 s without: median +5 %, 95 % -10 %"
    )
    assert compared(Punctuality(0.0, 0.0), Punctuality(1.0, 1.0)).endswith("median ?, 95 % ?")
