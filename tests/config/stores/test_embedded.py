"""The embedded server: started by its first user, stopped by its last.

It never runs twice on the same files.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from certmail_config.base.errors import StoresUnreachable
from certmail_config.stores.connect import connect
from certmail_config.stores.embedded import _alive, embedded_server, socket_path, supervised

USER = """
import sys
from pathlib import Path
from certmail_config.stores.embedded import embedded_server
with embedded_server(Path(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.readline()
"""


def server_pid(data_dir: Path) -> int:
    return int((data_dir / "valkey" / "valkey.pid").read_text("ascii"))


@pytest.fixture
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data directory whose path is short enough for a socket.

    A failed test leaves no server behind.
    """
    folder = tmp_path_factory.mktemp("e")
    yield folder / "data"
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if bytes(folder) + b"/" in command.read_bytes():
                os.kill(int(command.parent.name), signal.SIGKILL)


@contextmanager
def server(data_dir: Path) -> Iterator[Redis]:
    with embedded_server(data_dir) as url, connect(url) as redis:
        yield redis


@contextmanager
def another_process(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another user of the server, in a process of its own.

    It leaves when its standard input ends.
    """
    command = [sys.executable, "-c", USER, str(data_dir)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as user:
        try:
            assert user.stdout is not None
            assert user.stdout.readline() == "in\n"
            yield user
        finally:
            if user.stdin is not None:
                user.stdin.close()
            user.wait(20)


@pytest.fixture
def deep(data_dir: Path) -> Iterator[Path]:
    """A data directory whose path is too long for a socket."""
    deep = data_dir.joinpath(*["d" * 60] * 4)
    yield deep
    shutil.rmtree(socket_path(deep).parent)


def refusal(data_dir: Path) -> StoresUnreachable:
    with pytest.raises(StoresUnreachable) as raised, embedded_server(data_dir):
        pass
    return raised.value


class TestUsers:
    def test_the_first_starts_it_and_the_last_stops_it(self, data_dir: Path) -> None:
        with server(data_dir) as redis:
            redis.set("k", "v")
            pid = server_pid(data_dir)
            with server(data_dir) as same:
                assert same.get("k") == b"v"
            assert _alive(pid)
            assert redis.get("k") == b"v"
        assert not _alive(pid)

    def test_another_process_finds_it_running_and_leaves_it_so(self, data_dir: Path) -> None:
        with server(data_dir) as redis:
            with another_process(data_dir):
                pass
            assert redis.ping()

    def test_it_outlives_the_process_that_started_it_while_another_uses_it(
        self, data_dir: Path
    ) -> None:
        with another_process(data_dir) as starter:
            pid = server_pid(data_dir)
            with server(data_dir) as redis:
                assert starter.stdin is not None
                starter.stdin.close()
                assert starter.wait(20) == 0
                assert redis.ping()
                assert server_pid(data_dir) == pid

        assert not _alive(pid)

    def test_what_a_killed_user_leaves_behind_is_found_running_and_stopped_by_the_last(
        self, data_dir: Path
    ) -> None:
        with another_process(data_dir) as user:
            pid = server_pid(data_dir)
            user.kill()
            assert user.wait(20) == -signal.SIGKILL
        assert _alive(pid)
        with server(data_dir) as redis:
            assert redis.info("server")["process_id"] == pid
        assert not _alive(pid)

    def test_it_stops_for_a_user_that_ends_in_an_error_too(self, data_dir: Path) -> None:
        pids = []

        def fail() -> None:
            with server(data_dir):
                pids.append(server_pid(data_dir))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert not _alive(pids[0])

    def test_many_that_come_at_once_share_one(self, data_dir: Path) -> None:
        def use(_: int) -> int:
            with server(data_dir) as redis:
                time.sleep(0.2)
                return int(redis.info("server")["process_id"])

        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(use, range(8)))) == 1

    def test_one_that_does_not_answer_is_waited_for_and_gets_no_second_one_on_its_files(
        self, data_dir: Path
    ) -> None:
        def use() -> int:
            with server(data_dir) as redis:
                return int(redis.info("server")["process_id"])

        with server(data_dir) as redis, ThreadPoolExecutor(1) as pool:
            redis.config_set("maxclients", 1)  # all others are turned away
            waiting = pool.submit(use)
            time.sleep(0.3)
            assert not waiting.done()
            redis.config_set("maxclients", 100)
            assert waiting.result(timeout=20) == redis.info("server")["process_id"]


class TestData:
    def test_data_survive_a_restart(self, data_dir: Path) -> None:
        with server(data_dir) as redis:
            redis.set("k", "v")
        with server(data_dir) as redis:
            assert redis.get("k") == b"v"

    def test_data_survive_a_kill(self, data_dir: Path) -> None:
        with server(data_dir) as redis:
            redis.set("k", "v")
            os.kill(server_pid(data_dir), signal.SIGKILL)
        with server(data_dir) as redis:
            assert redis.get("k") == b"v"

    def test_every_write_is_on_disk_before_it_is_answered_and_none_is_evicted(
        self, data_dir: Path
    ) -> None:
        with server(data_dir) as redis:
            for name, value in {
                "appendonly": "yes",
                "appendfsync": "always",
                "maxmemory-policy": "noeviction",
                "aof-load-truncated": "no",
                "save": "",
            }.items():
                assert redis.config_get(name) == {name: value}

    def test_a_server_that_dies_is_started_again_for_those_who_stay(self, data_dir: Path) -> None:
        with server(data_dir) as redis, supervised(data_dir):
            redis.set("k", "v")
            pid = server_pid(data_dir)
            os.kill(pid, signal.SIGKILL)
            # While it loads its file it answers INFO, but no GET: both are asked for until both are
            # answered.
            deadline, again, value = time.monotonic() + 20, pid, None

            while (again == pid or value is None) and time.monotonic() < deadline:
                with suppress(RedisError):
                    again = redis.info("server")["process_id"]
                    value = redis.get("k")

            assert again != pid
            assert value == b"v"

    @pytest.mark.parametrize("damage", ["truncated", "altered"])
    def test_a_damaged_file_stops_the_start_with_one_sentence(
        self, data_dir: Path, damage: str
    ) -> None:
        with server(data_dir) as redis:
            redis.set("k", "v" * 100)
        (log,) = (data_dir / "valkey" / "appendonlydir").glob("*.incr.aof")
        whole = log.read_bytes()
        log.write_bytes(whole[:-20] if damage == "truncated" else whole.replace(b"*3", b"*x"))
        refused = refusal(data_dir)
        assert refused.code == "embedded_failed"
        assert refused.message.startswith("The embedded Valkey did not start: ")
        assert "\n" not in refused.message
        assert str(data_dir / "valkey" / "valkey.log") in refused.remedy

        log.write_bytes(whole)
        with server(data_dir) as redis:
            assert redis.strlen("k") == 100


class TestPlaces:
    def test_nobody_else_may_look_into_it(self, data_dir: Path) -> None:
        with server(data_dir) as redis:
            assert stat.S_IMODE((data_dir / "valkey").stat().st_mode) == 0o700
            assert stat.S_IMODE(socket_path(data_dir).stat().st_mode) == 0o700
            assert redis.config_get("port") == {"port": "0"}

    @pytest.mark.parametrize(
        "name", ["with space", "ha#sh", "que?ry", "per%41cent", "at@colon:", "Zürich"]
    )
    def test_a_directory_may_be_called_anything(self, data_dir: Path, name: str) -> None:
        with server(data_dir / name) as redis:
            assert redis.ping()
            pid = server_pid(data_dir / name)
        assert not _alive(pid)

    def test_a_very_long_path_works_through_a_private_directory(self, deep: Path) -> None:
        socket = socket_path(deep)
        assert len(os.fsencode(socket)) < 107
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        with server(deep) as redis:
            assert redis.ping()
            pid = server_pid(deep)
        assert not _alive(pid)
        assert socket_path(deep) == socket

    def test_a_private_directory_that_is_open_to_others_is_not_trusted(self, deep: Path) -> None:
        private = socket_path(deep).parent
        private.chmod(0o755)
        refused = refusal(deep)
        private.chmod(0o700)
        assert refused.code == "data_dir_unusable"
        assert str(private) in refused.message

    def test_a_relative_path_is_the_same_place(
        self, data_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data_dir.mkdir()
        monkeypatch.chdir(data_dir.parent)
        assert socket_path(Path("data")) == socket_path(data_dir)

    def test_a_place_that_cannot_be_used_is_said_to_be_that(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        refused = refusal(tmp_path / "file" / "data")
        assert refused.code == "data_dir_unusable"
        assert "Not a directory" in refused.message
        assert "CERTMAIL_DATA_DIR" in refused.remedy

    def test_a_socket_that_cannot_be_made_is_said_to_be_that(self, data_dir: Path) -> None:
        socket_path(data_dir).mkdir(parents=True)
        refused = refusal(data_dir)
        assert refused.code == "embedded_failed"
        assert "\n" not in refused.message
