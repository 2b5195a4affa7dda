"""For whoever plays time: a clock that stands until it is set, and mailboxes that are emptied."""

from __future__ import annotations

import datetime as dt
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.conftest import Answer, Google

MAILBOX = "reminders@acme.example"


def later(**span: float) -> str:
    """A time some while from now, as the control API takes it."""
    return (dt.datetime.now(dt.UTC) + dt.timedelta(**span)).isoformat()


async def set_to(google: Google, at: str) -> Any:
    return await google.control("PUT", "/clock", {"stands_at": at})


async def refused(google: Google, at: str) -> str:
    answer: Answer = await google.ask("PUT", "/_sandbox/clock", json={"stands_at": at})
    assert answer.status == 400
    return str(answer.body["error"]["message"])


async def test_a_clock_that_stands_does_not_go_and_answers_carry_its_date(google: Google) -> None:
    at = later(days=30)
    stood = await set_to(google, at)
    assert stood["stands"] is True

    google.clock.ahead = 3600
    assert (await google.control("GET", "/clock"))["now"] == stood["now"]
    date = parsedate_to_datetime((await google.ask("GET", "/oauth2/v3/certs")).headers["Date"])
    assert abs(dt.datetime.fromisoformat(at) - date) < dt.timedelta(seconds=1)


async def test_while_it_stands_no_unit_of_the_minute_is_free_again(google: Google) -> None:
    token = await google.token()
    await google.control("PUT", "/limits", {"units_per_minute": 200})
    await set_to(google, later(minutes=10))
    assert [(await google.send(token)).status for _ in range(3)] == [200, 200, 403]

    google.clock.ahead = 3600
    assert (await google.send(token)).status == 403
    await set_to(google, later(minutes=10, seconds=30))
    assert (await google.send(token)).status == 403
    await set_to(google, later(minutes=10, seconds=90))
    assert (await google.send(token)).status == 200


async def test_a_token_ends_by_the_clock_that_stands(google: Google) -> None:
    token = await google.token()
    await set_to(google, later(minutes=10))
    google.clock.ahead = 7200
    assert (await google.send(token)).status == 200
    await set_to(google, later(hours=2))
    assert (await google.send(token)).status == 401


async def test_it_goes_forward_only_ten_years_at_most_and_on_again_after_a_reset(
    google: Google,
) -> None:
    await set_to(google, later(days=30))
    assert "only goes forward" in await refused(google, later(days=29))
    assert "ten years" in await refused(google, later(days=4000))

    moved = await google.control("POST", "/clock", {"advance": 3600})
    assert moved["stands"] is True
    assert dt.datetime.fromisoformat(moved["now"]) > dt.datetime.fromisoformat(later(days=30))

    await google.control("POST", "/reset")
    clock = await google.control("GET", "/clock")
    assert clock["stands"] is False
    assert abs(dt.datetime.fromisoformat(clock["now"]).timestamp() - time.time()) < 60


async def test_emptied_mailboxes_say_what_was_in_them_and_what_was_used_stays_used(
    google: Google,
) -> None:
    token = await google.token()
    await google.control("PUT", "/limits", {"messages_per_day": 2})
    for _ in range(2):
        await google.send(token)

    before = await google.messages()
    taken = await google.control("DELETE", "/messages")
    assert taken == [{k: v for k, v in each.items() if k != "raw"} for each in before]
    assert await google.messages() == []
    assert await google.control("DELETE", "/messages") == []
    assert (await google.send(token)).status == 429
