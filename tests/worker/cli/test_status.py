"""What `certmail status` shows a person of a reminder's story."""

from __future__ import annotations

from typing import Any

from certmail_worker.cli.status import LONGEST_REASON, told_once

GOOGLE = (
    "api_disabled: " + "Gmail API has not been used in project 4 before or it is disabled. " * 10
)


def test_googles_text_is_told_once_and_cut_and_what_has_no_text_stays() -> None:
    events: list[dict[str, Any]] = [
        {"type": "begun", "reason": None},
        {"type": "settled", "reason": GOOGLE},
        {"type": "released", "reason": GOOGLE},
        {"type": "held", "reason": "paused"},
        {"type": "held", "reason": "paused"},
    ]
    reasons = [each["reason"] for each in told_once(events)]

    assert reasons == [
        "",
        f"{GOOGLE[:LONGEST_REASON]}…",
        "api_disabled: as above",
        "paused",
        "paused",
    ]
