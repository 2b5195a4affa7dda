"""Who may do what in Redis, as docs/security.md says it: asked of a real server with these users.

And what each process is handed, by the files of deploy/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
import yaml
from redis import Redis

from certmail_config.base import redis_keys as keys
from certmail_config.rights.acl import as_commands, users
from certmail_config.rights.roles import Role
from certmail_config.rights.rules import ServerVersion
from certmail_config.stores.broker import QUEUE
from support.data.pages import ROOT, page
from support.servers.engines import running

PAGE: Final = page("docs/security.md")
CONNECTION: Final = f"{keys.CONNECTION}acme"
TENANT: Final = f"{keys.TENANT}acme"
JOB: Final = f"{keys.JOB}job"
ATTEMPTS: Final = {
    "content of reminders": (("GET", f"{keys.BODY}job"), ("SET", f"{keys.BODY}job", "x")),
    "events": (("XRANGE", keys.EVENTS, "-", "+"), ("XADD", keys.EVENTS, "*", "a", "b")),
    "reminders, without content": (("HGETALL", JOB), ("HSET", JOB, "a", "b")),
    "tenants' names, states and public keys": (("HGETALL", TENANT), ("HSET", TENANT, "a", "b")),
    "connections: mailboxes, private keys, refresh tokens": (
        ("HGETALL", CONNECTION),
        ("HSET", CONNECTION, "a", "b"),
    ),
    "access tokens": (
        ("GET", f"{keys.TOKEN}acme:1:send"),
        ("SET", f"{keys.TOKEN}acme:1:send", "x"),
    ),
    "API keys, as hashes": (("HGETALL", keys.API_KEYS), ("HSET", keys.API_KEYS, "a", "b")),
    "visits to the console, set-up links": (
        ("GET", f"{keys.SESSION}one"),
        ("SET", f"{keys.SESSION}one", "x"),
    ),
    "pauses": (("SMEMBERS", keys.PAUSED), ("SADD", keys.PAUSED, "*")),
    "Celery's queue": (
        ("BRPOP", f"{keys.CELERY_PREFIX}{QUEUE}", "1"),
        ("LPUSH", f"{keys.CELERY_PREFIX}{QUEUE}", "x"),
    ),
    "names of keys": (("SCAN", "0"), None),
    "Redis's configuration": (("CONFIG", "GET", "appendonly"), ("CONFIG", "SET", "save", "")),
    "Redis's users": (("ACL", "LIST"), ("ACL", "SETUSER", "x")),
    "keys of other applications": (("GET", "other"), ("SET", "other", "x")),
}
"""How each row of the table is tried out: to read it, and to write it."""


def table(heading: str) -> dict[str, dict[str, str]]:
    """The first table below a heading: cells by the row's first and the column's head."""
    below = PAGE.text.split(f"\n{heading}\n")[1]
    lines = re.findall(r"^\|(.*)\|$", below.split("\n\n## ")[0], re.MULTILINE)
    head, _, *rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}


@pytest.fixture(scope="module")
def server() -> Iterator[Redis]:
    """A server that has the users which `certmail redis acl` prints."""
    with running("valkey") as redis:
        for line in as_commands(users("certmail"), {}, ServerVersion.REDIS_7_2, 0):
            if line.startswith("ACL SETUSER"):
                redis.execute_command(*line.split())  # type: ignore[no-untyped-call]
        yield redis


def may(server: Redis, role: Role, words: tuple[str, ...]) -> bool:
    """Whether the server would let this user do it."""
    dry: Any = server.execute_command("ACL", "DRYRUN", f"certmail-{role}", *words)  # type: ignore[no-untyped-call]
    return bool(dry == b"OK")


IN_REDIS: Final = table("## Who may do what in Redis")


def test_the_table_has_every_user_and_every_row() -> None:
    assert list(IN_REDIS) == list(ATTEMPTS)
    for cells in IN_REDIS.values():
        assert list(cells) == [f"`{role}`" for role in Role]


@pytest.mark.parametrize("what", ATTEMPTS)
def test_each_may_do_what_the_table_says(server: Redis, what: str) -> None:
    reading, writing = ATTEMPTS[what]
    found = {}
    for role in Role:
        does = ["reads"] if may(server, role, reading) else []
        does += ["writes"] if writing and may(server, role, writing) else []
        found[f"`{role}`"] = ", ".join(does)
    assert IN_REDIS[what] == found


GIVEN: Final = table("## What each process is given")
OF_COMPOSE: Final = {
    "worker": "worker",
    "gateway": "gateway",
    "Flower": "flower",
    "`certmail` commands": "operator",
    "`certmail db upgrade`": "upgrade",
}
UNITS: Final = {
    "worker": "certmail-worker@.service",
    "gateway": "certmail-gateway.service",
    "Flower": "certmail-flower.service",
    "`certmail` commands": "certmail-admin",
}


def row_of(secrets: set[str]) -> dict[str, str]:
    """What the table says of a process that is handed these secrets."""
    users = [name.removeprefix("redis-url-") for name in secrets if name.startswith("redis-url-")]
    more = {"operator-password": "operator's password", "flower-basic-auth": "its own password"}
    return {
        "Redis user": "".join(f"`{user}`" for user in users),
        "database": "yes" if "database-url" in secrets else "no",
        "vault keys": "yes" if "vault-keys" in secrets else "no",
        "besides": "".join(said for name, said in more.items() if name in secrets),
    }


@pytest.mark.parametrize("process", OF_COMPOSE)
def test_compose_hands_over_what_the_table_says(process: str) -> None:
    compose = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text("utf-8"))
    given = set(compose["services"][OF_COMPOSE[process]]["secrets"])
    assert GIVEN[process] == row_of(given)


@pytest.mark.parametrize("process", UNITS)
def test_units_hand_over_what_the_table_says(process: str) -> None:
    unit = (ROOT / "deploy/systemd" / UNITS[process]).read_text("utf-8")
    given = set(re.findall(r"LoadCredential=\S*(?:credentials|\$stored)/([a-z-]+)", unit))
    assert GIVEN[process] == row_of(given)
