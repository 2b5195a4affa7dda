"""What Google allows, as far as it says; the control API's `/limits` changes each number."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Google's documented limits of new projects and paid Workspace accounts.

    New are projects made since 2026-05-01; the number in flight is reported, not documented
    (google.md §1.3).

    Attributes:
        units_per_minute: Quota units per mailbox and project (google.md §1.1).
        project_units_per_minute: Quota units per project (google.md §1.1).
        project_units_per_day: Quota units per project and day: the billing threshold, here a wall
            (google.md §1.1).
        messages_per_day: Messages per mailbox in a rolling 24 h (google.md §1.2, as the next six).
        consumer_messages_per_day: The same of a gmail.com account.
        recipients_per_message: Addresses in one message, by the API.
        recipients_per_day: Recipients of all messages, each counted as often as written to.
        external_recipients_per_day: Those of them outside the mailbox's own domain.
        unique_recipients_per_day: Different recipients.
        unique_external_recipients_per_day: Different ones outside the mailbox's own domain.
        upload_bytes_per_day: What a mailbox sends to Google (support.google.com/a/answer/1071518,
            the API's being like IMAP's).
        download_bytes_per_day: What it gets from Google (the same page).
        in_flight: Requests of one mailbox at the same time (google.md §1.3, reported).
        sending_lag_seconds: How long after one of the day's sending limits is reached messages are
            still answered with 200, and bounce into the sender's own mailbox. Google needs minutes
            (google.md §1.3); 0 refuses the very next one, for tests that count.
    """

    units_per_minute: int = 6_000
    project_units_per_minute: int = 1_200_000
    project_units_per_day: int = 80_000_000
    messages_per_day: int = 2_000
    consumer_messages_per_day: int = 500
    recipients_per_message: int = 500
    recipients_per_day: int = 10_000
    external_recipients_per_day: int = 3_000
    unique_recipients_per_day: int = 3_000
    unique_external_recipients_per_day: int = 2_000
    upload_bytes_per_day: int = 500 * MEGABYTE
    download_bytes_per_day: int = 2_500 * MEGABYTE
    in_flight: int = 10
    sending_lag_seconds: int = 0
