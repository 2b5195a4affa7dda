"""Faults on order: what the client sees, and what Gmail did."""

from __future__ import annotations

import asyncio
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from certmail_sandbox.wire.clock import rfc3339

if TYPE_CHECKING:
    from sandbox.conftest import Google

AUTH = "https://www.googleapis.com/auth/"
MAILBOX = "reminders@acme.example"
ROBOT = "certmail@acme-project.iam.gserviceaccount.com"
SENDING = {"path": "/messages/send"}


async def last(google: Google) -> dict[str, Any]:
    return (await google.journal())[-1]


async def test_reset_before_cuts_the_connection_and_nothing_was_accepted(google: Google) -> None:
    token = await google.token()
    await google.fault("reset_before", match=SENDING)

    with pytest.raises(aiohttp.ClientOSError) as caught:
        await google.send(token, google.mail("X-Certmail-Id: job-1"))
    assert "reset" in str(caught.value).lower()
    assert await google.messages() == []

    entry = await last(google)
    assert (entry["status"], entry["fault"], entry["certmail_id"]) == (
        "reset",
        "reset_before",
        "job-1",
    )
    assert entry["accepted"] is None
    assert (await google.send(token)).status == 200


async def test_reset_after_cuts_the_connection_and_leaves_exactly_one_message(
    google: Google,
) -> None:
    token = await google.token()
    await google.fault("reset_after", match=SENDING)
    with pytest.raises(aiohttp.ClientOSError):
        await google.send(token, google.mail("X-Certmail-Id: job-1"))
    [message] = await google.messages()
    assert message["certmail_id"] == "job-1"

    entry = await last(google)
    assert (entry["status"], entry["fault"], entry["accepted"]) == (
        "reset",
        "reset_after",
        message["id"],
    )


async def test_cut_after_gives_the_status_and_a_part_of_the_body_and_leaves_exactly_one_message(
    google: Google,
) -> None:
    token = await google.token()
    await google.fault("cut_after", match=SENDING)
    assert (await google.send("ya29.unknown")).status == 401

    with pytest.raises(aiohttp.ClientPayloadError):
        await google.send(token, google.mail("X-Certmail-Id: job-1"))
    [message] = await google.messages()
    assert (message["certmail_id"], (await last(google))["status"]) == ("job-1", 200)


@pytest.mark.parametrize("how", ["length", "chunks", "gzip"])
async def test_an_answer_word_for_word_can_break_off(google: Google, how: str) -> None:
    body = {"error": {"code": 429, "message": "Too many concurrent requests for user"}}
    await google.fault(
        {"status": 429, "headers": {"Retry-After": "3"}, "body": body, "cut": how}, match=SENDING
    )
    path = google.url + "/gmail/v1/users/me/messages/send"
    async with google.http.post(path, json={"raw": ""}) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "3")
        with pytest.raises((aiohttp.ClientPayloadError, ValueError)):
            await answer.json()


async def test_reset_after_waits_for_a_request_that_is_accepted(google: Google) -> None:
    token = await google.token()
    await google.fault("reset_after", match=SENDING)
    assert (await google.send(token, b"nobody")).status == 400
    assert (await google.send("ya29.unknown")).status == 401

    with pytest.raises(aiohttp.ClientOSError):
        await google.send(token)
    assert (await google.send(token)).status == 200
    assert len(await google.messages()) == 2


async def test_hang_after_says_nothing_until_the_client_goes_away(google: Google) -> None:
    token = await google.token()
    await google.fault("hang_after", match=SENDING)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await google.send(token)
    assert len(await google.messages()) == 1
    assert (await last(google))["status"] == "hang"


async def test_hang_after_ends_without_an_answer_when_its_time_is_up(google: Google) -> None:
    token = await google.token()
    await google.fault("hang_after", match=SENDING, seconds=0.2)
    started = time.monotonic()

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await google.send(token)
    assert 0.15 < time.monotonic() - started < 2
    assert len(await google.messages()) == 1


async def test_slow_answers_as_usual_but_later(google: Google) -> None:
    token = await google.token()
    await google.fault("slow", match=SENDING, seconds=0.2)
    started = time.monotonic()
    assert (await google.send(token)).status == 200
    assert time.monotonic() - started > 0.2
    assert len(await google.messages()) == 1
    assert (await last(google))["fault"] == "slow"


async def test_accept_late_cuts_at_once_and_accepts_exactly_one_message_afterwards(
    google: Google,
) -> None:
    token = await google.token()
    await google.fault("accept_late", match=SENDING, seconds=0.3)
    started = time.monotonic()

    with pytest.raises(aiohttp.ClientOSError):
        await google.send(token, google.mail("X-Certmail-Id: job-1"))
    assert time.monotonic() - started < 0.25
    assert await google.messages() == []

    await google.eventually(1)
    assert time.monotonic() - started > 0.3

    await asyncio.sleep(0.1)
    [message] = await google.messages()
    [entry] = [entry for entry in await google.journal() if entry["fault"] == "accept_late"]
    assert (entry["status"], entry["certmail_id"], entry["accepted"]) == (
        "reset",
        "job-1",
        message["id"],
    )


async def test_a_reset_of_the_sandbox_calls_off_what_was_to_be_accepted_late(
    google: Google,
) -> None:
    token = await google.token()
    await google.fault("accept_late", match=SENDING, seconds=0.1)
    with pytest.raises(aiohttp.ClientOSError):
        await google.send(token)
    await google.control("POST", "/reset")
    await google.token()
    await asyncio.sleep(0.2)

    assert await google.messages() == []


async def test_a_429_names_a_time_that_asking_early_does_not_move(google: Google) -> None:
    token = await google.token()
    retry_at = google.clock() + 900
    await google.fault(
        "429_retry_at", match={"mailbox": MAILBOX, **SENDING}, retry_at=rfc3339(retry_at), times=1
    )

    for ahead in (0, 1, 800, 899):
        google.clock.ahead = ahead
        answer = await google.send(token)
        assert (answer.status, answer.reason) == (429, "rateLimitExceeded")
        assert answer.message == f"User-rate limit exceeded.  Retry after {rfc3339(retry_at)}"

    google.clock.ahead = 901
    assert (await google.send(token)).status == 200


async def test_a_429_may_be_ordered_by_seconds_from_now(google: Google) -> None:
    token = await google.token()
    ordered = await google.fault("429_retry_at", seconds=60)
    assert (await google.send(token)).message.endswith(ordered["retry_at"])


async def test_401_once_leaves_the_token_good(google: Google) -> None:
    token = await google.token()
    await google.fault("401_once", match=SENDING)
    assert (await google.send(token)).reason == "authError"
    assert (await google.send(token)).status == 200


async def test_drop_token_ends_this_token_and_no_other(google: Google) -> None:
    token = await google.token()
    other = (await google.exchange(google.assertion())).body["access_token"]
    await google.fault("drop_token", match=SENDING)
    assert [(await google.send(token)).status for _ in range(3)] == [401, 401, 401]
    assert (await google.send(other)).status == 200


async def test_503_is_json_and_accepts_nothing(google: Google) -> None:
    token = await google.token()
    await google.fault("503", match=SENDING)
    answer = await google.send(token)
    assert (answer.status, answer.reason) == (503, "backendError")
    assert await google.messages() == []


async def test_503_at_the_token_endpoint_is_a_string(google: Google) -> None:
    await google.service_account()
    await google.fault("503", match={"path": "/token"})
    answer = await google.exchange(google.assertion())
    assert (answer.status, answer.body["error"]) == (503, "internal_failure")


async def test_502_is_a_page_of_html(google: Google) -> None:
    token = await google.token()
    await google.fault("502_html", match=SENDING)
    answer = await google.send(token)
    assert answer.status == 502
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "502" in answer.body


async def test_an_answer_can_be_ordered_word_for_word(google: Google) -> None:
    token = await google.token()
    body = {
        "error": {"code": 403, "message": "Domain policy", "errors": [{"reason": "domainPolicy"}]}
    }
    date = "Sun, 22 Nov 2026 10:00:00 GMT"
    headers = {"Retry-After": "7", "Date": date, "X-Odd": "yes"}
    await google.fault({"status": 403, "headers": headers, "body": body}, match=SENDING)
    answer = await google.send(token)

    assert (answer.status, answer.body) == (403, body)
    assert (answer.headers["Retry-After"], answer.headers["X-Odd"]) == ("7", "yes")
    assert parsedate_to_datetime(answer.headers["Date"]).year == 2026
    assert answer.headers.getall("Date") == [date]

    text = {"status": 500, "headers": {"Content-Type": "text/html"}, "body": "<h1>no"}
    await google.fault(text, match=SENDING)
    answer = await google.send(token)
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (
        500,
        "<h1>no",
        "text/html",
    )

    await google.fault({"status": 204}, match=SENDING)
    assert (await google.send(token)).status == 204


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/service_accounts/v1/metadata/x509/{ROBOT}"),
        ("POST", "/token"),
        ("GET", "/v1/userinfo"),
        ("GET", "/tokeninfo"),
        ("POST", "/revoke"),
        ("GET", "/gmail/v1/users/me/messages"),
        ("POST", "/gmail/v1/users/me/messages/send"),
        ("POST", "/upload/gmail/v1/users/me/messages/send"),
        ("GET", "/o/oauth2/v2/auth"),
    ],
)
async def test_faults_hit_every_path_of_google_alike(
    google: Google, method: str, path: str
) -> None:
    await google.fault("502_html", match={"path": path})
    assert (await google.ask(method, path)).status == 502
    # Without an end, because aiohttp's client tries a GET again when a kept connection is reset.
    await google.fault("reset_before", match={"path": path}, times=None)
    with pytest.raises(aiohttp.ClientOSError):
        await google.ask(method, path)


async def test_without_a_path_any_of_googles_is_meant_and_never_the_sandboxs_own(
    google: Google,
) -> None:
    await google.fault("503")
    assert (await google.ask("GET", "/")).status == 200
    assert (await google.ask("GET", "/_sandbox/limits")).status == 200
    assert (await google.ask("GET", "/v1/userinfo")).status == 503


async def test_a_fault_for_a_mailbox_leaves_the_others_alone(google: Google) -> None:
    one, two = await google.token("one@acme.example"), await google.token("two@acme.example")
    await google.fault("503", match={"mailbox": "ONE@acme.example"}, times=None)
    assert (await google.send(two)).status == 200
    assert (await google.send(one)).status == 503


async def test_at_the_token_endpoint_the_mailbox_is_the_one_asked_for(google: Google) -> None:
    await google.token("one@acme.example")
    await google.token("two@acme.example")
    await google.fault("503", match={"mailbox": "one@acme.example"})
    assert (await google.exchange(google.assertion(sub="two@acme.example"))).status == 200
    assert (await google.exchange(google.assertion(sub="one@acme.example"))).status == 503


@pytest.mark.parametrize(("times", "hits"), [({}, 1), ({"times": 3}, 3), ({"times": None}, 5)])
async def test_times_says_how_many_requests_are_hit(
    google: Google, times: dict[str, Any], hits: int
) -> None:
    token = await google.token()
    await google.fault("503", match=SENDING, **times)
    statuses = [(await google.send(token)).status for _ in range(5)]
    assert statuses == [503] * hits + [200] * (5 - hits)


async def test_seconds_says_how_long_a_fault_stays(google: Google) -> None:
    token = await google.token()
    await google.fault("503", match=SENDING, seconds=30)
    assert [(await google.send(token)).status for _ in range(2)] == [503, 503]
    google.clock.ahead = 31
    assert (await google.send(token)).status == 200


async def test_faults_can_be_looked_at_and_called_off(google: Google) -> None:
    token = await google.token()
    first = await google.fault("503", match=SENDING)
    await google.fault("401_once", match=SENDING, times=2)
    await google.send(token)
    shown = {f["id"]: f for f in await google.control("GET", "/faults")}

    assert shown[first["id"]]["active"] is False
    assert shown[first["id"]]["hits"] == 1
    assert (await google.control("DELETE", "/faults")) == {"deleted": 1}
    assert (await google.send(token)).status == 200
    assert await google.control("GET", "/faults") == []


async def test_the_first_fault_ordered_comes_first(google: Google) -> None:
    token = await google.token()
    for fault in ("503", "401_once"):
        await google.fault(fault, match=SENDING)
    assert [(await google.send(token)).status for _ in range(3)] == [503, 401, 200]


@pytest.mark.parametrize(
    ("order", "named"),
    [
        ({"fault": "explode"}, "explode"),
        ({"fault": "503", "colour": "red"}, "colour"),
        ({"fault": "503", "match": {"mail": "x"}}, "match.mail"),
        ({"fault": "503", "times": 0}, "times"),
        ({"fault": "503", "seconds": -1}, "seconds"),
        ({"fault": "503", "retry_at": "2026-11-22T10:00:00Z"}, "retry_at"),
        ({"fault": "429_retry_at"}, "retry_at"),
        ({"fault": "429_retry_at", "retry_at": "tomorrow"}, "retry_at"),
        ({"fault": "429_retry_at", "retry_at": "2026-11-22T10:00:00"}, "retry_at"),
        ({"fault": {"status": 99}}, "fault.status"),
        ({"fault": {"status": 200, "headers": {"A": "b\r\nC: d"}}}, "fault.headers"),
        ({"fault": {"status": 200, "headers": {"Content-Length": "9"}}}, "Content-Length"),
        ({"fault": {"status": 200, "text": "x"}}, "fault.text"),
        ({}, "fault"),
    ],
)
async def test_an_order_that_cannot_be_meant_is_refused_by_name(
    google: Google, order: dict[str, Any], named: str
) -> None:
    answer = await google.ask("POST", "/_sandbox/faults", json=order)
    assert answer.status == 400
    assert named in answer.body["error"]["message"]
