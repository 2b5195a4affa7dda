"""Reaching the stores: one sentence for each thing that can be wrong.

There is no password in any of them.
"""

from __future__ import annotations

import socketserver
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from certmail_config.base.errors import CertmailError, SettingsError, StoresUnreachable
from certmail_config.settings import Settings, parse_vault_key
from certmail_config.stores.connect import (
    check_redis,
    connect,
    connect_async,
    database_url,
    hide_password,
    make_data_dir,
    redis_server,
    vault_keys,
)
from certmail_config.stores.vault_file import new_vault_key

OLD_ANSWERS = {
    b"HELLO": b"%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n",
    b"PING": b"+PONG\r\n",
    b"INFO": b"$20\r\nredis_version:6.0.16\r\n",
}


class OldRedis(socketserver.StreamRequestHandler):
    """As much of a Redis as it takes to be asked for its version."""

    def handle(self) -> None:
        while line := self.rfile.readline():
            words = [
                self.rfile.readline() and self.rfile.readline().strip()
                for _ in range(int(line[1:]))
            ]
            self.wfile.write(OLD_ANSWERS.get(words[0].upper(), b"+OK\r\n"))


class WebServer(socketserver.StreamRequestHandler):
    """Something else that listens."""

    def handle(self) -> None:
        self.rfile.readline()
        self.wfile.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@contextmanager
def listening(handler: type[socketserver.StreamRequestHandler]) -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"redis://127.0.0.1:{server.server_address[1]}/0"
        finally:
            server.shutdown()
            thread.join()


def refusal(url: str) -> CertmailError:
    with pytest.raises((StoresUnreachable, SettingsError)) as raised:
        check_redis(url)
    assert raised.value.remedy
    return raised.value


class TestCheckRedis:
    def test_a_server_that_is_new_enough_is_known_by_name_and_version(
        self, redis: Redis, redis_url: str
    ) -> None:
        assert check_redis(redis_url) == ("Valkey", redis.info("server")["valkey_version"])

    def test_one_that_is_too_old_is_refused_with_both_versions(self) -> None:
        with listening(OldRedis) as url:
            refused = refusal(url)
        assert refused.code == "redis_too_old"
        assert "Redis 6.0.16" in refused.message
        assert "6.2 or newer" in refused.message

    def test_a_port_where_nothing_listens_is_unreachable(self) -> None:
        with listening(OldRedis) as url:
            pass
        refused = refusal(url)
        assert refused.code == "redis_unreachable"
        assert url in refused.message
        assert "refused" in refused.message

    def test_a_socket_that_is_not_there_is_unreachable(self, tmp_path: Path) -> None:
        assert refusal(f"unix://{tmp_path}/valkey.sock").code == "redis_unreachable"

    def test_something_else_that_listens_is_no_redis(self) -> None:
        with listening(WebServer) as url:
            assert refusal(url).code == "redis_unreachable"

    @pytest.mark.parametrize("credentials", ["", ":wrong@", "nobody:wrong@"])
    def test_a_wrong_password_or_none_is_told_apart(
        self, redis: Redis, redis_url: str, credentials: str
    ) -> None:
        redis.config_set("requirepass", "right")

        try:
            refused = refusal(redis_url.replace("unix://", f"unix://{credentials}"))
            assert check_redis(redis_url.replace("unix://", "unix://:right@"))
        finally:
            redis.config_set("requirepass", "")

        assert refused.code == "redis_auth"
        assert "CERTMAIL_REDIS_URL" in refused.remedy
        assert "wrong" not in refused.message.replace("WRONGPASS", "")

    @pytest.mark.parametrize(
        "url",
        [
            "nonsense", "", "http://hunter2.example", "postgresql://:hunter2@host/db", "redis://host:hunter2", "redis://host:99999",
            "redis://:hun/ter2@host:6379/0", "redis://:hun#ter2@host:6379/0", "redis://:hun?ter2@host:6379/0",
            "redis://host?hunter2=1", "redis://host?socket_timeout=hunter2", "redis://[hunter2",
        ],
    )  # fmt: skip
    def test_an_url_that_makes_no_sense_is_a_wrong_setting_and_nothing_of_it_is_repeated(
        self, url: str
    ) -> None:
        refused = refusal(url)
        assert isinstance(refused, SettingsError)
        assert refused.message.startswith("CERTMAIL_REDIS_URL")
        text = str(refused.as_json())
        assert not any(part in text for part in ("hunter2", "hun", "ter2"))

    def test_an_unreachable_server_is_named_without_its_password(self) -> None:
        refused = refusal("redis://ann:hunter2@127.0.0.1:1/0?client_name=hunter3")
        assert refused.code == "redis_unreachable"
        assert "redis://…@127.0.0.1:1/0 " in refused.message
        assert "hunter" not in refused.message


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("redis://:hunter2@host:6379/0", "redis://…@host:6379/0"),
        ("rediss://ann:hunter2@host", "rediss://…@host"),
        ("redis://ann:h@nter@2@host/1", "redis://…@host/1"),
        ("redis://host/0?password=hunter2", "redis://host/0"),
        ("redis://:x@host/0?password=h@nter2", "redis://…@host/0"),
        ("unix:///run/valkey.sock", "unix:///run/valkey.sock"),
        ("unix://:hunter2@/run/valkey.sock", "unix://…@/run/valkey.sock"),
    ],
)
def test_an_url_is_shown_without_what_is_secret(url: str, shown: str) -> None:
    assert hide_password(url) == shown


class TestClients:
    def test_a_synchronous_one_is_connected(self, redis: Redis, redis_url: str) -> None:
        with connect(redis_url) as client:
            client.set("k", "v")
        assert redis.get("k") == b"v"

    async def test_an_asynchronous_one_too(self, redis: Redis, redis_url: str) -> None:
        async with connect_async(redis_url) as client:
            await client.set("k", "v")
        assert redis.get("k") == b"v"


class TestRedisServer:
    def test_a_configured_one_is_checked_and_used(self, redis_url: str, tmp_path: Path) -> None:
        with redis_server(Settings(redis_url=redis_url, data_dir=tmp_path / "data")) as url:
            assert url == redis_url
        assert not (tmp_path / "data").exists()

    def test_one_that_cannot_be_used_is_refused_before_anything_is_done(
        self, tmp_path: Path
    ) -> None:
        settings = Settings(redis_url=f"unix://{tmp_path}/valkey.sock")
        with pytest.raises(StoresUnreachable), redis_server(settings):
            pass

    @pytest.mark.parametrize("supervise", [False, True])
    def test_without_one_it_is_the_embedded_one(self, tmp_path: Path, supervise: bool) -> None:
        with (
            redis_server(Settings(data_dir=tmp_path), supervise=supervise) as url,
            connect(url) as client,
        ):
            assert client.ping()
        assert (tmp_path / "valkey" / "appendonlydir").is_dir()


class TestTheDatabase:
    def test_a_configured_one_is_used_as_it_is(self, tmp_path: Path) -> None:
        settings = Settings(
            database_url="postgresql+psycopg://ann:pw@host/db", data_dir=tmp_path / "data"
        )
        assert database_url(settings) == "postgresql+psycopg://ann:pw@host/db"
        assert not (tmp_path / "data").exists()

    def test_without_one_it_is_a_file_in_the_data_directory_which_is_made_for_its_owner_only(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        settings = Settings(data_dir=Path("deep/data"))
        assert database_url(settings) == f"sqlite:///{tmp_path}/deep/data/certmail.sqlite"
        assert stat.S_IMODE((tmp_path / "deep" / "data").stat().st_mode) == 0o700

    def test_a_data_directory_that_cannot_be_made_is_said_to_be_that(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        settings = Settings(data_dir=tmp_path / "file" / "data")
        for use in (database_url, vault_keys, make_data_dir):
            with pytest.raises(StoresUnreachable) as raised:
                use(settings)
            assert raised.value.code == "data_dir_unusable"
            assert "CERTMAIL_DATA_DIR" in raised.value.remedy


class TestVaultKeys:
    def test_configured_ones_are_used_and_none_is_made(self, tmp_path: Path) -> None:
        keys = (("k1", bytes(32)),)
        assert vault_keys(Settings(vault_keys=keys, data_dir=tmp_path / "data")) == keys
        assert not (tmp_path / "data").exists()

    def test_one_is_made_once_for_its_owner_only(self, tmp_path: Path) -> None:
        settings = Settings(data_dir=tmp_path / "data")
        keys = vault_keys(settings)
        assert len(keys) == 1
        assert stat.S_IMODE((tmp_path / "data" / "vault.key").stat().st_mode) == 0o600
        assert vault_keys(settings) == keys
        assert sorted(path.name for path in settings.data_dir.iterdir()) == [
            "vault.key",
            "vault.lock",
        ]

    def test_processes_that_come_at_once_get_the_same_one(self, tmp_path: Path) -> None:
        start = threading.Barrier(4)

        def use(settings: Settings) -> object:
            start.wait()
            return vault_keys(settings)

        with ThreadPoolExecutor(4) as pool:
            for n in range(20):
                assert len(set(pool.map(use, [Settings(data_dir=tmp_path / str(n))] * 4))) == 1

    def test_none_is_made_where_a_database_holds_what_a_lost_one_sealed(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "certmail.sqlite").write_bytes(b"")
        with pytest.raises(SettingsError) as raised:
            vault_keys(Settings(data_dir=tmp_path))
        assert raised.value.code == "vault_key_missing"
        assert "certmail.sqlite" in raised.value.message
        assert "CERTMAIL_VAULT_KEYS" in raised.value.remedy
        assert not (tmp_path / "vault.key").exists()

    def test_for_a_database_elsewhere_one_is_made_only_when_asked(self, tmp_path: Path) -> None:
        settings = Settings(database_url="sqlite:////elsewhere", data_dir=tmp_path / "data")
        assert vault_keys(settings) == ()
        assert not (tmp_path / "data").exists()
        made = vault_keys(settings, make=True)
        assert len(made) == 1
        assert vault_keys(settings) == made

    def test_a_file_that_holds_no_key_is_refused_and_not_repeated(self, tmp_path: Path) -> None:
        (tmp_path / "vault.key").write_text("hunter2")
        with pytest.raises(SettingsError) as raised:
            vault_keys(Settings(data_dir=tmp_path))
        assert "hunter2" not in str(raised.value.as_json())

    def test_a_new_key_has_the_form_of_the_setting_and_is_never_the_same(self) -> None:
        made = [parse_vault_key(new_vault_key()) for _ in range(20)]
        assert len({key for _, key in made}) == len({key_id for key_id, _ in made}) == 20
