"""What one API key may cost.

How much is read, answered and kept for it, and how long others wait meanwhile.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import io
import itertools
import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis

from certmail.gateway.api.request import idempotency
from certmail.gateway.api.request.bounds import (
    MAX_FAULTS,
    MAX_FAULTS_OF_BATCH,
    count_values,
    excess,
    is_deep,
)
from certmail.gateway.api.request.concurrency import Turns, in_slices
from certmail.gateway.api.request.problems import ApiProblem
from certmail.gateway.redis_room import Space
from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_config.stores.capacity import StoreLimits
from support.data.garbage import NOT_JSON, OTHER_JSON, PAYLOADS

REMINDER = {"tenant": "acme", "to": "anna@acme.example"}
JSON = {"Content-Type": "application/json"}
LONGEST_BLOCK = 0.25
"""Seconds of the loop's own CPU that one request may take at once.

A busy machine makes it wait, but not work, longer.
"""


def fields(number: int) -> dict[str, Any]:
    return {f"f{n}": n for n in range(number)}


async def longest_block(work: Any) -> tuple[Any, float]:
    """The result of `work`, and the longest time for which it let nobody else have the loop.

    In seconds of CPU time of the loop's thread.
    """
    gc.collect()
    gc.freeze()  # as the gateway does when it starts: what the tests have loaded is not its own
    longest = 0.0
    task = asyncio.ensure_future(work)

    while not task.done():
        before = time.thread_time()
        await asyncio.sleep(0)
        longest = max(longest, time.thread_time() - before)

    gc.unfreeze()
    return task.result(), longest


class TestCounting:
    @pytest.mark.parametrize(
        ("text", "least"),
        [
            (json.dumps({"reminders": [fields(10)] * 10}), 100),
            (json.dumps(list(range(1000))), 1000),
            ("[" * 500, 500),
            (json.dumps({"a": {"b": [1, 2, {"c": [{}]}]}}), 5),
        ],
    )
    def test_values_are_told_without_being_read(self, text: str, least: int) -> None:
        assert least <= count_values(text.encode(), 3) <= 2 * least + 10

    @pytest.mark.parametrize(
        "text", [",[{" * 1000, '\\",[{' * 1000, "\\\\", '\\\\",\\"[{' * 1000, 'é",']
    )
    def test_what_stands_in_texts_does_not_count(self, text: str) -> None:
        body = json.dumps({"reminders": [{"tenant": "acme", "name": text, text: 1}]}).encode()
        assert count_values(body, 10) <= 10

    def test_depth(self) -> None:
        flat: Any = {"reminders": [REMINDER]}
        deep: Any = 1
        for _ in range(500):
            deep = {"a": [deep]}
        assert not is_deep(flat)
        assert is_deep(deep)

    def test_more_than_any_reminder_has_is_not_looked_at(self) -> None:
        assert not excess(REMINDER | fields(50))
        assert "590 fields" in excess(fields(590))
        assert "characters" in excess({"name": "x" * 100_000})
        assert "characters" in excess({"x" * 100_000: 1})


class TestFaults:
    async def test_of_one_reminder_the_first_are_named_and_the_others_counted(
        self, client: Any
    ) -> None:
        status, problem, _ = await client.post(REMINDER | fields(90))
        assert status == 422
        assert len(problem["errors"]) == MAX_FAULTS
        assert problem["detail"].endswith("; and 70 more")

    async def test_of_a_batch_too_however_many_there_are(self, client: Any) -> None:
        wanted = [REMINDER | fields(40)] * 1000
        status, answer, headers = await client.post({"reminders": wanted}, "/v1/reminders:batch")
        assert status == 200
        assert {item["status"] for item in answer["items"]} == {422}
        assert (
            sum(len(item["problem"]["errors"]) for item in answer["items"]) <= MAX_FAULTS_OF_BATCH
        )
        assert answer["items"][999]["problem"]["detail"].endswith("; and 39 more")
        assert int(headers["Content-Length"]) < 1_000_000

    async def test_a_few_wrong_ones_among_many_are_told_all_that_is_wrong(
        self, client: Any
    ) -> None:
        wanted = [REMINDER] * 900 + [REMINDER | fields(15)] * 2
        _, answer, _ = await client.post({"reminders": wanted}, "/v1/reminders:batch")
        assert [len(item["problem"]["errors"]) for item in answer["items"][900:]] == [15, 15]

    async def test_long_names_are_not_sent_back(self, client: Any) -> None:
        status, problem, headers = await client.post(REMINDER | {"x" * 50_000: 1, "a/b~c": 2})
        assert status == 422
        assert int(headers["Content-Length"]) < 3_000
        assert problem["errors"][1]["pointer"] == "/a~1b~0c"

    async def test_one_that_is_far_too_large_is_refused_alone(self, client: Any) -> None:
        wanted = [REMINDER, fields(590), {"tenant": "acme", "to": "x" * 100_000}]
        _, answer, _ = await client.post({"reminders": wanted}, "/v1/reminders:batch")
        assert [item["status"] for item in answer["items"]] == [202, 422, 422]
        assert [item["problem"]["errors"][0]["code"] for item in answer["items"][1:]] == [
            "too_much"
        ] * 2
        assert answer["items"][1]["problem"]["errors"][0]["pointer"] == "/reminders/1"

    async def test_a_parameter_of_the_query_given_often_is_named_once(self, client: Any) -> None:
        query = "&".join(f"p{n % 600}=" for n in range(1200))
        status, problem, _ = await client.ask("GET", f"/v1/tenants?{query}")
        assert (status, len(problem["errors"])) == (422, MAX_FAULTS)


def compact(reminders: Any) -> str:
    return json.dumps({"reminders": reminders}, separators=(",", ":"))


WORST: dict[str, Callable[[], str]] = {
    "many fields": lambda: compact([fields(590)] * 650),
    "many values": lambda: compact([{"a": [0] * 1000}] * 1000),
    "many empty lists": lambda: '{"reminders": [' + ",".join(["[]"] * 1_000_000) + "]}",
    "many texts": lambda: '{"reminders": [{"a": [' + ",".join(['""'] * 1_000_000) + "]}]}",
    "as many fields as are looked at": lambda: compact([fields(90)] * 1000),
    "as many wrong texts": lambda: compact([dict.fromkeys(map(str, range(90)), "x" * 30)] * 1000),
    "one long text": lambda: json.dumps({"reminders": [{"name": "x" * 4_000_000}]}),
    "long numbers": lambda: '{"reminders": [' + ",".join(["9" * 4000] * 900) + "]}",
    "a longer number": lambda: '{"reminders": [' + "9" * 4_000_000 + "]}",
    "deep": lambda: '{"reminders": ' + "[" * 900 + "]" * 900 + "}",
    "deeper": lambda: '{"reminders": ' + "[" * 100_000,
    "good": lambda: json.dumps(
        {"reminders": [REMINDER | {"to": f"r{n}@acme.example"} for n in range(1000)]}
    ),
}
"""Made where they are sent: each process that collects tests would make all of them."""


class TestTime:
    @pytest.mark.parametrize("kind", WORST)
    async def test_nothing_that_is_sent_holds_the_loop_up(self, client: Any, kind: str) -> None:
        body = WORST[kind]().encode()
        assert len(body) < 4 * 1024 * 1024

        sent = client.ask(
            "POST",
            "/v1/reminders:batch",
            data=io.BytesIO(body),
            headers=JSON | {"Idempotency-Key": "a"},
        )

        (status, _, headers), longest = await longest_block(sent)
        assert status in {200, 400, 413}
        assert int(headers["Content-Length"]) < 1_000_000
        assert longest < LONGEST_BLOCK

    async def test_others_are_answered_while_a_batch_is_checked(self, client: Any) -> None:
        body = WORST["as many fields as are looked at"]().encode()
        batch = asyncio.ensure_future(
            client.ask("POST", "/v1/reminders:batch", data=io.BytesIO(body), headers=JSON)
        )
        answered = 0
        while not batch.done():
            assert await client.get("/healthz") == (200, {"ok": True})
            answered += 1

        assert batch.result()[0] == 200
        assert answered >= 5

    async def test_work_in_slices_lets_others_in_by_time(self) -> None:
        ticks = iter(range(1000))
        seen: list[int] = []
        work = asyncio.ensure_future(in_slices(range(10), seen.append, lambda: float(next(ticks))))
        await asyncio.sleep(0)
        assert 0 < len(seen) < 10

        await work
        assert seen == list(range(10))


async def refused(turns: Turns) -> ApiProblem:
    with pytest.raises(ApiProblem) as raised:
        async with turns.take("a"):
            pass
    return raised.value


class TestTurns:
    async def test_one_at_a_time_of_a_key_and_others_do_not_wait_for_it(self) -> None:
        turns, order = Turns(1), list[str]()
        first, second = asyncio.Event(), asyncio.Event()

        async def request(key: str, name: str, until: asyncio.Event) -> None:
            async with turns.take(key):
                order.append(name)
                await until.wait()

        tasks = [
            asyncio.ensure_future(request(*each))
            for each in (("a", "a1", first), ("a", "a2", second), ("b", "b1", second))
        ]
        await asyncio.sleep(0.01)
        assert order == ["a1", "b1"]

        first.set()
        await asyncio.sleep(0.01)
        assert order == ["a1", "b1", "a2"]

        second.set()
        await asyncio.gather(*tasks)

    async def test_who_waits_too_long_or_with_too_many_is_sent_away(self) -> None:
        turns = Turns(1, waiting=1, seconds=0.05)
        async with turns.take("a"):
            waits = asyncio.ensure_future(refused(turns))
            await asyncio.sleep(0)
            for trouble in (await refused(turns), await waits):
                assert (trouble.code, trouble.headers["Retry-After"]) == ("rate_limited", "1")
        async with turns.take("a"):
            pass

    async def test_batches_of_one_key_are_all_answered(self, client: Any) -> None:
        bodies = [
            {"reminders": [REMINDER | {"to": f"r{b}-{n}@acme.example"} for n in range(20)]}
            for b in range(6)
        ]
        answers = await asyncio.gather(
            *(client.post(body, "/v1/reminders:batch") for body in bodies)
        )

        assert {status for status, _, _ in answers} == {200}


def enter(admin: Admin, api_key: str, key: str) -> idempotency.First | idempotency.FirstAnswer:
    return idempotency.enter(admin.redis, admin.vault, api_key=api_key, key=key, route="/", body={})


def random_text(length: int) -> str:
    return random.Random(length).randbytes(length // 2).hex()


@pytest.fixture
def kept(redis: Redis) -> Callable[[], int]:
    def count() -> int:
        return sum(1 for _ in redis.scan_iter(redis_keys.IDEMPOTENCY + "*"))

    return count


class TestKept:
    async def test_nothing_where_nothing_was_taken_in(self, client: Any, kept: Any) -> None:
        wrong: Any = {"reminders": [{}] * 1000}
        for n in range(3):
            status, answer, _ = await client.post(
                wrong, "/v1/reminders:batch", Idempotency_Key=f"k{n}"
            )
            assert (status, answer["items"][0]["status"]) == (200, 422)

        assert kept() == 0
        assert (await client.post(REMINDER, Idempotency_Key="a"))[0] == 202
        assert (await client.post(REMINDER, Idempotency_Key="b"))[0] == 200
        assert kept() == 1

    async def test_a_partly_refused_batch_is_answered_again_as_it_was(
        self, client: Any, redis: Redis
    ) -> None:
        wanted = [REMINDER | {"to": f"r{n}@acme.example"} for n in range(500)]
        body = {"reminders": [*wanted, *([REMINDER | fields(40)] * 500)]}
        first = await client.post(body, "/v1/reminders:batch", Idempotency_Key="a")
        again = await client.post(body, "/v1/reminders:batch", Idempotency_Key="a")

        assert again[:2] == first[:2]
        assert again[2]["Idempotent-Replayed"] == "true"

        [name] = redis.scan_iter(redis_keys.IDEMPOTENCY + "*")
        value: Any = redis.get(name)
        assert len(value) < 60_000, "of a thousand answers"

    def test_one_key_fills_no_more_than_a_part_of_what_is_left(
        self, admin: Admin, redis: Redis
    ) -> None:
        memory: Any = redis.info("memory")
        space = Space(redis, StoreLimits(memory_max=memory["used_memory"] * 2))
        room = space.free()
        assert room is not None

        kept = {"k": 0, "other": 0}
        for api_key, number in itertools.product(kept, range(50)):
            entered = enter(admin, api_key, str(number))
            assert isinstance(entered, idempotency.First)
            kept[api_key] += entered.keep(idempotency.FirstAnswer(200, random_text(8_000)), space)

        assert all(0 < 4_000 * number <= room / 20 for number in kept.values())
        assert sum(1 for _ in redis.scan_iter(redis_keys.IDEMPOTENCY + "*")) == sum(kept.values())
        assert isinstance(enter(admin, "k", "0"), idempotency.FirstAnswer)

    def test_an_answer_of_any_length_is_not_kept(self, admin: Admin, redis: Redis) -> None:
        entered = enter(admin, "k", "long")
        assert isinstance(entered, idempotency.First)
        assert not entered.keep(
            idempotency.FirstAnswer(200, random_text(600_000)), Space(redis, StoreLimits())
        )
        assert isinstance(enter(admin, "k", "long"), idempotency.First)

    async def test_a_set_up_link_is_not_made_where_there_is_no_room(
        self, client: Any, redis: Redis, admin: Admin
    ) -> None:
        memory: Any = redis.info("memory")
        redis.config_set("maxmemory", int(memory["used_memory"] * 1.1))
        try:
            status, problem, _ = await client.post({"tenant": "acme"}, "/v1/setup-links")
            assert (status, problem["errors"][0]["code"]) == (503, "redis_full")
        finally:
            redis.config_set("maxmemory", 0)

        assert not redis.exists(redis_keys.SETUP + "acme")

    def test_a_request_is_told_from_another_as_versions_before_did(self) -> None:
        body = {
            "reminders": [{"b": 1, "a": ["x", {"z": 1, "y": None}]}, 7],
            "x": {"b": 1, "a": 2},
            "a": [],
        }

        text = json.dumps(["/v1/reminders:batch", body], sort_keys=True)
        assert "".join(idempotency._written("/v1/reminders:batch", body)) == text
        assert (
            idempotency.fingerprint("/v1/reminders:batch", body)
            == hashlib.sha256(text.encode()).hexdigest()
        )


GARBAGE = {**NOT_JSON, **OTHER_JSON, **PAYLOADS}


@pytest.mark.parametrize("path", ["/v1/reminders", "/v1/reminders:batch", "/v1/setup-links"])
async def test_garbage_is_the_senders_fault(client: Any, admin: Admin, path: str) -> None:
    for name, body in GARBAGE.items():
        for sent in (body, b'{"reminders": [' + body + b"]}"):
            status, answer, _ = await client.ask("POST", path, data=io.BytesIO(sent), headers=JSON)
            assert 200 <= status < 500, (name, answer)
            assert status != 200 or {item["status"] for item in answer["items"]} <= {
                202,
                200,
                422,
                403,
            }, name

    assert await client.get("/healthz") == (200, {"ok": True})
