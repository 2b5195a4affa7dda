"""A receipt is given only for what the server keeps; nothing is taken in without room for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from certmail import Mailer, Receipt, Reminder, StoresUnreachable
from certmail.client.batches import BATCH
from certmail_config.admin.admin import open_admin
from certmail_config.base import redis_keys
from certmail_config.base.durability import FSYNC, Durability
from certmail_config.intake.intake_guard import IntakeGuard
from certmail_config.jobs.states import State
from certmail_config.settings import PREFIX, Settings
from certmail_config.stores.capacity import StoreLimits
from support.machine.clocked_ledger import ClockedLedger
from support.servers.replication import DURABLE, Valkey, replica_of, valkey


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of whoever runs the tests must not decide them."""
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(tmp_path_factory.mktemp("servers"))


@pytest.fixture(scope="module")
def started(folder: Path) -> Iterator[Valkey]:
    with valkey(folder / "primary", *DURABLE) as server:
        yield server


@pytest.fixture
def server(started: Valkey, data_dir: Path) -> Iterator[Valkey]:
    """An emptied server with the tenant `acme`."""
    started.redis.flushall()
    with open_admin(Settings(redis_url=started.url, data_dir=data_dir)) as admin:
        admin.add_tenant("acme")
    yield started
    started.redis.config_set("maxmemory", 0)
    started.redis.config_set("appendfsync", "always")


def reminder(n: int = 0) -> Reminder:
    return Reminder(tenant="acme", to=f"reviewer{n}@acme.example", campaign="q4")


def jobs(redis: Redis) -> int:
    found: Any = redis.zcard(redis_keys.DUE)
    return int(found)


def refused(send: Callable[[], object]) -> StoresUnreachable:
    with pytest.raises(StoresUnreachable) as raised:
        send()
    assert raised.value.remedy
    return raised.value


class TestDurability:
    def test_a_server_that_does_not_keep_what_it_takes_is_refused_at_once(
        self, server: Valkey
    ) -> None:
        server.redis.config_set("appendfsync", "everysec")
        error = refused(lambda: Mailer.from_env(Settings(redis_url=server.url)))
        assert error.code == "durability_unproven"
        with Mailer.from_env(Settings(redis_url=server.url, durability="declared")) as mailer:
            assert mailer.send(reminder())

    def test_status_can_be_asked_of_any_but_nothing_is_sent(self, server: Valkey) -> None:
        server.redis.config_set("appendfsync", "everysec")
        with Mailer.from_env(Settings(redis_url=server.url), proven=False) as mailer:
            assert mailer.status("x") is None
            assert refused(lambda: mailer.send(reminder())).code == "durability_unproven"
        assert jobs(server.redis) == 0

    def test_a_server_that_was_started_anew_must_prove_it_again(
        self, folder: Path, tmp_path: Path
    ) -> None:
        with valkey(folder / "again", *DURABLE) as before:
            with open_admin(Settings(redis_url=before.url, data_dir=tmp_path)) as admin:
                admin.add_tenant("acme")
            mailer = Mailer(before.redis)
            mailer.send(reminder())
            before.redis.config_set("appendfsync", "everysec")
            mailer.send(reminder(1))  # as long as it runs, its word counts

        with valkey(folder / "again", "--appendonly", "yes", port=before.port):
            IntakeGuard(before.redis, Durability.parse("declared"), StoreLimits()).look(1)
            mailer._intake_guard._good_until = 0
            assert refused(lambda: mailer.send(reminder(2))).code == "durability_unproven"
            assert jobs(before.redis) == 2


class TestReplicas:
    def test_a_receipt_is_given_when_the_replica_has_it_and_only_then(
        self, server: Valkey, folder: Path
    ) -> None:
        settings = Settings(redis_url=server.url, durability="replicas:1")
        assert refused(lambda: Mailer.from_env(settings)).code == "durability_unproven"

        with replica_of(server, folder / "replica") as replica, Mailer.from_env(settings) as mailer:
            first = mailer.send(reminder(1))
            assert jobs(replica.redis) == 1

            replica.freeze()
            error = refused(lambda: mailer.send(reminder(2)))
            assert error.code == "not_durable"
            assert "not sent twice" in error.remedy
            # A duplicate writes nothing, and is not confirmed for that.
            assert refused(lambda: mailer.send(reminder(2))).code == "not_durable"
            assert (
                refused(lambda: list(mailer.send_many([reminder(1), reminder(2)]))).code
                == "not_durable"
            )

            replica.thaw()
            answers = list(mailer.send_many([reminder(1), reminder(2)]))
            assert all(isinstance(answer, Receipt) and answer.duplicate for answer in answers)
            assert isinstance(answers[0], Receipt)
            assert answers[0].id == first.id
            assert jobs(server.redis) == jobs(replica.redis) == 2

        assert refused(lambda: mailer.send(reminder(3))).code == "not_durable"


class TestRoom:
    def test_a_full_server_takes_nothing_of_a_batch_and_says_figures(self, server: Valkey) -> None:
        memory: Any = server.redis.info("memory")
        server.redis.config_set("maxmemory", memory["used_memory"] + 16_000_000)
        bench = ClockedLedger(server.redis)
        bench.enqueue("under-way")
        bench.fly("under-way")
        mailer = Mailer(server.redis)
        answers: list[object] = []
        error = refused(
            lambda: answers.extend(mailer.send_many(reminder(n) for n in range(20_000)))
        )

        assert error.code == "redis_full"
        assert "at 85% nothing more is taken in" in error.message
        assert len(answers) % BATCH == 0
        assert jobs(server.redis) - 1 == len(answers) > 0
        assert bench.settle("under-way") == State.ACCEPTED, "what was begun has room to be settled"

        memory = server.redis.info("memory")
        assert memory["used_memory"] < 0.95 * memory["maxmemory"]

        server.redis.config_set("maxmemory", 0)
        assert mailer.send(reminder(20_001))

    def test_a_server_without_a_limit_has_the_one_that_is_set(self, server: Valkey) -> None:
        settings = Settings(redis_url=server.url, redis_memory_max=1024**2)
        with Mailer.from_env(settings) as mailer:
            assert refused(lambda: mailer.send(reminder())).code == "redis_full"
        assert jobs(server.redis) == 0

    def test_a_record_that_is_behind_stops_it_too_until_it_has_caught_up(
        self, server: Valkey
    ) -> None:
        mailer = Mailer(server.redis, limits=StoreLimits(events_max=1000))
        for _ in range(850):
            server.redis.xadd(redis_keys.EVENTS, {"a": "b"})
        error = refused(lambda: mailer.send(reminder()))

        assert error.code == "stream_full"
        assert "of 1,000" in error.message

        server.redis.xtrim(redis_keys.EVENTS, maxlen=100, approximate=False)
        assert mailer.send(reminder())


class TestTheLookout:
    def test_with_little_room_it_looks_once_a_second_or_per_two_hundred(
        self, server: Valkey
    ) -> None:
        now = [0.0]
        limits = StoreLimits(events_max=1000)
        intake_guard = IntakeGuard(server.redis, FSYNC, limits, monotonic=lambda: now[0])

        def asked(jobs: int) -> bool:
            def calls() -> int:
                stats: Any = server.redis.info("commandstats")
                return int(stats["cmdstat_xlen"]["calls"])

            before = calls()
            intake_guard.look(jobs)
            return calls() > before

        server.redis.xlen(redis_keys.EVENTS)
        assert [asked(jobs) for jobs in (1, 1, 198, 1, 200, 1)] == [
            True,
            False,
            False,
            True,
            True,
            True,
        ]

        now[0] = 0.9
        assert not asked(1)

        now[0] = 1.0
        assert asked(1)
