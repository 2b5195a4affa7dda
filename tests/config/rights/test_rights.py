"""What the users of `certmail redis acl` are given: pure, and by the servers themselves."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, ResponseError
from redis.retry import Retry

from certmail_config.base import redis_keys as keys
from certmail_config.base.ids import JobId
from certmail_config.ledger import cancel, close
from certmail_config.ledger import run as run_call
from certmail_config.ledger.script import SHARED, lua_files
from certmail_config.rights.acl import ADMINISTRATOR, as_commands, as_file, users
from certmail_config.rights.commands import Want, want_of
from certmail_config.rights.roles import PRODUCERS_SCRIPTS, Role, every_key, rights_of
from certmail_config.rights.rules import ServerVersion, rules_of
from certmail_config.rights.touches import ANY, touches
from certmail_config.stores.connect import connect
from certmail_worker.runtime import transport
from support.processes.documented import commands, run
from support.servers.engines import ENGINES, running
from support.servers.operated import operated

SCRIPTS = sorted(lua_files().keys() - set(SHARED))
VERSIONS = {"valkey": ServerVersion.REDIS_7_2, "redis-6.2": ServerVersion.REDIS_6_2}


class TestWhatAScriptTouches:
    @pytest.mark.parametrize("script", SCRIPTS)
    def test_every_command_is_known_and_every_key_is_certmails(self, script: str) -> None:
        known = every_key() | {ANY, ""}
        for touch in touches(script):
            assert touch.key in known, touch
            if touch.key:
                want_of(touch.command)

    @pytest.mark.parametrize("script", PRODUCERS_SCRIPTS)
    def test_of_what_producers_run_every_key_can_be_followed(self, script: str) -> None:
        assert ANY not in {touch.key for touch in touches(script)}

    def test_what_is_written_out_is_found(self) -> None:
        found = {(touch.command, touch.key) for touch in touches("enqueue")}
        assert {
            ("MSET", keys.BODY),
            ("MSET", keys.DEDUPE),
            ("MSET", keys.CLOCK),
            ("ZADD", keys.LANE),
            ("ZADD", keys.LATER),
            ("ZRANK", keys.LATER),
            ("HDEL", keys.TAKEN),
            ("XADD", keys.EVENTS),
        } <= found
        assert not [key for command, key in found if key == keys.BODY and command == "GET"]


class TestWhatAProducerMay:
    def test_no_command_of_its_reads_content_or_events(self) -> None:
        for touch in rights_of(Role.PRODUCER).touches:
            if touch.key == keys.BODY:
                assert want_of(touch.command) is Want.WRITE, touch
            if touch.key == keys.EVENTS:
                assert touch.command in {"XADD", "XLEN"}, touch

    @pytest.mark.parametrize(
        "key", [keys.TOKEN, keys.CONNECTION, keys.API_KEYS, keys.SESSION, keys.SETUP, keys.DEPLOYMENT, keys.CHECKED_RUN, keys.EPOCH]
    )  # fmt: skip
    def test_it_has_nothing_of(self, key: str) -> None:
        assert key not in {touch.key for touch in rights_of(Role.PRODUCER).touches}

    def test_it_can_take_away_content_but_no_job_lane_or_event(self) -> None:
        removed = {t.key for t in rights_of(Role.PRODUCER).touches if t.command == "DEL"}
        assert keys.BODY in removed
        assert not removed & {keys.JOB, keys.EVENTS, keys.DUE, keys.LANE, keys.TENANT, keys.WAKE}


def test_a_worker_may_do_what_the_transports_script_does() -> None:
    [file] = Path(transport.__path__[0]).glob("*.lua")
    called = set(re.findall(r"redis\.call\('([A-Z]+)'", file.read_text()))
    assert called <= {touch.command for touch in rights_of(Role.WORKER).touches}


@pytest.mark.parametrize("script", ["settle", "close"])
def test_the_console_may_settle_what_nobody_knows(script: str) -> None:
    wanted = {(touch.command, touch.key) for touch in touches(script) if touch.key}
    assert wanted <= {(touch.command, touch.key) for touch in rights_of(Role.GATEWAY).touches}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_server_takes_the_rules_and_they_say_what_they_are_for(engine: str) -> None:
    made = users("certmail", ["certmail-producer-hr"])
    passwords = {user.name: f"a password of {user.name}" for user in made}
    with running(engine) as server:
        for line in as_commands(made, passwords, VERSIONS[engine], 0):
            if line and not line.startswith("#"):
                assert server.execute_command(*line.split()) == b"OK", line  # type: ignore[no-untyped-call]

        for user in made:
            with _as(server, user.name, passwords[user.name]) as client:
                assert client.ping()
        names: Any = server.acl_users()
        assert set(names) == {ADMINISTRATOR, *(user.name for user in made)}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_server_starts_with_the_file(engine: str, tmp_path: Path) -> None:
    made = users("certmail")
    passwords = {name: f"a password of {name}" for name in (ADMINISTRATOR, "certmail-worker")}
    file = tmp_path / "users.acl"
    file.write_text("\n".join(as_file(made, passwords, VERSIONS[engine], 0)) + "\n")

    with running(engine, "--aclfile", str(file), login=(ADMINISTRATOR, passwords[ADMINISTRATOR])) as server:  # fmt: skip
        with _as(server, "certmail-worker", passwords["certmail-worker"]) as client:
            assert client.ping()
        off: Any = server.execute_command("ACL", "LIST")  # type: ignore[no-untyped-call]
        [producer] = [line.decode() for line in off if line.startswith(b"user certmail-producer ")]
        assert " off " in producer
        assert "nopass" not in producer


def _as(server: Redis, name: str, password: str) -> Redis:
    given = server.connection_pool.connection_kwargs
    return Redis(unix_socket_path=given["path"], username=name, password=password)


def test_rules_name_each_right_once_and_nothing_of_all() -> None:
    for role in Role:
        for server in ServerVersion:
            words = rules_of(rights_of(role), server, 3)
            assert words[:3] == ["resetkeys", "resetchannels", "-@all"]
            assert not {"+@all", "~*", "allkeys", "allcommands", "nopass", "&*"} & set(words)
            if role in {Role.WORKER, Role.FLOWER}:
                assert "&{certmail}:celery:/3.celery.pidbox" in words


def test_a_user_without_a_password_is_switched_off() -> None:
    lines = list(as_commands(users("certmail"), {}, ServerVersion.REDIS_7_2, 0))
    given = [line for line in lines if line.startswith("ACL SETUSER")]
    assert len(given) == len(Role)
    assert all(" reset off " in line for line in given)


def test_the_commands_of_the_documentation_put_the_users_there(tmp_path: Path) -> None:
    """As they stand; the users are there after a restart, and while another version's are given."""
    document = commands("docs/redis-user.md")
    with operated(tmp_path, "sqlite:///", None) as server:
        environment = {**server.environment, "SECRETS": str(tmp_path)}
        said = run(document["A user for each process"], environment)
        assert said.split() == ["OK"] * (len(Role) + 1)

        file = tmp_path / "redis-passwords"
        assert file.stat().st_mode & 0o077 == 0
        passwords = dict(line.split() for line in file.read_text().splitlines())
        assert passwords.keys() == {ADMINISTRATOR, *(f"certmail-{role}" for role in Role)}
        urls = {
            name: server.url.replace("//", f"//{name}:{password}@")
            for name, password in passwords.items()
        }
        with Redis.from_url(server.url) as nobody, pytest.raises(AuthenticationError):
            nobody.ping()

        environment["REDIS_ADMIN_URL"] = urls[ADMINISTRATOR]
        assert "OK" in run(document["Keep them"], environment).split()
        server.kill()
        run('redis-server "$REDIS_CONF"', environment)
        ask = 'until redis-cli -u "$REDIS_ADMIN_URL" PING | grep -q PONG; do sleep 0.1; done'
        run(ask, environment)

        with ExitStack() as stack:
            once = Retry(NoBackoff(), 0)
            clients = [
                stack.enter_context(Redis.from_url(url, retry=once)) for url in urls.values()
            ]
            assert all(client.ping() for client in clients)
            said = run(document["Before another version starts"], environment)
            assert said.split().count("OK") == len(Role) + 1
            assert all(client.ping() for client in clients), "nobody is thrown out"


def test_a_right_that_is_missing_harms_no_job(redis: Redis, redis_url: str) -> None:
    """Whoever may not look at a job does not take it for one that cannot be read."""
    redis.hset(f"{keys.JOB}looked-at", "state", "ready")
    blind = ["on", ">PASSWORD", "~*", "+@all", "-hgetall"]
    redis.execute_command("ACL", "SETUSER", "blind", "reset", *blind)  # type: ignore[no-untyped-call]
    try:
        with connect(redis_url.replace("unix://", "unix://blind:PASSWORD@")) as client:
            with pytest.raises(ResponseError):
                run_call(client, cancel(JobId("looked-at"), "a reason"))
            with pytest.raises(ResponseError):
                run_call(client, close(JobId("looked-at"), "one"))
    finally:
        redis.execute_command("ACL", "DELUSER", "blind")  # type: ignore[no-untyped-call]
    assert redis.hgetall(f"{keys.JOB}looked-at") == {b"state": b"ready"}
