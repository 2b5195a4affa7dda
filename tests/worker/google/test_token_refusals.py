"""What is remembered of refused tokens: nobody asks too soon, and one answer stops nothing."""

from __future__ import annotations

import pytest

from certmail_config.google.token_errors import Blame, Denied
from certmail_worker.google.token_refusals import MARGIN_SECONDS, TokenRefusal, refused

NOW = 1_000_000.0
CONFIRM = 60.0
GONE = Denied(Blame.CUSTOMER, "grant_revoked", "It was withdrawn.", "Link the account again.")
AWAY = Denied(Blame.NOBODY, "token_unavailable", "No answer.", "It is tried again.")
WRONG = Denied(Blame.OPERATOR, "clock_wrong", "The clock is wrong.", "Set it.")


def again(*refusals: tuple[Denied, float]) -> TokenRefusal:
    known: TokenRefusal | None = None
    for denied, at in refusals:
        known = refused(known, denied, NOW + at, CONFIRM)
    assert known is not None
    return known


def test_the_first_refusal_of_a_customers_connection_is_not_believed() -> None:
    first = again((GONE, 0))
    assert not first.denied.confirmed
    assert first.again_at == NOW + CONFIRM


def test_the_same_a_minute_later_is() -> None:
    assert again((GONE, 0), (GONE, CONFIRM)).denied.confirmed
    assert not again((GONE, 0), (GONE, CONFIRM - 1)).denied.confirmed


def test_the_minute_counts_from_the_first_of_a_row() -> None:
    assert again((GONE, 0), (GONE, 20), (GONE, 40), (GONE, 60)).denied.confirmed


def test_what_google_failed_to_answer_confirms_nothing() -> None:
    after_trouble = again((AWAY, 0), (GONE, CONFIRM))
    assert not after_trouble.denied.confirmed
    assert not again((GONE, 0), (AWAY, 30)).denied.confirmed
    assert not again((GONE, 0), (AWAY, 30), (GONE, CONFIRM)).denied.confirmed


def test_what_is_certain_needs_no_second_answer() -> None:
    expired = Denied(
        Blame.CUSTOMER, "certificate_expired", "It ended.", "Rotate it.", confirmed=True
    )
    assert again((expired, 0)).denied.confirmed


@pytest.mark.parametrize("denied", [AWAY, WRONG])
def test_an_endpoint_that_does_not_serve_is_asked_ever_less_often(denied: Denied) -> None:
    first = again((denied, 0))
    assert 2 <= first.again_at - NOW <= 3
    later = again(*((denied, float(n)) for n in range(20)))
    assert 300 <= later.again_at - NOW - 19 <= 301


def test_a_time_that_google_names_is_waited_for_and_a_second_more() -> None:
    for denied in (AWAY, GONE, WRONG):
        named = Denied(denied.blame, denied.code, denied.message, denied.remedy, wait=600)
        assert again((named, 0)).again_at == NOW + 600 + MARGIN_SECONDS


def test_who_asks_meanwhile_is_told_for_how_long() -> None:
    assert again((GONE, 0)).until_then(NOW + 20).wait == CONFIRM - 20
    assert again((GONE, 0)).until_then(NOW + 2 * CONFIRM).wait == 0
