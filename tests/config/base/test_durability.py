"""Durability: what a server must show before anything is promised on it, seen on real servers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from certmail_config.base.durability import (
    Durability,
    DurabilityKind,
    Server,
    find_unproven,
    prove,
    read_server,
)
from certmail_config.base.errors import SettingsError, StoresUnreachable
from certmail_config.settings import Settings
from certmail_config.stores.connect import connect, redis_server
from certmail_config.stores.health import durability_fact
from support.servers.replication import DURABLE, Valkey, replica_of, valkey

ALL = ["fsync", "replicas:1", "declared", "none"]
GOOD = Server("master", 2, "noeviction", True, True, "yes", "always")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(tmp_path_factory.mktemp("servers"))


@pytest.fixture(scope="module")
def started(folder: Path) -> Iterator[Valkey]:
    with valkey(folder / "one", *DURABLE) as server:
        yield server


@pytest.fixture
def server(started: Valkey) -> Valkey:
    for option, value in zip(DURABLE[::2], DURABLE[1::2], strict=True):
        started.redis.config_set(option.removeprefix("--"), value)
    return started


def refusal(server: Valkey, durability: str) -> StoresUnreachable:
    with (
        pytest.raises(StoresUnreachable) as raised,
        redis_server(settings(server, durability), proven=True),
    ):
        pass
    error = raised.value
    assert error.code == "durability_unproven"
    assert f"CERTMAIL_DURABILITY={durability} is not proven" in error.message
    assert all(choice in error.remedy for choice in ("fsync", "replicas:N", "declared", "none"))
    return error


def settings(server: Valkey, durability: str) -> Settings:
    return Settings(redis_url=server.url, durability=durability)


def accepts(server: Valkey, durability: str) -> bool:
    with redis_server(settings(server, durability), proven=True) as url:
        return url == server.url


class TestTheSetting:
    @pytest.mark.parametrize("text", [*ALL, "replicas:12"])
    def test_a_choice_is_read_and_written_alike(self, text: str) -> None:
        assert str(Durability.parse(Settings(durability=text).durability)) == text

    @pytest.mark.parametrize(
        "text", ["FSYNC", "replicas", "replicas:0", "replicas:-1", "replicas:100", "x"]
    )
    def test_anything_else_is_refused_by_name(
        self, text: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CERTMAIL_DURABILITY", text)
        with pytest.raises(SettingsError, match="CERTMAIL_DURABILITY"):
            Settings.from_env()

    def test_the_default_is_fsync_which_the_embedded_server_keeps(self, tmp_path: Path) -> None:
        with redis_server(Settings(data_dir=tmp_path), proven=True) as url, connect(url) as redis:
            assert durability_fact(redis, Durability.parse(Settings().durability)).severity == "ok"


@pytest.mark.parametrize(
    ("durability", "change", "word"),
    [
        ("fsync", {}, None),
        ("fsync", {"appendfsync": "everysec"}, "appendfsync is everysec"),
        ("fsync", {"appendfsync": None, "appendonly": None}, "hides its CONFIG"),
        ("fsync", {"aof_enabled": False}, "appendonly is no"),
        ("fsync", {"aof_written": False}, "last write to disk failed"),
        ("fsync", {"role": "slave"}, "is a replica"),
        ("fsync", {"eviction": "volatile-lru"}, "maxmemory-policy is volatile-lru"),
        ("fsync", {"eviction": None}, "hides its maxmemory-policy"),
        ("replicas:2", {"aof_enabled": False}, None),
        ("replicas:2", {"online": 1}, "1 of 2 replicas are online"),
        ("replicas:2", {"eviction": "allkeys-lru"}, "allkeys-lru"),
        ("replicas:2", {"role": "slave"}, "is a replica"),
        (
            "declared",
            {"appendfsync": None, "appendonly": None, "eviction": None, "online": 0},
            None,
        ),
        ("declared", {"aof_enabled": False}, None),
        ("declared", {"eviction": "volatile-lru"}, "volatile-lru"),
        (
            "none",
            {"role": "slave", "eviction": "allkeys-lru", "aof_enabled": False, "online": 0},
            None,
        ),
    ],
)
def test_what_speaks_against_a_choice(
    durability: str, change: dict[str, object], word: str | None
) -> None:
    found = find_unproven(replace(GOOD, **change), Durability.parse(durability))  # type: ignore[arg-type]
    assert (found is None) == (word is None)
    assert found is None or (word or "") in found.why


class TestOnARealServer:
    def test_one_that_writes_before_it_answers_is_accepted(self, server: Valkey) -> None:
        assert accepts(server, "fsync")

    @pytest.mark.parametrize("fsync", ["everysec", "no"])
    def test_one_that_writes_later_is_refused_until_somebody_takes_that_on_themselves(
        self, server: Valkey, fsync: str
    ) -> None:
        server.redis.config_set("appendfsync", fsync)
        assert f"appendfsync is {fsync}" in refusal(server, "fsync").message
        assert accepts(server, "declared")
        assert accepts(server, "none")

    def test_one_without_a_file_is_refused(self, server: Valkey) -> None:
        server.redis.config_set("appendonly", "no")
        assert "appendonly is no" in refusal(server, "fsync").message

    def test_one_that_throws_away_what_it_holds_is_refused_whatever_is_declared(
        self, server: Valkey
    ) -> None:
        server.redis.config_set("maxmemory-policy", "allkeys-lru")
        for durability in ("fsync", "declared"):
            error = refusal(server, durability)
            assert "allkeys-lru" in error.message
            assert "noeviction" in error.remedy
        assert accepts(server, "none")

    def test_a_renamed_config_is_as_good_as_hidden(self, folder: Path) -> None:
        with valkey(folder / "renamed", *DURABLE, "--rename-command", "CONFIG", "") as server:
            assert "hides its CONFIG" in refusal(server, "fsync").message
            assert accepts(server, "declared")
            fact = durability_fact(server.redis, Durability.parse("declared"))
        assert (fact.severity, bool(fact.remedy)) == ("warning", True)

    def test_so_is_one_that_our_user_may_not_read(self, server: Valkey) -> None:
        server.redis.acl_setuser(
            "ann",
            enabled=True,
            passwords=["+pw"],
            keys=["*"],
            channels=["*"],
            commands=["+@all", "-config"],
        )

        url = server.url.replace("redis://", "redis://ann:pw@")
        with connect(url) as redis, pytest.raises(StoresUnreachable) as raised:
            prove(redis, Durability(DurabilityKind.FSYNC))
        assert "hides its CONFIG" in raised.value.message
        with redis_server(Settings(redis_url=url, durability="declared"), proven=True) as used:
            assert used == url

    def test_replicas_are_counted(self, server: Valkey, folder: Path) -> None:
        assert "0 of 1 replicas are online" in refusal(server, "replicas:1").message
        with replica_of(server, folder / "replica") as replica:
            assert accepts(server, "replicas:1")
            assert "1 of 2 replicas are online" in refusal(server, "replicas:2").message
            assert "it is a replica" in refusal(replica, "fsync").message
            assert read_server(server.redis).online == 1
        assert "0 of 1 replicas are online" in refusal(server, "replicas:1").message

    def test_whoever_only_looks_needs_no_proof(self, server: Valkey) -> None:
        server.redis.config_set("appendfsync", "no")
        with redis_server(Settings(redis_url=server.url)) as url:
            assert url == server.url


class TestFacts:
    def test_a_promise_that_is_not_made_is_a_warning_in_plain_words(self, server: Valkey) -> None:
        fact = durability_fact(server.redis, Durability(DurabilityKind.NONE))
        assert fact.severity == "warning"
        assert "may be lost, or sent twice" in fact.message

    def test_a_broken_one_is_an_error_with_a_remedy(self, server: Valkey) -> None:
        server.redis.config_set("appendfsync", "everysec")
        fact = durability_fact(server.redis, Durability(DurabilityKind.FSYNC))
        assert (fact.severity, bool(fact.remedy)) == ("error", True)
