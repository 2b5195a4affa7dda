"""Sessions of the console: who is let in, for how long, and what Redis knows of it."""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import asdict, replace
from typing import Any

import pytest
from redis import Redis

from certmail.gateway.console.sessions.sessions import (
    FAREWELL_SECONDS,
    IDLE_SECONDS,
    Notice,
    Sessions,
    Visitor,
    prove,
)
from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.crypto.strongbox import Strongbox
from certmail_config.crypto.vault import Vault
from certmail_config.operators.roles import OperatorRole
from certmail_config.tenants.models import Connection

VAULT = Vault([("k1", os.urandom(32))])
PASSWORD = "correct horse battery"


@pytest.fixture
def visitors(redis: Redis) -> Sessions:
    return Sessions(Strongbox(redis, VAULT))


class TestWhoeverCanWriteRedis:
    """But has no vault key."""

    def test_can_begin_no_visit(self, redis: Redis, visitors: Sessions) -> None:
        visitor = visitors.begin_as_operator(PASSWORD)
        [name] = redis.scan_iter(f"{redis_keys.SESSION}*")
        value = json.dumps({k: v for k, v in asdict(visitor).items() if k != "secret"}).encode()
        redis.set(name, value)
        assert visitors.find(visitor.secret) is None
        assert redis.hkeys(redis_keys.FORGED) == [name]

    def test_can_put_nobody_in_anothers_place(self, redis: Redis, visitors: Sessions) -> None:
        visitors.begin_as_administrator("theirs", "globex", "default", "link", time.time() + 60)
        [theirs] = redis.scan_iter(f"{redis_keys.SESSION}*")
        mine = redis_keys.SESSION + hashlib.sha256(b"mine").hexdigest()
        redis.set(mine, redis.get(theirs) or b"")
        assert visitors.find("mine") is None
        assert visitors.find("theirs") is not None


def test_an_operator_is_found_by_the_secret_and_gone_after_being_seen_out(
    visitors: Sessions,
) -> None:
    visitor = visitors.begin_as_operator(PASSWORD)
    assert visitors.find(visitor.secret) == visitor
    assert visitors.begin_as_operator(PASSWORD).secret != visitor.secret
    visitors.end(visitor)
    assert visitors.find(visitor.secret) is None
    assert visitors.find("") is None


def test_a_visit_shows_which_password_was_known_to_nobody_but_its_secrets_owner(
    visitors: Sessions,
) -> None:
    visitor = visitors.begin_as_operator(PASSWORD)
    assert visitor.proof == prove(visitor.secret, PASSWORD)
    assert visitor.proof != prove(visitor.secret, "another password")
    assert visitors.begin_as_operator(PASSWORD).proof != visitor.proof


def test_redis_knows_neither_secret(redis: Redis, visitors: Sessions) -> None:
    visitor = visitors.begin_as_operator(PASSWORD)
    [name] = redis.scan_iter(f"{redis_keys.SESSION}*")
    assert visitor.secret.encode() not in name + (redis.get(name) or b"")
    assert int(str(redis.ttl(name))) <= IDLE_SECONDS


def test_a_visit_ends_at_its_end_even_if_redis_has_not_noticed(visitors: Sessions) -> None:
    visitor = visitors.begin_as_administrator("secret", "acme", "default", "link", time.time() - 1)
    assert visitors.find(visitor.secret) is None


def test_what_is_said_once_is_said_once(visitors: Sessions) -> None:
    visitor = visitors.begin_as_operator(PASSWORD)
    notice = Notice(good=True, message="Done.")
    visitors.tell(visitor, notice)
    found = visitors.find(visitor.secret)
    assert found is not None
    assert found.notice == notice

    visitors.tell(found, None)
    assert visitors.find(visitor.secret) == visitor


def test_whoever_is_done_may_stay_a_little(visitors: Sessions) -> None:
    until = time.time() + 7 * 86_400
    visitor = visitors.begin_as_administrator("secret", "acme", "default", "link", until)
    done = visitors.complete(visitor, ConnectionId("1"), "https://app.example.com/")
    assert done.until <= time.time() + FAREWELL_SECONDS

    found = visitors.find("secret")
    assert found is not None
    assert (found.complete, found.back) == (True, "https://app.example.com/")


def test_an_administrator_may_see_one_connection(visitors: Sessions) -> None:
    visitor = visitors.begin_as_administrator("secret", "acme", "default", "link", time.time() + 60)
    mine = Connection(ConnectionId("1"), "acme", "default")
    others = [
        Connection(ConnectionId("2"), "acme", "other"),
        Connection(ConnectionId("3"), "globex", "default"),
    ]

    assert visitor.may_see(mine)
    assert not any(visitor.may_see(each) for each in others)

    operator = Visitor("secret", "csrf", time.time() + 60)
    assert all(operator.may_see(each) for each in (mine, *others))


def test_what_an_older_gateway_does_not_know_stands_in_no_session_but_an_accounts(
    redis: Redis, visitors: Sessions
) -> None:
    """While gateways are replaced, both serve whoever knew the console's password."""
    visitors.begin_as_operator(PASSWORD)
    [name] = redis.scan_iter(f"{redis_keys.SESSION}*")
    sealed: Any = redis.get(name)
    kept = json.loads(VAULT.open(sealed, owner=name.decode()))
    assert kept.keys() == {
        *("csrf", "until", "tenant", "name", "link", "complete", "connection", "back"),
        *("proof", "notice"),
    }


def test_name_and_role_are_those_of_the_moment_and_not_kept(visitors: Sessions) -> None:
    visitor = visitors.begin_as_account("id", 3)
    visitors.tell(replace(visitor, who="ann", role=OperatorRole.ADMIN), None)
    found = visitors.find(visitor.secret)
    assert found == visitor
    assert not found.may(OperatorRole.VIEWER)


@pytest.mark.parametrize(
    ("role", "acts", "administers", "shown"),
    [
        (OperatorRole.VIEWER, False, False, "a•••@people.example"),
        (OperatorRole.OPERATOR, True, False, "ann@people.example"),
        (OperatorRole.ADMIN, True, True, "ann@people.example"),
    ],
)
def test_a_page_may_ask_what_somebody_may(
    role: OperatorRole, acts: bool, administers: bool, shown: str
) -> None:
    visitor = Visitor("secret", "csrf", 0, who="vera", role=role)
    assert (visitor.acts, visitor.administers) == (acts, administers)
    assert visitor.shown_address("ann@people.example") == shown
    assert visitor.actor == "vera in the console"


def test_whoever_a_link_brought_acts_on_its_connection_and_has_no_role() -> None:
    visitor = Visitor("secret", "csrf", 0, tenant="acme", name="default")
    assert visitor.acts
    assert not any(visitor.may(role) for role in OperatorRole)
    assert not visitor.sees_addresses
