"""Results over the HTTP API: changes since a cursor, many reminders at once, campaigns, totals.

And the id that each request has.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from sqlalchemy import delete, insert

from certmail import Mailer, Reminder
from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_config.jobs.states import State
from certmail_config.sql import tables

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def on_record(admin: Admin, *deliveries: tuple[str, str, str, State], first: int = 0) -> None:
    """Record deliveries (id, tenant, campaign, state) with the event of each, a second apart."""
    with admin.db() as db:
        for n, (job, tenant, campaign, state) in enumerate(deliveries, first):
            at = NOON + timedelta(seconds=n)
            row = {
                "job": job,
                "tenant": tenant,
                "connection": "c",
                "kind": "reminder",
                "campaign": campaign,
                "recipient": f"{job}@people.example",
                "state": state,
                "held": False,
                "possible_duplicate": False,
                "enqueued_at": at,
                "updated_at": at,
                "expires_at": at + timedelta(days=1),
            }
            db.execute(insert(tables.deliveries).values(**row))

            data = {"state": state, "reason": f"{state}: so"}
            event = {
                "stream_ms": int(at.timestamp() * 1000),
                "stream_n": 0,
                "type": "settled",
                "at": at,
                "tenant": tenant,
                "job": job,
                "data": json.dumps(data),
            }
            db.execute(insert(tables.events).values(**event))


@pytest.fixture
def record(admin: Admin) -> None:
    on_record(
        admin,
        ("a1", "acme", "q4", State.ACCEPTED),
        ("g1", "globex", "q4", State.ACCEPTED),
        ("a2", "acme", "q4", State.FAILED),
        ("a3", "acme", "q3", State.ACCEPTED),
    )


@pytest.mark.usefixtures("record")
class TestChanges:
    async def test_an_application_that_keeps_the_cursor_is_told_each_once(
        self, client: Any, admin: Admin
    ) -> None:
        status, first = await client.get("/v1/changes?limit=2")
        assert status == 200, first

        seen = [
            (each["id"], each["campaign"], each["state"], each["reason"]) for each in first["items"]
        ]
        assert seen == [
            ("a1", "q4", "accepted", "accepted: so"),
            ("a2", "q4", "failed", "failed: so"),
        ]
        assert first["more"]

        _, second = await client.get(f"/v1/changes?cursor={first['next']}")
        assert ([each["id"] for each in second["items"]], second["more"]) == (["a3"], False)

        _, again = await client.get(f"/v1/changes?cursor={first['items'][0]['cursor']}")
        assert [each["id"] for each in again["items"]] == ["a2", "a3"]

        later = ("a4", "acme", "q5", State.EXPIRED)
        await asyncio.to_thread(on_record, admin, later, first=9)
        _, new = await client.get(f"/v1/changes?cursor={second['next']}")
        assert [each["id"] for each in new["items"]] == ["a4"]

    async def test_it_may_begin_at_a_time_and_ask_for_one_tenant(self, client: Any) -> None:
        _, late = await client.get("/v1/changes?since=2026-11-23T12:00:02Z")
        assert [each["id"] for each in late["items"]] == ["a2", "a3"]
        assert (await client.get("/v1/changes?tenant=globex"))[1]["items"] == []
        assert len((await client.get("/v1/changes?tenant=acme"))[1]["items"]) == 3

    async def test_a_page_without_anything_leads_on(self, client: Any, admin: Admin) -> None:
        with admin.db() as db:
            db.execute(delete(tables.events))
        _, page = await client.get("/v1/changes?since=0001-01-01T00:00:00Z")
        assert (page["items"], page["more"]) == ([], False)
        status, again = await client.get(f"/v1/changes?cursor={page['next']}")
        assert (status, again) == (200, page)

    @pytest.mark.parametrize("cursor", ["x", "WyJhIiwgImIiXQ", "WyItMSIsICIwIl0", "W10"])
    async def test_what_is_no_cursor_is_said(self, client: Any, cursor: str) -> None:
        status, problem = await client.get(f"/v1/changes?cursor={cursor}")
        assert (status, problem["errors"][0]["code"]) == (422, "invalid_cursor")


class TestLookup:
    async def test_many_are_answered_in_order_those_of_others_as_if_there_were_none(
        self, client: Any, admin: Admin
    ) -> None:
        def enqueue() -> list[str]:
            with Mailer(admin.redis) as mailer:
                return [
                    mailer.send(Reminder(tenant=tenant, to=f"r{n}@people.example")).id
                    for n, tenant in enumerate(["acme", "acme", "globex"])
                ]

        one, two, other = await asyncio.to_thread(enqueue)
        asked = [two, "nonsense", other, one.upper(), two]
        status, answer, _ = await client.post({"ids": asked}, "/v1/reminders:lookup")
        assert status == 200, answer
        assert [each["id"] for each in answer["items"]] == asked

        found = [each["reminder"] and each["reminder"]["id"] for each in answer["items"]]
        assert found == [two, None, None, one, two]

        _, alone = await client.get(f"/v1/reminders/{one}")
        assert answer["items"][3]["reminder"] == alone

    async def test_one_that_cannot_be_read_spoils_no_other(self, client: Any, admin: Admin) -> None:
        def enqueue() -> str:
            with Mailer(admin.redis) as mailer:
                whole = mailer.send(Reminder(tenant="acme", to="a@people.example")).id
            admin.redis.set(redis_keys.JOB + BROKEN[0], "no hash")
            admin.redis.hset(
                redis_keys.JOB + BROKEN[1], mapping={"tenant": "acme", "connection": "c"}
            )
            return whole

        whole = await asyncio.to_thread(enqueue)
        status, answer, _ = await client.post({"ids": [*BROKEN, whole]}, "/v1/reminders:lookup")
        assert (status, [bool(each["reminder"]) for each in answer["items"]]) == (
            200,
            [False, False, True],
        )
        assert (await client.get(f"/v1/reminders/{BROKEN[1]}"))[0] == 404

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"ids": []}, "/ids"),
            ({"ids": ["x"] * 1001}, "/ids"),
            ({"ids": [7]}, "/ids/0"),
            ({}, "/ids"),
        ],
        ids=["none", "too many", "a number", "nothing"],
    )
    async def test_what_is_wrong_is_said(self, client: Any, body: Any, pointer: str) -> None:
        status, problem, _ = await client.post(body, "/v1/reminders:lookup")
        assert (status, problem["errors"][0]["pointer"]) == (422, pointer)


BROKEN = ("01937e6c-5a00-7000-8000-0000000000aa", "01937e6c-5a00-7000-8000-0000000000ab")


class TestCampaigns:
    @pytest.mark.usefixtures("record")
    async def test_each_is_counted_as_far_as_the_key_reaches(self, client: Any) -> None:
        status, page = await client.get("/v1/campaigns?limit=1")
        assert status == 200, page
        assert [(each["campaign"], each["totals"]["states"]) for each in page["items"]] == [
            ("q3", {"accepted": 1})
        ]

        _, rest = await client.get(f"/v1/campaigns?cursor={page['next']}")
        [q4] = rest["items"]
        counted = {
            "total": 2,
            "states": {"accepted": 1, "failed": 1},
            "groups": {"accepted": 1, "not-sent": 1},
            "held": 0,
            "possible_duplicates": 0,
        }

        assert (q4["tenant"], q4["campaign"], q4["totals"]) == ("acme", "q4", counted)
        assert (q4["enqueued_at"], rest["next"]) == ("2026-11-23T12:00:00.000Z", None)

    async def test_one_is_called_off_and_nothing_else(self, client: Any) -> None:
        sent = [
            (
                await client.post(
                    {"tenant": "acme", "to": f"r{n}@people.example", "campaign": campaign}
                )
            )[1]
            for n, campaign in enumerate(["q4", "q4", "q5"])
        ]

        status, done, _ = await client.post(
            {"tenant": "acme", "campaign": "q4"}, "/v1/campaigns:cancel", Idempotency_Key="k"
        )
        assert (status, done) == (200, {"cancelled": 2, "already_sending": 0, "uncertain": 0})

        _, answer, _ = await client.post(
            {"ids": [each["id"] for each in sent]}, "/v1/reminders:lookup"
        )
        shown = [
            (each["reminder"]["state"], each["reminder"]["reason"]) for each in answer["items"]
        ]

        assert [state for state, _ in shown] == ["cancelled", "cancelled", "ready"]
        assert "by API key" in shown[0][1]

    async def test_another_tenants_is_not(self, client: Any) -> None:
        status, problem, _ = await client.post(
            {"tenant": "globex", "campaign": "q4"}, "/v1/campaigns:cancel"
        )
        assert (status, problem["code"]) == (403, "tenant_not_allowed")


@pytest.mark.usefixtures("record")
class TestRecord:
    async def test_totals_are_of_what_is_asked_for(self, client: Any) -> None:
        status, totals = await client.get("/v1/deliveries/totals")
        assert (status, totals["total"], totals["states"]) == (200, 3, {"accepted": 2, "failed": 1})
        assert totals["groups"] == {"accepted": 2, "not-sent": 1}
        assert (await client.get("/v1/deliveries/totals?state=not-sent"))[1]["total"] == 1
        assert (await client.get("/v1/deliveries/totals?campaign=q3"))[1]["total"] == 1
        assert (await client.get("/v1/deliveries/totals?tenant=globex"))[1]["total"] == 0

    async def test_a_group_of_states_is_asked_for_as_one(self, client: Any) -> None:
        _, page = await client.get("/v1/deliveries?state=not-sent&campaign=q4")
        assert [each["id"] for each in page["items"]] == ["a2"]
        status, problem = await client.get("/v1/deliveries?state=lost")
        assert (status, problem["code"]) == (422, "invalid_query")

    async def test_it_says_why_and_in_which_hours_as_far_as_the_key_reaches(
        self, client: Any
    ) -> None:
        _, why = await client.get("/v1/deliveries/reasons?campaign=q4")
        assert why == {
            "reasons": [{"state": "failed", "code": "", "words": "", "count": 1}],
            "capped": False,
        }  # fmt: skip

        _, day = await client.get("/v1/deliveries/hours")
        hour = {
            "at": "2026-11-23T12:00:00.000Z",
            "total": 3,
            "states": {"accepted": 2, "failed": 1},
        }
        assert day == {"day": "2026-11-23", "hours": [hour], "capped": False}
        _, none = await client.get("/v1/deliveries/hours?day=2026-11-24&state=failed")
        assert none == {"day": "2026-11-24", "hours": [], "capped": False}
        assert (await client.get("/v1/deliveries/hours?tenant=globex"))[1]["day"] is None
        assert (await client.get("/v1/deliveries/hours?day=1"))[0] == 422

    async def test_a_delivery_says_when_it_left_and_what_google_answered(
        self, client: Any, admin: Admin
    ) -> None:
        def tried() -> None:
            with admin.db() as db:
                attempt = {
                    "job": "a1",
                    "n": 1,
                    "begun_at": NOON,
                    "outcome": "accepted",
                    "http_status": 200,
                }
                db.execute(insert(tables.attempts).values(**attempt, gmail_id="g-1", latency_ms=90))

        await asyncio.to_thread(tried)
        _, page = await client.get("/v1/deliveries?recipient=a1@people.example")
        names = ("attempts", "left_at", "http_status", "gmail_id", "latency_ms")
        assert [page["items"][0][name] for name in names] == [
            1,
            "2026-11-23T12:00:00.000Z",
            200,
            "g-1",
            90,
        ]

        _, other = await client.get("/v1/deliveries?recipient=a2@people.example")
        assert [other["items"][0][name] for name in names] == [0, None, None, None, None]


class TestRequestId:
    async def test_every_answer_has_one_the_clients_if_it_gave_a_good_one(
        self, client: Any, served: str
    ) -> None:
        async with aiohttp.ClientSession() as session:

            async def answered(path: str, given: str | None = None) -> str:
                headers = {"X-Request-Id": given} if given else {}
                async with session.get(served + path, headers=headers) as answer:
                    return answer.headers["X-Request-Id"]

            paths = (
                "/healthz",
                "/v1/tenants",
                "/v1/nothing",
                "/nothing",
                "/openapi.json",
                "/console",
            )
            found = [await answered(path) for path in paths]

            assert len(set(found)) == len(paths)
            assert await answered("/v1/tenants", "iga-42.a_b") == "iga-42.a_b"
            for bad in ("x" * 65, "a b", "é", '"'):
                assert await answered("/v1/tenants", bad) not in {bad, ""}


async def test_the_document_groups_its_requests(client: Any) -> None:
    _, document = await client.get("/openapi.json")
    tags = [tag["name"] for tag in document["tags"]]
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    assert {tag for each in operations for tag in each["tags"]} == set(tags)
    for operation in operations:
        assert all(
            "X-Request-Id" in answer["headers"] for answer in operation["responses"].values()
        )
