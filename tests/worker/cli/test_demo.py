"""`certmail demo`: what its summary says of the day."""

from __future__ import annotations

from certmail_worker.cli.demo import in_words


def test_what_went_wrong_is_said_in_words() -> None:
    faults = [
        "429_retry_at",
        "503",
        "reset_after",
        "reset_after",
        "drop_token",
        "hang_after",
        "worker_killed",
    ]

    output = in_words(faults)
    assert "2 lost answers" in output
    assert "1 killed worker" in output
    assert not any(each in output for each in faults if not each.isdigit())
    assert "_" not in output
