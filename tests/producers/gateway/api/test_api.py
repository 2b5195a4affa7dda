"""The HTTP API: enqueued, asked for, called off; who may; what is wrong and where."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from certmail import Mailer, Reminder
from certmail.gateway.api.request.authentication import Authenticator
from certmail.gateway.api.request.problems import KINDS, ApiProblem
from certmail_config.admin.admin import Admin
from certmail_config.admin.api_keys import create_key, list_keys, revoke_key
from certmail_config.base import redis_keys
from certmail_config.base.ids import uuid7
from certmail_config.jobs.states import State
from certmail_config.sql import tables
from certmail_config.tenants.api_keys import KeyGrant, KeyScope
from support.data.sentences import foreign

REMINDER = {"tenant": "acme", "to": "anna@acme.example", "campaign": "q4", "pending": 3}


def problem(answer: tuple[int, Any, Any], code: str) -> Any:
    status, value, headers = answer
    assert (value["code"], value["status"], status) == (
        code,
        KINDS[code].status,
        KINDS[code].status,
    ), value
    assert headers["Content-Type"].startswith("application/problem+json")
    assert value["type"] == f"https://certmail.example/docs#{code}"
    assert value["detail"]
    assert value["remedy"]

    return value


def waiting(admin: Admin) -> int:
    found: Any = admin.redis.zcard(redis_keys.DUE)
    return int(found)


class TestOneReminder:
    async def test_it_is_enqueued_asked_for_and_called_off(self, client: Any, admin: Admin) -> None:
        status, receipt, headers = await client.post(REMINDER)
        assert (status, receipt["state"], receipt["duplicate"]) == (202, "ready", False)
        assert headers["Location"] == f"/v1/reminders/{receipt['id']}"

        status, shown = await client.get(headers["Location"])
        assert status == 200
        assert (shown["tenant"], shown["state"], shown["attempts"]) == ("acme", "ready", [])
        assert shown["reason"].startswith("connection_draft: ")
        assert await client.get(f"/v1/reminders/{receipt['id'].upper()}") == (200, shown)

        status, called, _ = await client.ask("DELETE", f"/v1/reminders/{receipt['id'].upper()}")
        assert (status, called) == (200, {"id": receipt["id"], "state": "cancelled"})

        problem(await client.ask("DELETE", headers["Location"]), "already_final")

    async def test_every_field_may_be_given(self, client: Any, admin: Admin) -> None:
        full = REMINDER | {
            "name": "Anna",
            "kind": "final",
            "campaign_name": "Quarter 4",
            "due_at": "2099-12-11T17:00:00+01:00",
            "completed": 2,
            "link": "https://iga.acme.example/r/7",
            "locale": "de-CH",
            "time_zone": "Europe/Zurich",
            "manager": "boss@acme.example",
            "send_at": "2099-12-01T08:00:00Z",
            "expires_at": "2099-12-12T00:00:00Z",
            "priority": 0,
            "connection": "default",
            "key": "k-1",
            "uncertain": "resend",
            "reply_to": "help@acme.example",
        }

        full |= {"items": [{"what": "SAP", "who": "Ben", "access": "Approver"}]}
        others = {"about", "times_reminded", "campaigns", "subject", "text"}
        assert full.keys() == Reminder.model_fields.keys() - others

        status, receipt, _ = await client.post(full)
        assert (status, receipt["state"]) == (202, "scheduled")

        _, shown = await client.get(f"/v1/reminders/{receipt['id']}")
        assert shown["send_at"] == "2099-12-01T08:00:00.000Z"

    async def test_sent_again_it_is_a_duplicate(self, client: Any, admin: Admin) -> None:
        _, first, _ = await client.post(REMINDER)
        status, again, _ = await client.post(REMINDER)
        assert (status, again["id"], again["duplicate"]) == (200, first["id"], True)
        assert waiting(admin) == 1

    async def test_one_with_nothing_left_to_decide_is_suppressed(self, client: Any) -> None:
        status, receipt, _ = await client.post(REMINDER | {"pending": 0})
        assert (status, receipt["state"]) == (202, "suppressed")

    @pytest.mark.parametrize(
        "id_", ["nobody", "%00", "01937e6c-5a00-7000-8000-0000000000aa", "%FF", "a%20b"]
    )
    async def test_an_unknown_one_is_not_found(self, client: Any, id_: str) -> None:
        problem(await client.ask("GET", f"/v1/reminders/{id_}"), "unknown_reminder")
        problem(await client.ask("DELETE", f"/v1/reminders/{id_}"), "unknown_reminder")

    async def test_one_of_another_tenant_is_not_found(self, client: Any, admin: Admin) -> None:
        with Mailer(admin.redis) as mailer:
            other = mailer.send(Reminder(tenant="globex", to="bob@globex.example"))
        problem(await client.ask("GET", f"/v1/reminders/{other.id}"), "unknown_reminder")
        problem(await client.ask("DELETE", f"/v1/reminders/{other.id}"), "unknown_reminder")
        with Mailer(admin.redis) as mailer:
            view = mailer.status(other.id)
        assert view is not None
        assert view.state is State.READY


LONG_AGO = "2001-01-01T00:00:00Z"
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"to": "nobody"}, "/to", "invalid_address"),
    ({"to": "a@b\r\nBcc: c@d.example"}, "/to", "invalid_address"),
    ({"to": "a@acme.example\u0000"}, "/to", "invalid_address"),
    ({"to": "ä@acme.example"}, "/to", "invalid_address"),
    ({"to": 7}, "/to", "string_type"),
    ({"to": None}, "/to", "string_type"),
    ({"to": ["a@acme.example"]}, "/to", "string_type"),
    ({"to": "a@acme.example" + "x" * 400}, "/to", "too_long"),
    ({"name": "x" * 301}, "/name", "too_long"),
    ({"name": "\ud800"}, "/name", "invalid_encoding"),
    ({"campaign": "q4\nq5"}, "/campaign", "control_character"),
    ({"tenant": "Acme!"}, "/tenant", "invalid_name"),
    ({"kind": "spam"}, "/kind", "unknown_kind"),
    ({"due_at": "2026-12-11T17:00:00"}, "/due_at", "time_without_zone"),
    ({"due_at": "tomorrow"}, "/due_at", "invalid_time"),
    ({"due_at": 1765468800}, "/due_at", "invalid_time"),
    ({"expires_at": LONG_AGO}, "/expires_at", "already_expired"),
    ({"pending": -1}, "/pending", "invalid_number"),
    ({"pending": "3"}, "/pending", "invalid_number"),
    ({"pending": True}, "/pending", "invalid_number"),
    ({"pending": 3.5}, "/pending", "invalid_number"),
    ({"priority": 10}, "/priority", "invalid_number"),
    ({"link": "javascript:alert(1)"}, "/link", "invalid_link"),
    ({"locale": "../etc"}, "/locale", "invalid_locale"),
    ({"time_zone": "Mars/Olympus"}, "/time_zone", "unknown_time_zone"),
    ({"headline": "hello"}, "/headline", "unknown_field"),
    ({"subject": "hello"}, "/subject", "wrong_kind"),
    ({"items": [{"what": "SAP", "owner": "Ben"}]}, "/items/0/owner", "unknown_field"),
    ({"connection": "apac"}, "/connection", "unknown_connection"),
]


class TestWhatIsWrong:
    @pytest.mark.parametrize(
        ("fields", "pointer", "code"), WRONG, ids=[f"{p} {c}" for _, p, c in WRONG]
    )
    async def test_is_said_with_its_place_and_nothing_is_taken(
        self, client: Any, admin: Admin, fields: dict[str, Any], pointer: str, code: str
    ) -> None:
        body = json.dumps(REMINDER | fields)
        sent = await client.ask(
            "POST", "/v1/reminders", data=body, headers={"Content-Type": "application/json"}
        )
        refusal = problem(sent, "invalid_reminder")

        assert [(error["pointer"], error["code"]) for error in refusal["errors"]] == [
            (pointer, code)
        ]
        assert waiting(admin) == 0

    async def test_all_of_it_is_said_at_once(self, client: Any) -> None:
        refusal = problem(
            await client.post({"to": "nobody", "pending": -1, "due_at": "soon"}), "invalid_reminder"
        )
        assert [error["pointer"] for error in refusal["errors"]] == [
            "/tenant",
            "/to",
            "/due_at",
            "/pending",
        ]

    async def test_a_tenant_that_is_not_there_is_said_to_a_key_for_all(
        self, client: Any, admin: Admin
    ) -> None:
        key = await asyncio.to_thread(create_key, admin, "all", tenants=["*"], scopes=[*KeyScope])
        refusal = problem(
            await replace(client, key=key[1]).post(REMINDER | {"tenant": "nobody"}),
            "invalid_reminder",
        )
        assert refusal["errors"][0]["code"] == "unknown_tenant"

    async def test_another_tenants_reminder_is_refused_whether_there_is_that_tenant_or_not(
        self, client: Any, admin: Admin
    ) -> None:
        for tenant in ("globex", "nobody"):
            refusal = problem(
                await client.post(REMINDER | {"tenant": tenant}), "tenant_not_allowed"
            )
            assert refusal["errors"][0]["pointer"] == "/tenant"
        assert waiting(admin) == 0

    async def test_a_key_that_was_used_for_another_is_a_conflict(
        self, client: Any, admin: Admin
    ) -> None:
        await client.post(REMINDER | {"key": "k"})
        refusal = problem(await client.post(REMINDER | {"key": "k", "pending": 4}), "key_reused")
        assert refusal["errors"][0]["pointer"] == "/key"
        assert waiting(admin) == 1

    @pytest.mark.parametrize(
        ("body", "sentence"),
        [
            (b"", "a value is missing"),
            (b"{", "a name"),
            (b"[]", "begin with {"),
            (b'"x"', "begin with {"),
            (b"\xff\xfe", "UTF-16"),
            (b'{"pending": NaN}', "NaN"),
            (b"[" * 500, "a value is missing"),
            (b"null", "begin with {"),
            (b"\xef\xbb\xbf{}", "byte order mark"),
            (b'{"a": ' + b"[" * 50 + b"]" * 50 + b"}", "more than 10 times"),
            (b'{"pending": ' + b"9" * 5000 + b"}", "too many digits"),
            (
                b'{"tenant": "acme", "to": "a@acme.example", "to": "b@acme.example"}',
                'the member "to" is there twice',
            ),
            (
                b'{"tenant": "acme", "to": "a@acme.example", "name": {"x": 1, "x": 1}}',
                'the member "x" is there twice',
            ),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    @pytest.mark.parametrize("path", ["/v1/reminders", "/v1/reminders:batch", "/v1/setup-links"])
    async def test_a_body_that_is_no_json_object(
        self, client: Any, admin: Admin, path: str, body: bytes, sentence: str
    ) -> None:
        sent = await client.ask(
            "POST", path, data=body, headers={"Content-Type": "application/json"}
        )
        detail = problem(sent, "malformed_body")["detail"]

        assert sentence in detail
        assert not foreign(detail)
        assert waiting(admin) == 0

    async def test_a_body_of_another_type(self, client: Any) -> None:
        problem(
            await client.ask("POST", "/v1/reminders", data={"to": "x"}), "unsupported_media_type"
        )

    async def test_a_body_that_is_too_large_declared_or_not(self, client: Any) -> None:
        async def drip() -> Any:
            for _ in range(70):
                yield b" " * 1024

        headers = {"Content-Type": "application/json"}
        for data in (b" " * 70_000, drip()):
            answer = await client.ask("POST", "/v1/reminders", data=data, headers=headers)
            problem(answer, "body_too_large")

    async def test_an_address_or_method_that_there_is_not(self, client: Any) -> None:
        problem(await client.ask("GET", "/v1/nothing"), "not_found")
        answer = await client.ask("PUT", "/v1/reminders")
        problem(answer, "method_not_allowed")
        assert answer[2]["Allow"] == "POST"


class TestBatch:
    async def test_each_is_answered_for_itself(self, client: Any, admin: Admin) -> None:
        wanted = [
            REMINDER,
            REMINDER | {"to": "nobody"},
            REMINDER,
            7,
            REMINDER | {"to": "b@acme.example"},
        ]

        status, value, _ = await client.post({"reminders": wanted}, "/v1/reminders:batch")
        assert status == 200
        assert [item["status"] for item in value["items"]] == [202, 422, 200, 422, 202]
        assert value["items"][1]["problem"]["errors"][0]["pointer"] == "/reminders/1/to"
        assert value["items"][3]["problem"]["errors"][0]["pointer"] == "/reminders/3"
        assert value["items"][2]["receipt"]["id"] == value["items"][0]["receipt"]["id"]
        assert waiting(admin) == 2

    async def test_a_thousand_at_once(self, client: Any, admin: Admin) -> None:
        wanted = [REMINDER | {"to": f"r{n}@acme.example"} for n in range(1000)]
        _, value, _ = await client.post({"reminders": wanted}, "/v1/reminders:batch")
        assert {item["status"] for item in value["items"]} == {202}
        assert waiting(admin) == 1000

        too_many = {"reminders": [*wanted, REMINDER]}
        refusal = problem(await client.post(too_many, "/v1/reminders:batch"), "invalid_body")
        assert refusal["errors"][0]["pointer"] == "/reminders"

    @pytest.mark.parametrize(
        "body", [{}, {"reminders": []}, {"reminders": 7}, {"reminders": [], "x": 1}]
    )
    async def test_what_is_no_batch(self, client: Any, body: Any) -> None:
        problem(await client.post(body, "/v1/reminders:batch"), "invalid_body")


class TestIdempotencyKey:
    async def test_a_repeated_request_gets_the_first_ones_answer(self, client: Any) -> None:
        first = await client.post(REMINDER, Idempotency_Key="a")
        again = await client.post(dict(reversed(REMINDER.items())), Idempotency_Key="a")
        assert again[:2] == first[:2]
        assert (again[0], again[2]["Idempotent-Replayed"]) == (202, "true")

    async def test_another_body_or_address_is_refused(self, client: Any, admin: Admin) -> None:
        await client.post(REMINDER, Idempotency_Key="a")
        problem(
            await client.post(REMINDER | {"pending": 4}, Idempotency_Key="a"),
            "idempotency_key_reused",
        )
        batch = await client.post(
            {"reminders": [REMINDER]}, "/v1/reminders:batch", Idempotency_Key="a"
        )
        problem(batch, "idempotency_key_reused")

        assert waiting(admin) == 1

    async def test_one_that_is_still_running_is_said_so(self, client: Any, admin: Admin) -> None:
        answers = await asyncio.gather(
            *(client.post(REMINDER, Idempotency_Key="a") for _ in range(20))
        )
        assert {status for status, _, _ in answers} <= {202, 409}

        for answer in answers:
            if answer[0] == 409:
                problem(answer, "request_running")
        assert waiting(admin) == 1

    async def test_what_was_refused_may_be_corrected_under_the_same_key(self, client: Any) -> None:
        problem(
            await client.post(REMINDER | {"to": "nobody"}, Idempotency_Key="a"), "invalid_reminder"
        )
        assert (await client.post(REMINDER, Idempotency_Key="a"))[0] == 202

    async def test_other_applications_may_use_the_same(self, client: Any, admin: Admin) -> None:
        await client.post(REMINDER, Idempotency_Key="a")
        key = await asyncio.to_thread(
            create_key, admin, "other", tenants=["acme"], scopes=[*KeyScope]
        )
        status, receipt, _ = await replace(client, key=key[1]).post(REMINDER, Idempotency_Key="a")
        assert (status, receipt["duplicate"]) == (200, True)

    async def test_who_reads_redis_learns_neither_key_nor_answer(
        self, client: Any, admin: Admin
    ) -> None:
        await client.post(
            {"reminders": [REMINDER, REMINDER | {"to": "carol@secret..example"}]},
            "/v1/reminders:batch",
            Idempotency_Key="for-anna",
        )
        [name] = admin.redis.scan_iter(redis_keys.IDEMPOTENCY + "*")
        value: Any = admin.redis.get(name)

        assert b"anna" not in name
        assert b"receipt" not in value
        assert b"secret" not in value

    @pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "schlüssel", "\xa0"])
    async def test_one_that_makes_no_sense_is_refused(self, client: Any, key: str) -> None:
        refusal = problem(await client.post(REMINDER, Idempotency_Key=key), "invalid_header")
        assert refusal["errors"][0]["parameter"] == "Idempotency-Key"


class TestWhoMay:
    @pytest.mark.parametrize(
        "given", ["", "Bearer", "Bearer x", "Basic YTpi", "Bearer cm_aaaaaaaa_" + "A" * 43]
    )
    async def test_nobody_without_a_valid_key(self, client: Any, given: str) -> None:
        for method, path in (
            ("POST", "/v1/reminders"),
            ("GET", "/v1/tenants"),
            ("GET", "/v1/reminders/x"),
        ):
            answer = await client.ask(method, path, headers={"Authorization": given})
            problem(answer, "unauthenticated")
            assert answer[2]["WWW-Authenticate"].startswith("Bearer")

    async def test_a_revoked_key_is_good_for_nothing_at_once(
        self, client: Any, admin: Admin
    ) -> None:
        [key] = list_keys(admin)
        await asyncio.to_thread(revoke_key, admin, key.id)
        problem(await client.post(REMINDER), "unauthenticated")

    @pytest.mark.parametrize(
        ("scope", "method", "path"),
        [
            (KeyScope.REMINDERS_WRITE, "POST", "/v1/reminders"),
            (KeyScope.REMINDERS_WRITE, "POST", "/v1/reminders:batch"),
            (KeyScope.REMINDERS_WRITE, "DELETE", "/v1/reminders/x"),
            (KeyScope.REMINDERS_READ, "GET", "/v1/reminders/x"),
            (KeyScope.REMINDERS_READ, "POST", "/v1/reminders:lookup"),
            (KeyScope.REMINDERS_READ, "GET", "/v1/changes"),
            (KeyScope.REMINDERS_READ, "GET", "/v1/campaigns"),
            (KeyScope.REMINDERS_WRITE, "POST", "/v1/campaigns:cancel"),
            (KeyScope.DELIVERIES_READ, "GET", "/v1/deliveries/totals"),
            (KeyScope.TENANTS_READ, "GET", "/v1/tenants"),
            (KeyScope.TENANTS_READ, "GET", "/v1/connections"),
            (KeyScope.DELIVERIES_READ, "GET", "/v1/deliveries"),
            (KeyScope.DELIVERIES_READ, "GET", "/v1/deliveries/reasons"),
            (KeyScope.DELIVERIES_READ, "GET", "/v1/deliveries/hours"),
            (KeyScope.DELIVERIES_READ, "GET", "/v1/attention"),
            (KeyScope.DELIVERIES_READ, "GET", "/v1/deliveries/x"),
            (KeyScope.SETUP_LINKS_WRITE, "POST", "/v1/setup-links"),
            (KeyScope.TENANTS_READ, "GET", "/v1/tenants/acme/templates"),
            (KeyScope.TEMPLATES_WRITE, "PUT", "/v1/tenants/acme/templates"),
        ],
    )
    async def test_each_address_wants_its_scope(
        self, client: Any, admin: Admin, scope: KeyScope, method: str, path: str
    ) -> None:
        others = [each for each in KeyScope if each is not scope]
        _, key = await asyncio.to_thread(
            create_key, admin, "others", tenants=["acme"], scopes=others
        )
        refusal = problem(await replace(client, key=key).ask(method, path), "scope_missing")
        assert scope in refusal["detail"]

    async def test_keys_are_checked_while_the_database_is_away_and_nobody_learns_where_it_is(
        self, client: Any, admin: Admin, caplog: pytest.LogCaptureFixture
    ) -> None:
        admin.engine.dispose()
        (admin.settings.data_dir / "certmail.sqlite").rename(admin.settings.data_dir / "gone")
        (admin.settings.data_dir / "certmail.sqlite").mkdir()  # nothing can be opened there
        assert (await client.post(REMINDER))[0] == 202

        refusal = problem(await client.ask("GET", "/v1/tenants"), "stores_unreachable")
        assert refusal["errors"][0]["code"] == "database_unreachable"

        caplog.clear()

        for path in ("/v1/deliveries", "/v1/connections"):
            refusal = problem(await client.ask("GET", path), "stores_unreachable")
            assert refusal["detail"] == refusal["errors"][0]["detail"] == "The record is away."
            assert "sqlite" not in json.dumps(refusal)

        logged = "".join(
            str(record.__dict__) for record in caplog.records if "unavailable" in record.message
        )
        assert "sqlite" not in logged
        assert "database_unreachable" in logged


class TestRate:
    def test_of_a_minute_so_many_are_let_in_and_what_is_refused_does_not_count(
        self, admin: Admin
    ) -> None:
        door = at(admin, 1_800_000_030.0)
        door.count(GRANT, 8)
        assert refused(door, 3).headers["Retry-After"] == "30"

        door.count(GRANT, 2)
        refused(door, 1)
        at(admin, 1_800_000_060.0).count(GRANT, 10)
        assert [
            key
            for key in admin.redis.scan_iter(redis_keys.RATE + "*")
            if admin.redis.ttl(key) == -1
        ] == []


GRANT = KeyGrant("k", frozenset({"acme"}), frozenset(KeyScope))


def at(admin: Admin, now: float) -> Authenticator:
    return Authenticator(admin.strongbox, 10, lambda: now)


def refused(door: Authenticator, cost: int) -> ApiProblem:
    with pytest.raises(ApiProblem) as raised:
        door.count(GRANT, cost)
    assert raised.value.code == "rate_limited"
    return raised.value


class TestLists:
    async def test_tenants_and_connections_as_far_as_the_key_reaches(self, client: Any) -> None:
        _, tenants = await client.get("/v1/tenants")
        acme = {"id": "acme", "name": "Acme Ltd", "state": "active"}
        assert tenants == {"items": [acme], "next": None}

        _, connections = await client.get("/v1/connections")
        assert [(each["tenant"], each["name"], each["state"]) for each in connections["items"]] == [
            ("acme", "default", "draft")
        ]
        assert (await client.get("/v1/connections?tenant=globex"))[1]["items"] == []

    async def test_page_by_page_each_is_there_once(self, client: Any, admin: Admin) -> None:
        _, key = await asyncio.to_thread(
            create_key, admin, "all", tenants=["*"], scopes=[*KeyScope]
        )
        for n in range(5):
            await asyncio.to_thread(admin.add_tenant, f"t{n}")
        everybody = replace(client, key=key)

        for path, name in (("/v1/tenants", "id"), ("/v1/connections", "tenant")):
            seen: list[str] = []
            cursor: Any = ""
            while cursor is not None:
                _, page = await everybody.get(f"{path}?limit=3&cursor={cursor}")
                seen += [each[name] for each in page["items"]]
                cursor = page["next"]

            assert seen == ["acme", "globex", "t0", "t1", "t2", "t3", "t4"]

    async def test_the_record_newest_first_by_tenant_campaign_and_state(
        self, client: Any, admin: Admin
    ) -> None:
        now = datetime.now(UTC)

        with admin.db() as db:
            for n in range(7):
                row = {
                    "job": uuid7(1_800_000_000_000 + n),
                    "tenant": "globex" if n == 6 else "acme",
                    "connection": "c",
                    "kind": "reminder",
                    "campaign": f"q{n % 2}",
                    "recipient": f"r{n}@acme.example",
                    "state": "accepted",
                    "held": False,
                    "possible_duplicate": False,
                    "enqueued_at": now,
                    "updated_at": now,
                    "expires_at": now + timedelta(days=1),
                }
                db.execute(insert(tables.deliveries).values(**row))

        _, page = await client.get("/v1/deliveries?limit=4")
        assert [each["recipient"][:2] for each in page["items"]] == ["r5", "r4", "r3", "r2"]

        _, rest = await client.get(f"/v1/deliveries?limit=4&cursor={page['next']}")
        assert [each["recipient"][:2] for each in rest["items"]] == ["r1", "r0"]
        assert rest["next"] is None

        _, some = await client.get("/v1/deliveries?campaign=q1&state=accepted&tenant=acme")
        assert len(some["items"]) == 3
        assert (await client.get("/v1/deliveries?state=failed"))[1]["items"] == []

        _, one = await client.get("/v1/deliveries?recipient=R3@acme.example")
        assert [each["recipient"] for each in one["items"]] == ["r3@acme.example"]

        late = (now + timedelta(seconds=1)).isoformat().replace("+", "%2B")
        assert (await client.get(f"/v1/deliveries?since={late}"))[1]["items"] == []
        assert len((await client.get(f"/v1/deliveries?until={late}"))[1]["items"]) == 6

        _, key = await asyncio.to_thread(
            create_key, admin, "two", tenants=["acme", "globex"], scopes=[*KeyScope]
        )
        both = replace(client, key=key)
        _, page = await both.get("/v1/deliveries?limit=5")
        assert [each["recipient"][:2] for each in page["items"]] == ["r6", "r5", "r4", "r3", "r2"]

        _, rest = await both.get(f"/v1/deliveries?limit=5&cursor={page['next']}")
        assert [each["recipient"][:2] for each in rest["items"]] == ["r1", "r0"]
        assert (await client.get("/v1/deliveries?tenant=globex"))[1]["items"] == []

    @pytest.mark.parametrize(
        ("query", "parameter"),
        [
            ("limit=0", "limit"),
            ("limit=501", "limit"),
            ("limit=x", "limit"),
            ("limit=1_0", "limit"),
            ("limit=%EF%BC%93", "limit"),
            ("limit=%2B5", "limit"),
            ("limit=3.0", "limit"),
            ("limit=", "limit"),
            ("limit=1&limit=2", "limit"),
            ("cursor=x", "cursor"),
            ("cursor=WzFd", "cursor"),
            ("state=lost", "state"),
            ("since=2026-11-25T09:00:00", "since"),
            ("until=1700000000", "until"),
            ("campaign=a%00b", "campaign"),
            ("colour=blue", "colour"),
            ("tenant=" + "x" * 64, "tenant"),
        ],
    )
    async def test_a_wrong_parameter_is_named(
        self, client: Any, query: str, parameter: str
    ) -> None:
        refusal = problem(await client.ask("GET", f"/v1/deliveries?{query}"), "invalid_query")
        assert [error["parameter"] for error in refusal["errors"]] == [parameter]
        assert not foreign(json.dumps(refusal["errors"]) + refusal["detail"])

    async def test_a_plus_that_became_a_space_gets_a_hint(self, client: Any) -> None:
        refusal = problem(
            await client.ask("GET", "/v1/deliveries?since=2026-11-25T09:00:00+01:00"),
            "invalid_query",
        )
        assert "write it as %2B" in refusal["errors"][0]["detail"]

        refusal = problem(
            await client.ask("GET", "/v1/deliveries?since=yesterday"), "invalid_query"
        )
        assert "%2B" not in refusal["detail"]


class TestHeads:
    @pytest.mark.parametrize(
        "path",
        [
            "/v1/tenants", "/v1/connections?limit=1", "/v1/deliveries",
            "/v1/reminders/01937e6c-5a00-7000-8000-0000000000aa", "/v1/deliveries?limit=0",
            "/openapi.json", "/docs", "/healthz", "/readyz", "/console/sign-in", "/console",
            "/connect/x",
        ],
    )  # fmt: skip
    async def test_whoever_may_get_may_ask_for_the_head_alone(self, client: Any, path: str) -> None:
        given = {"Authorization": f"Bearer {client.key}"}
        answers = []

        for method in ("GET", "HEAD"):
            asked = client.session.request(
                method, client.base + path, headers=given, allow_redirects=False
            )
            async with asked as answer:
                answers.append(
                    (answer.status, answer.headers.get("Content-Type"), await answer.read())
                )

        (status, kind, body), (*head, nothing) = answers
        assert head == [status, kind]
        assert not nothing
        assert body or status == 303


class TestHeadersThatDecide:
    @pytest.mark.parametrize("name", ["Idempotency-Key", "Authorization"])
    async def test_two_of_one_name_are_refused_since_each_may_be_the_one_that_is_meant(
        self, client: Any, admin: Admin, name: str
    ) -> None:
        more = (
            [(name, "a"), (name, "b")]
            if name != "Authorization"
            else [(name, f"Bearer {client.key}")]
        )
        headers = [("Authorization", f"Bearer {client.key}"), *more]
        asked = client.session.post(client.base + "/v1/reminders", json=REMINDER, headers=headers)
        async with asked as answer:
            refusal = problem(
                (answer.status, await answer.json(content_type=None), answer.headers),
                "invalid_header",
            )

        assert refusal["errors"] == [
            {
                "pointer": None,
                "parameter": name,
                "code": "doubled",
                "detail": "given more than once",
            }
        ]
        assert waiting(admin) == 0

    @pytest.mark.parametrize(
        "name", ["Host", "Content-Type", "Content-Length", "Transfer-Encoding"]
    )
    async def test_two_of_those_that_http_is_read_by_are_no_request(
        self, client: Any, admin: Admin, name: str
    ) -> None:
        body = json.dumps(REMINDER)
        given = {
            "Host": "gateway",
            "Authorization": f"Bearer {client.key}",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
        }
        if name == "Transfer-Encoding":
            del given["Content-Length"]
        lines = [
            *given.items(),
            (name, given.get(name, "chunked")),
            (name, given.get(name, "chunked")),
        ]
        host, _, port = client.base.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = "".join(f"{each}: {value}\r\n" for each, value in lines)
        writer.write(f"POST /v1/reminders HTTP/1.1\r\n{head}\r\n{body}".encode())
        assert (await reader.readline()).split()[1] == b"400"

        writer.close()
        assert waiting(admin) == 0

    async def test_pages_refuse_two_as_well(self, client: Any) -> None:
        asked = client.session.post(
            client.base + "/console/sign-in", headers=[("Origin", "https://a.example")] * 2
        )
        async with asked as answer:
            assert answer.status == 400
