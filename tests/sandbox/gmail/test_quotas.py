"""Google's limits over windows that slide, google.md §1.1-§1.4."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from certmail_sandbox.quotas.limits import Limits
from certmail_sandbox.quotas.sending_limits import SendingLimits
from certmail_sandbox.quotas.windows import SlidingWindow
from certmail_sandbox.wire.errors import ApiError

if TYPE_CHECKING:
    from sandbox.conftest import Google

AUTH = "https://www.googleapis.com/auth/"
MAILBOX = "reminders@acme.example"


async def limit(google: Google, **limits: int) -> Any:
    return await google.control("PUT", "/limits", limits)


async def test_the_limits_are_googles_documented_ones_until_changed(google: Google) -> None:
    assert await google.control("GET", "/limits") == {
        "units_per_minute": 6000,
        "project_units_per_minute": 1_200_000,
        "project_units_per_day": 80_000_000,
        "messages_per_day": 2000,
        "consumer_messages_per_day": 500,
        "recipients_per_message": 500,
        "recipients_per_day": 10_000,
        "external_recipients_per_day": 3_000,
        "unique_recipients_per_day": 3_000,
        "unique_external_recipients_per_day": 2_000,
        "upload_bytes_per_day": 500 * 2**20,
        "download_bytes_per_day": 2_500 * 2**20,
        "in_flight": 10,
        "sending_lag_seconds": 0,
    }

    assert (await limit(google, messages_per_day=500))["messages_per_day"] == 500
    assert (await google.control("GET", "/limits"))["units_per_minute"] == 6000


async def test_sixty_sends_fit_into_a_minute_and_no_more(google: Google) -> None:
    token = await google.token()
    statuses = [(await google.send(token)).status for _ in range(61)]
    assert statuses == [200] * 60 + [403]


async def test_over_the_units_of_a_user_is_a_403_in_productions_words(google: Google) -> None:
    token = await google.token()
    await limit(google, units_per_minute=100)
    await google.send(token)
    answer = await google.send(token)
    assert answer.status == 403

    error = answer.body["error"]
    assert error["status"] == "PERMISSION_DENIED"
    assert answer.message.startswith(
        "Quota exceeded for quota metric 'Total Query Cost' and limit 'Units per minute per user' of service"
        " 'gmail.googleapis.com' for consumer 'project_number:"
    )

    old = {"message": answer.message, "domain": "usageLimits", "reason": "rateLimitExceeded"}
    assert error["errors"] == [old]

    [detail] = error["details"]
    assert detail["reason"] == "RATE_LIMIT_EXCEEDED"
    assert detail["metadata"]["quota_limit_value"] == "100"
    assert {"quota_metric", "quota_limit", "consumer"} <= set(detail["metadata"])


async def test_the_minute_slides(google: Google) -> None:
    token = await google.token()
    await limit(google, units_per_minute=200)

    for ahead, status in (
        (0, 200),
        (30, 200),
        (59, 403),
        (61, 200),
        (62, 403),
        (89, 403),
        (91, 200),
    ):
        google.clock.ahead = ahead
        assert (await google.send(token)).status == status, ahead


async def test_a_request_refused_for_quota_uses_up_nothing(google: Google) -> None:
    token = await google.token()
    await limit(google, units_per_minute=100)
    await google.send(token)
    for ahead in range(10, 60, 10):
        google.clock.ahead = ahead
        assert (await google.send(token)).status == 403
    google.clock.ahead = 61

    assert (await google.send(token)).status == 200


async def test_a_request_refused_for_the_day_uses_up_no_units(google: Google) -> None:
    token = await google.token()
    await limit(google, units_per_minute=200, messages_per_day=1)
    assert [(await google.send(token)).status for _ in range(3)] == [200, 429, 429]
    await limit(google, messages_per_day=2)
    assert (await google.send(token)).status == 200


async def test_a_bad_message_costs_units_but_is_no_message_of_the_day(google: Google) -> None:
    token = await google.token()
    await limit(google, units_per_minute=200, messages_per_day=1)
    assert (await google.send(token, b"nobody")).status == 400
    assert (await google.send(token)).status == 200
    assert (await google.send(token)).status == 403


async def test_mailboxes_do_not_share_their_minute_but_share_their_project(google: Google) -> None:
    one, two = await google.token("one@acme.example"), await google.token("two@acme.example")
    await limit(google, units_per_minute=200, project_units_per_minute=300)
    statuses = [(await google.send(token)).status for token in (one, one, two, two)]
    assert statuses == [200, 200, 200, 403]
    answer = await google.send(two)
    assert "limit 'Units per minute' of service" in answer.message


async def test_projects_do_not_share_a_users_minute(google: Google) -> None:
    token = await google.token()
    await limit(google, units_per_minute=100)
    assert (await google.send(token)).status == 200

    await google.control(
        "POST",
        "/service-accounts",
        {"email": "certmail@acme-project.iam.gserviceaccount.com", "project": "other"},
    )
    assert (await google.send(token)).status == 200


async def test_reading_costs_what_the_table_says(google: Google) -> None:
    token = await google.token(MAILBOX, AUTH + "gmail.send", AUTH + "gmail.metadata")
    sent = (await google.send(token)).body["id"]
    bearer = google.bearer(token)
    messages = "/gmail/v1/users/me/messages"
    await google.ask("GET", messages, headers=bearer)
    await google.ask("GET", f"{messages}/{sent}", params={"format": "metadata"}, headers=bearer)
    await google.ask("GET", "/gmail/v1/users/me/profile", headers=bearer)
    units = [
        entry["units"] for entry in await google.journal() if entry["path"].startswith("/gmail/")
    ]

    assert units == [100, 5, 20, 1]


async def test_the_days_messages_run_out_with_a_time_to_retry(google: Google) -> None:
    token = await google.token()
    await limit(google, messages_per_day=2)

    for ahead in (0, 100):
        google.clock.ahead = ahead
        assert (await google.send(token)).status == 200

    answer = await google.send(token)
    assert (answer.status, answer.reason) == (429, "rateLimitExceeded")
    assert answer.body["error"]["status"] == "RESOURCE_EXHAUSTED"

    words, _, time = answer.message.partition("Retry after ")
    assert words == "User-rate limit exceeded.  "
    assert time.endswith("Z (Mail sending)")


async def test_the_day_slides_too(google: Google) -> None:
    await google.token()
    await limit(google, messages_per_day=2)

    for ahead, status in (
        (0, 200),
        (40_000, 200),
        (86_000, 429),
        (86_500, 200),
        (86_600, 429),
        (127_000, 200),
    ):
        google.clock.ahead = ahead
        token = await google.token()
        assert (await google.send(token)).status == status, ahead


async def test_the_eleventh_request_at_the_same_time_is_one_too_many(google: Google) -> None:
    token = await google.token()
    await google.fault("hang_after", match={"mailbox": MAILBOX}, times=10, seconds=0.5)
    hanging = [asyncio.create_task(google.send(token)) for _ in range(10)]
    await google.eventually(10)
    answer = await google.send(token)
    assert (answer.status, answer.message) == (429, "Too many concurrent requests for user")

    await asyncio.gather(*hanging, return_exceptions=True)
    assert (await google.send(token)).status == 200


def people(*numbers: int, domain: str = "globex.example") -> str:
    return ",\r\n ".join(f"person{number}@{domain}" for number in numbers)


async def test_a_message_has_at_most_five_hundred_recipients(google: Google) -> None:
    token = await google.token()
    assert (await google.send(token, google.mail(to=people(*range(500))))).status == 200
    many = google.mail("Bcc: one-more@acme.example", to=people(*range(500)))
    answer = await google.send(token, many)
    assert (answer.status, answer.reason) == (400, "invalidArgument")


@pytest.mark.parametrize(
    ("limits", "statuses"),
    [
        ({"recipients_per_day": 5}, [200, 200, 429, 200]),
        ({"external_recipients_per_day": 3}, [200, 200, 429, 200]),
        ({"unique_recipients_per_day": 4}, [200, 200, 429, 429]),
        ({"unique_external_recipients_per_day": 2}, [200, 200, 429, 200]),
        ({"messages_per_day": 2}, [200, 200, 429, 429]),
    ],
)
async def test_each_limit_on_recipients_of_a_day_is_a_429_that_names_a_time(
    google: Google, limits: dict[str, int], statuses: list[int]
) -> None:
    token = await google.token()
    await limit(google, **limits)
    mails = (
        people(1, 2) + ", INSIDE1@acme.example",
        "inside2@acme.example",
        people(3, 2),
        "inside3@acme.example",
    )

    answers = [await google.send(token, google.mail(to=to)) for to in mails]
    assert [answer.status for answer in answers] == statuses
    assert all(a.message.endswith("Z (Mail sending)") for a in answers if a.status == 429)

    google.clock.ahead = 86_401
    token = await google.token()
    assert (await google.send(token, google.mail(to=people(3, 2)))).status == 200


async def test_who_was_written_to_already_is_no_new_recipient(google: Google) -> None:
    token = await google.token()
    await limit(google, unique_recipients_per_day=1)
    for to in ("ada@acme.example", "ADA@acme.example"):
        assert (await google.send(token, google.mail(to=to))).status == 200
    assert (await google.send(token, google.mail(to="bob@acme.example"))).status == 429


async def test_the_projects_units_of_a_day_begin_anew_at_midnight_in_california(
    google: Google,
) -> None:
    token = await google.token()
    await limit(google, project_units_per_day=200)
    answers = [await google.send(token) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 403]
    assert answers[-1].reason == "dailyLimitExceeded"
    assert answers[-1].message.startswith("Daily Limit Exceeded.")

    google.clock.ahead = 86_400
    assert (await google.send(await google.token())).status == 200


async def test_bandwidth_up_and_down_is_a_429_without_a_word_about_sending(google: Google) -> None:
    token = await google.token(MAILBOX, "https://mail.google.com/")
    await limit(google, upload_bytes_per_day=2_000)
    assert (await google.send(token)).status == 200

    answer = await google.send(token, google.mail(body="x" * 2_000))
    assert (answer.status, answer.reason) == (429, "rateLimitExceeded")
    assert answer.message.startswith("User-rate limit exceeded.  Retry after ")
    assert "sending" not in answer.message

    await limit(google, upload_bytes_per_day=10**6, download_bytes_per_day=200)
    messages = "/gmail/v1/users/me/messages"
    statuses = [
        (await google.ask("GET", messages, headers=google.bearer(token))).status for _ in range(4)
    ]

    assert statuses[0] == 200
    assert statuses[-1] == 429


@pytest.mark.parametrize(("at", "used"), [(59.9, 5), (60.0, 2), (69.9, 2), (70.0, 0)])
def test_an_amount_leaves_a_window_exactly_when_its_time_is_up(at: float, used: int) -> None:
    window = SlidingWindow(60.0)
    window.add(0.0, 3)
    window.add(10.0, 2)
    assert window.used(at) == used


def test_a_consumer_account_sends_five_hundred_messages_a_day() -> None:
    sending = SendingLimits()
    limits = Limits()
    for n in range(500):
        sending.check_messages(limits, "ada@gmail.com", float(n))
        sending.count("ada@gmail.com", ["bob@acme.example"], float(n))

    with pytest.raises(ApiError):
        sending.check_messages(limits, "ada@gmail.com", 500.0)
    sending.check_messages(limits, "ada@acme.example", 500.0)
