"""Campaigns by the API: put and shown, with their reviewers and progress, by whom and which version."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import pytest
from redis import Redis

from certmail.gateway.api.document.openapi import document
from certmail_config.admin.admin import Admin
from certmail_config.admin.api_keys import create_key
from certmail_config.base import redis_keys
from certmail_config.campaigns.applying.identity import BY_HAND
from certmail_config.ledger import Act
from certmail_config.sql.campaigns import moments
from certmail_config.tenants.api_keys import EVERY_TENANT, KeyScope

WANTED: dict[str, Any] = {
    "name": "Quarterly access review",
    "start": "2036-11-03T09:00:00+01:00",
    "due": "2036-12-12T17:00:00+01:00",
    "link": "https://iga.acme.example/c/{reviewer}",
    "time_zone": "Europe/Berlin",
    "calendar": {"country": "DE", "window": "09:00-17:00"},
    "rule": [
        {"id": "start", "on": "start"},
        {"id": "regular", "every": "3 working days", "at_most": 5},
    ],
}
Q4 = "/v1/campaigns/2036-q4"
REVIEWERS, PROGRESS = f"{Q4}/reviewers", f"{Q4}/progress"
ANN = {"id": "ann", "to": "ann@people.example", "pending": 3}
BEN = {"id": "ben", "to": "ben@people.example", "pending": 4}


async def put(client: Any, wanted: Any = WANTED, path: str = Q4, **headers: str) -> Any:
    return await client.ask(
        "PUT", path, json=wanted, headers={name.replace("_", "-"): v for name, v in headers.items()}
    )


async def of_all(client: Any, admin: Admin, *scopes: KeyScope) -> Any:
    """The same application with a key that reaches every tenant."""
    _, key = await asyncio.to_thread(
        create_key, admin, "all", tenants=[EVERY_TENANT], scopes=scopes or list(KeyScope)
    )
    return replace(client, key=key)


class TestPutting:
    async def test_it_is_put_whole_and_shown_as_it_was_given(self, client: Any) -> None:
        code, made, headers = await put(client)
        assert (code, headers["ETag"]) == (201, '"1"')
        assert (made["tenant"], made["id"], made["state"]) == ("acme", "2036-q4", "running")
        assert made["campaign"] == WANTED | {"tenant": "acme", "id": "2036-q4"}
        assert made["next_plan_at"]

        code, shown = await client.get(Q4)
        assert (code, shown["campaign"]) == (200, made["campaign"])
        assert shown["reviewers"] == {
            "reviewers": 0, "complete": 0, "pending": 0, "completed": 0,
        }  # fmt: skip
        _, listed = await client.get("/v1/campaigns:planned")
        assert [each["id"] for each in listed["items"]] == ["2036-q4"]
        assert listed["next"] is None

    async def test_the_same_again_changes_nothing_and_another_is_the_next_version(
        self, client: Any
    ) -> None:
        await put(client)
        code, same, headers = await put(client)
        assert (code, same["version"], headers["ETag"]) == (200, 1, '"1"')
        moved = WANTED | {"due": "2036-12-19T17:00:00+01:00"}
        code, changed, headers = await put(client, moved)
        assert (code, changed["version"], headers["ETag"]) == (200, 2, '"2"')

    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            ({"If_Match": '"1"'}, 200),
            ({"If_Match": "*"}, 200),
            ({"If_Match": '"2"'}, 412),
            ({"If_None_Match": "*"}, 412),
            ({"If_Match": "1"}, 422),
            ({"If_Match": 'W/"1"'}, 422),
            ({"If_None_Match": '"1"'}, 422),
        ],
    )
    async def test_who_names_a_version_changes_that_or_nothing(
        self, client: Any, headers: dict[str, str], code: int
    ) -> None:
        await put(client)
        found, answer, _ = await put(client, WANTED | {"name": "Other"}, **headers)
        assert found == code
        if code != 200:
            assert answer["code"] == ("campaign_changed" if code == 412 else "invalid_header")
            assert (await client.get(Q4))[1]["campaign"]["name"] == "Quarterly access review"

    async def test_there_must_be_one_whose_version_is_named(self, client: Any) -> None:
        for tag in ("*", '"1"'):
            code, problem, _ = await put(client, If_Match=tag)
            assert (code, problem["code"]) == (412, "campaign_changed")
        assert (await put(client, If_None_Match="*"))[0] == 201

    async def test_of_many_who_make_it_at_once_one_does(self, client: Any) -> None:
        answers = await asyncio.gather(*(put(client) for _ in range(6)))
        assert sorted(code for code, _, _ in answers) == [200, 200, 200, 200, 200, 201]

    @pytest.mark.parametrize(
        ("changed", "pointer", "code"),
        [
            ({"due": "2036-01-01T00:00:00Z"}, "", "due_before_start"),
            ({"rule": [{"id": "a", "every": "often"}]}, "/rule/0/every", "invalid_interval"),
            ({"calendar": {"window": "9-5"}}, "/calendar/window", "invalid_window"),
            ({"id": "q5"}, "/id", "other_id"),
            ({"colour": "red"}, "/colour", "extra_forbidden"),
            ({"calendar": {"days": ["mon"], "country": "XX"}}, "/calendar/country", "unknown_country"),
        ],
    )  # fmt: skip
    async def test_what_is_wrong_is_named_in_its_place(
        self, client: Any, changed: dict[str, Any], pointer: str, code: str
    ) -> None:
        status, problem, _ = await put(client, WANTED | changed)
        assert (status, problem["code"]) == (422, "invalid_body")
        assert (problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == (pointer, code)
        assert (await client.get(Q4))[1]["code"] == "unknown_campaign"

    @pytest.mark.parametrize(
        ("changed", "pointer", "code"),
        [
            ({"connection": "second"}, "/connection", "unknown_connection"),
            ({"calendar": {"days": ["sun"]}}, None, None),
        ],
    )
    async def test_what_does_not_fit_the_tenant_is_said(
        self, client: Any, changed: dict[str, Any], pointer: str | None, code: str | None
    ) -> None:
        status, problem, _ = await put(client, WANTED | changed)
        assert status == (422 if code else 201)
        if code:
            [fault] = problem["errors"]
            assert (fault["pointer"], fault["code"]) == (pointer, code)

    async def test_an_id_may_hold_what_an_address_must_quote(self, client: Any) -> None:
        path = f"/v1/campaigns/{quote('2036/q4 ü%', safe='')}"
        code, made, _ = await put(client, path=path)
        assert (code, made["id"]) == (201, "2036/q4 ü%")
        assert (await client.get(path))[1]["id"] == "2036/q4 ü%"


class TestKeys:
    async def test_a_key_of_many_tenants_says_which(self, client: Any, admin: Admin) -> None:
        every = await of_all(client, admin)
        code, problem, _ = await put(every)
        assert (code, problem["errors"][0]["pointer"]) == (422, "/tenant")
        assert (await put(every, WANTED | {"tenant": "acme"}))[0] == 201

        code, problem = await every.get(Q4)
        assert (code, problem["code"]) == (422, "invalid_query")
        assert problem["errors"][0]["parameter"] == "tenant"
        assert (await every.get(f"{Q4}?tenant=acme"))[0] == 200
        code, problem = await every.get(f"{Q4}?tenant=nobody")
        assert (code, problem["code"]) == (404, "unknown_campaign")
        code, problem, _ = await put(every, WANTED | {"tenant": "nobody"})
        assert (code, problem["code"]) == (404, "no_such_tenant")

    async def test_a_key_reaches_its_own_tenants_only(self, client: Any, admin: Admin) -> None:
        await asyncio.to_thread(admin.add_tenant, "zeta")
        every = await of_all(client, admin)
        await put(every, WANTED | {"tenant": "zeta"})
        code, problem, _ = await put(client, WANTED | {"tenant": "zeta"})
        assert (code, problem["code"]) == (403, "tenant_not_allowed")
        assert (await client.get(f"{Q4}?tenant=zeta"))[1]["code"] == "tenant_not_allowed"
        assert (await client.get("/v1/campaigns:planned"))[1]["items"] == []
        assert (await client.get("/v1/campaigns:planned?tenant=zeta"))[1]["items"] == []
        assert len((await every.get("/v1/campaigns:planned"))[1]["items"]) == 1

    async def test_who_may_read_may_not_change(self, client: Any, admin: Admin) -> None:
        await put(client)
        reader = await of_all(client, admin, KeyScope.CAMPAIGNS_READ, KeyScope.REMINDERS_WRITE)
        assert (await reader.get(f"{Q4}?tenant=acme"))[0] == 200
        for method, path in (
            ("PUT", Q4), ("PUT", REVIEWERS), ("POST", PROGRESS), ("POST", f"{Q4}/stop"), ("DELETE", Q4),
        ):  # fmt: skip
            code, problem, _ = await reader.ask(method, path, json={})
            assert (code, problem["code"]) == (403, "scope_missing")


class TestReviewers:
    async def test_they_come_by_the_page_and_who_is_in_no_page_goes(self, client: Any) -> None:
        await put(client)
        for page, last in (([ANN], False), ([BEN], True)):
            body = {"reviewers": page, "roster": "monday", "last": last}
            code, answer, _ = await client.ask("PUT", REVIEWERS, json=body)
            assert (code, answer["added"], answer["removed"]) == (200, 1, 0)

        body = {"reviewers": [ANN], "roster": "tuesday", "last": True}
        code, answer, _ = await client.ask("PUT", REVIEWERS, json=body)
        assert (answer["unchanged"], answer["removed"]) == (1, 1)
        _, again, _ = await client.ask("PUT", REVIEWERS, json=body)
        assert (again["unchanged"], again["removed"]) == (1, 0)
        assert (await client.get(Q4))[1]["reviewers"]["reviewers"] == 1

    async def test_what_is_wrong_with_one_is_said_and_the_others_are_taken(
        self, client: Any
    ) -> None:
        await put(client)
        await client.ask("PUT", REVIEWERS, json={"reviewers": [ANN], "roster": "a", "last": True})
        rows = [
            ANN | {"to": "no address"},
            BEN,
            BEN | {"name": "Twice"},
            "ben",
            {"id": "cid", "to": "cid@people.example", "country": "DE", "subdivision": "NOWHERE"},
        ]
        body = {"reviewers": rows, "roster": "b", "last": True}
        code, answer, _ = await client.ask("PUT", REVIEWERS, json=body)
        assert (code, answer["added"]) == (200, 1)
        assert answer["removed"] == 0, "who is named wrongly is named all the same"
        assert [(each["index"], each["code"]) for each in answer["rejected"]] == [
            (0, "invalid_address"),
            (2, "doubled_reviewer"),
            (3, "malformed"),
            (4, "unknown_subdivision"),
        ]
        assert (await client.get(Q4))[1]["reviewers"]["reviewers"] == 2

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"reviewers": [], "last": True},
            {"reviewers": [ANN] * 2001},
            {"reviewers": [ANN], "roster": "x" * 65},
            {"reviewers": "ann"},
        ],
    )
    async def test_a_page_that_is_none_is_refused(self, client: Any, body: Any) -> None:
        await put(client)
        code, problem, _ = await client.ask("PUT", REVIEWERS, json=body)
        assert (code, problem["code"]) == (422, "invalid_body")

    async def test_of_a_campaign_that_there_is_not_none_are_taken(self, client: Any) -> None:
        for method, path, body in (
            ("PUT", REVIEWERS, {"reviewers": [ANN]}),
            ("POST", PROGRESS, {"progress": [{"reviewer": "a", "pending": 0, "sequence": 1}]}),
            ("POST", f"{Q4}/remind", {"all": True}),
        ):
            code, problem, _ = await client.ask(method, path, json=body)
            assert (code, problem["code"]) == (404, "unknown_campaign")


class TestProgress:
    async def test_each_news_is_judged_by_itself(self, client: Any) -> None:
        await put(client)
        await client.ask("PUT", REVIEWERS, json={"reviewers": [ANN, BEN]})
        news = [
            {"reviewer": "ann", "pending": 0, "completed": 3, "at": "2026-11-20T12:00:00Z"},
            {"reviewer": "ann", "pending": 2, "at": "2026-11-20T11:00:00Z"},
            {"reviewer": "ann", "pending": 0, "completed": 3, "at": "2026-11-20T13:00:00+01:00"},
            {"reviewer": "nobody", "pending": 0, "sequence": 1},
            {"reviewer": "ben", "pending": -1, "sequence": 1},
            {"reviewer": "ben", "pending": 1},
            {"reviewer": "ben", "pending": 1, "at": "2136-11-20T12:00:00Z"},
            {"reviewer": "ben", "pending": 1, "sequence": 7},
            7,
        ]
        code, answer, _ = await client.ask("POST", PROGRESS, json={"progress": news})
        assert code == 200
        assert [each["verdict"] or each["code"] for each in answer["items"]] == [
            "taken", "older", "same", "unknown_reviewer", "invalid_number", "unclear_order",
            "in_the_future", "taken", "malformed",
        ]  # fmt: skip
        shown = (await client.get(Q4))[1]["reviewers"]
        assert shown == {"reviewers": 2, "complete": 1, "pending": 1, "completed": 3}

    async def test_a_list_does_not_undo_what_was_told_of_one(self, client: Any) -> None:
        await put(client)
        await client.ask("PUT", REVIEWERS, json={"reviewers": [ANN]})
        news = {"progress": [{"reviewer": "ann", "pending": 0, "sequence": 1}]}
        await client.ask("POST", PROGRESS, json=news)
        _, answer, _ = await client.ask("PUT", REVIEWERS, json={"reviewers": [ANN]})
        assert (answer["unchanged"], answer["kept_progress"]) == (1, 1)
        assert (await client.get(Q4))[1]["reviewers"]["complete"] == 1


class TestStates:
    async def test_it_is_paused_resumed_stopped_and_removed(self, client: Any) -> None:
        await put(client)
        for act, state in (
            ("pause", "paused"), ("pause", "paused"), ("resume", "running"), ("stop", "stopped"), ("stop", "stopped"),
        ):  # fmt: skip
            code, answer, headers = await client.ask("POST", f"{Q4}/{act}")
            assert (code, answer["state"]) == (200, state)
            assert headers["ETag"] == f'"{answer["version"]}"'

        for method, path, body in (
            ("POST", f"{Q4}/resume", None),
            ("PUT", Q4, WANTED | {"name": "Other"}),
            ("PUT", REVIEWERS, {"reviewers": [ANN]}),
        ):
            code, problem, _ = await client.ask(method, path, json=body)
            assert (code, problem["code"]) == (409, "campaign_stopped")

        code, gone, _ = await client.ask("DELETE", Q4)
        assert (code, gone["id"]) == (200, "2036-q4")
        assert (await client.get(Q4))[0] == 404
        assert (await put(client))[0] == 201, "another may have its id"

    async def test_what_runs_is_not_removed(self, client: Any) -> None:
        await put(client)
        code, problem, _ = await client.ask("DELETE", Q4)
        assert (code, problem["code"]) == (409, "campaign_running")

    async def test_reminding_now_is_beside_what_is_planned(self, client: Any, admin: Admin) -> None:
        await put(client)
        done = {"id": "dee", "to": "dee@people.example", "pending": 0}
        await client.ask("PUT", REVIEWERS, json={"reviewers": [ANN, BEN, done]})
        remind = f"{Q4}/remind"
        body: dict[str, Any] = {"reviewers": ["ann", "dee", "nobody"]}
        code, answer, _ = await client.ask("POST", remind, json=body)
        named = {"reminded": 1, "later": 0, "complete": 1, "unknown": ["nobody"]}
        assert (code, answer) == (200, named)
        _, answer, _ = await client.ask("POST", remind, json={"all": True})
        assert (answer["reminded"], answer["complete"]) == (2, 1)

        def read() -> set[tuple[object, ...]]:
            with admin.db() as db:
                return {tuple(each) for each in moments.load_moments(db, "acme", "2036-q4")}

        assert await asyncio.to_thread(read) == {
            ("ann", BY_HAND, 1), ("ann", BY_HAND, 2), ("ben", BY_HAND, 1),
        }  # fmt: skip
        for body in ({}, {"all": True, "reviewers": ["ann"]}, {"reviewers": []}):
            code, problem, _ = await client.ask("POST", remind, json=body)
            assert (code, problem["code"]) == (422, "invalid_body")
        await client.ask("POST", f"{Q4}/pause")
        code, problem, _ = await client.ask("POST", remind, json={"all": True})
        assert (code, problem["code"]) == (409, "campaign_not_running")

    async def test_what_comes_next_is_told_in_numbers(self, client: Any) -> None:
        await put(client)
        done = {"id": "dee", "to": "dee@people.example", "pending": 0}
        await client.ask("PUT", REVIEWERS, json={"reviewers": [ANN, done]})
        code, plan = await client.get(f"{Q4}/plan")
        assert (code, plan["first_at"]) == (200, "2036-11-03T08:00:00.000Z")
        assert (plan["days"], plan["later"]) == ({}, 6)
        assert set(plan["not_going"]) == {"complete"}


async def test_who_did_what_is_on_record(client: Any, redis: Redis) -> None:
    await put(client)
    await client.ask("PUT", REVIEWERS, json={"reviewers": [ANN]})
    await client.ask("PUT", REVIEWERS, json={"reviewers": [ANN]})
    await client.ask("POST", f"{Q4}/pause")
    entries: Any = await asyncio.to_thread(redis.xrange, redis_keys.EVENTS)
    told = [
        (fields[b"type"].decode(), fields[b"reason"].decode())
        for _, fields in entries
        if fields[b"type"].startswith(b"campaign_")
    ]
    assert told == [
        (Act.CAMPAIGN_ADDED, "2036-q4, version 1"),
        (Act.CAMPAIGN_REVIEWERS_CHANGED, "2036-q4: 1 added"),
        (Act.CAMPAIGN_PAUSED, "2036-q4"),
    ]
    assert all(f"API key {client.key[3:11]}".encode() in fields[b"by"] for _, fields in entries if fields[b"type"].startswith(b"campaign_"))  # fmt: skip


def test_the_documents_examples_are_what_its_schemas_say() -> None:
    schemas = document("https://reminders.example", "1")["components"]["schemas"]
    for name in ("CampaignWanted", "ReviewersWanted", "ProgressWanted"):
        whole = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
        [example] = schemas[name]["examples"]
        jsonschema_rs.validate(whole, example)
