"""Access tokens: one call per fleet, sealed in Redis, renewed ahead, never the wrong account's."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from cachetools import LRUCache
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.crypto.vault import Vault
from certmail_config.google.oauth import Granted
from certmail_config.google.token_errors import Denied
from certmail_config.tenants.sealed_fields import open_from, seal_for
from certmail_worker.google.tenant_cache import KNOWN
from certmail_worker.google.token_client import Purpose, TokenClient
from certmail_worker.google.tokens import RENEW_SECONDS, Token
from support.deployment.one_tenant import OneTenant, one_tenant

SET_UP = 1 + len(Purpose)
"""Requests of the probe: who the service account is, and what is used later."""


@pytest_asyncio.fixture
async def setup(tmp_path: Path, redis: Redis, redis_url: str) -> AsyncIterator[OneTenant]:
    async with one_tenant(tmp_path, redis_url) as made:
        yield made


async def calls(setup: OneTenant) -> int:
    """How often Google was asked for a token since the connection was set up."""
    return await setup.asked("/token") - SET_UP


async def test_a_hundred_deliveries_in_four_processes_ask_google_once(setup: OneTenant) -> None:
    before = await calls(setup)
    fleet = [setup.tokens() for _ in range(4)]
    tokens = await asyncio.gather(
        *(process.get(setup.connection) for process in fleet for _ in range(25))
    )
    assert all(isinstance(token, Token) for token in tokens)
    assert len({token.secret for token in tokens if isinstance(token, Token)}) == 1
    assert await calls(setup) == before + 1


async def test_of_the_keys_that_assertions_are_signed_with_so_many_stay_in_memory(
    setup: OneTenant,
) -> None:
    given = (setup.session, f"{setup.google}/token", setup.admin.vault, None)
    asker = TokenClient(*given, _signers=LRUCache(2))
    vault, before = setup.admin.vault, setup.connection
    assert before.private_key is not None
    key = open_from(vault, before.private_key, before.owner, "private_key")

    for n in range(4):
        other = replace(before, id=ConnectionId(f"c{n}"))
        other = replace(other, private_key=seal_for(vault, key, other.owner, "private_key"))
        assert isinstance(await asker.mint(other, Purpose.SEND), Granted)

    assert list(asker._signers) == ["c2", "c3"]
    assert TokenClient(*given)._signers.maxsize == KNOWN  # type: ignore[attr-defined]  # a mapping to others


async def test_a_process_that_starts_later_uses_what_the_fleet_has(setup: OneTenant) -> None:
    await setup.tokens().get(setup.connection)
    before = await calls(setup)
    assert isinstance(await setup.tokens().get(setup.connection), Token)
    assert await calls(setup) == before


async def test_it_is_sealed_in_redis_and_ends_with_the_token(setup: OneTenant) -> None:
    token = await setup.tokens().get(setup.connection)
    assert isinstance(token, Token)
    [name] = [name async for name in setup.redis.scan_iter(redis_keys.TOKEN + "*")]
    sealed = await setup.redis.get(name)
    assert isinstance(sealed, bytes)
    assert token.secret.encode() not in sealed
    assert 3000 < await setup.redis.ttl(name) <= 3599


async def test_a_dropped_token_is_replaced_once_for_all(setup: OneTenant) -> None:
    one, two = setup.tokens(), setup.tokens()
    first = await one.get(setup.connection)
    assert isinstance(first, Token)
    assert await two.get(setup.connection) == first

    await one.drop(setup.connection, first)
    second = await one.get(setup.connection)
    assert isinstance(second, Token)
    assert second.secret != first.secret

    await two.drop(setup.connection, first)  # the other process learns of the same refusal later
    before = await calls(setup)
    assert await two.get(setup.connection) == second
    assert await calls(setup) == before


async def test_a_token_near_its_end_is_used_and_renewed_in_the_background(setup: OneTenant) -> None:
    tokens = setup.tokens()
    first = await tokens.get(setup.connection)
    assert isinstance(first, Token)

    key = (setup.connection.id, setup.connection.version, Purpose.SEND)
    ending = replace(first, expires_at=time.time() + RENEW_SECONDS / 2)
    tokens._known[key] = ending
    value = {"secret": ending.secret, "expires_at": ending.expires_at, "mark": ending.mark}
    owner = f"{setup.connection.owner}/token/{setup.connection.version}/send"
    name = f"{redis_keys.TOKEN}{setup.connection.id}:{setup.connection.version}:send"
    await setup.redis.set(name, setup.admin.vault.seal(json.dumps(value).encode(), owner=owner))
    assert await tokens.get(setup.connection) == ending

    await tokens.close()
    second = await tokens.get(setup.connection)
    assert isinstance(second, Token)
    assert second.mark != first.mark


async def test_a_relinked_connection_never_sends_with_the_old_token(setup: OneTenant) -> None:
    tokens = setup.tokens()
    first = await tokens.get(setup.connection)
    again = await asyncio.to_thread(setup.admin.save, setup.connection)
    second = await tokens.get(again)
    assert isinstance(first, Token)
    assert isinstance(second, Token)
    assert second.secret != first.secret


async def refuse(setup: OneTenant, status: int, error: str, **headers: str) -> None:
    """Let the token endpoint refuse once."""
    fault = {"status": status, "headers": headers, "body": {"error": error}}
    await setup.control(
        "POST", "/faults", {"match": {"path": "/token"}, "fault": fault, "times": 1}
    )


async def refusal(setup: OneTenant, purpose: Purpose = Purpose.SEND) -> Denied:
    answer = await setup.tokens(confirm_seconds=2).get(setup.connection, purpose)
    assert isinstance(answer, Denied)
    return answer


async def test_trouble_at_the_endpoint_is_told_to_the_whole_fleet_and_asked_about_again_soon(
    setup: OneTenant,
) -> None:
    await refuse(setup, 503, "internal_failure")
    fleet = [setup.tokens() for _ in range(5)]
    answers = await asyncio.gather(
        *(tokens.get(setup.connection) for tokens in fleet for _ in range(5))
    )
    assert {answer.code for answer in answers if isinstance(answer, Denied)} == {
        "token_unavailable"
    }
    assert await calls(setup) == 1

    [wait] = [(await refusal(setup)).wait]
    assert wait is not None
    assert 0 < wait <= 3

    await asyncio.sleep(wait)
    assert isinstance(await setup.tokens().get(setup.connection), Token)
    assert await calls(setup) == 2


async def test_a_refusal_counts_when_it_is_given_again_and_nobody_asks_meanwhile(
    setup: OneTenant,
) -> None:
    await refuse(setup, 400, "invalid_grant")
    first = await refusal(setup)
    assert (first.code, first.confirmed) == ("grant_revoked", False)
    assert not (await refusal(setup)).confirmed
    assert await calls(setup) == 1

    await asyncio.sleep(2)
    await refuse(setup, 400, "invalid_grant")
    assert (await refusal(setup)).confirmed
    assert (await refusal(setup)).confirmed
    assert await calls(setup) == 2


async def test_a_refusal_that_is_over_a_moment_later_leaves_no_trace(setup: OneTenant) -> None:
    await refuse(setup, 400, "invalid_grant")
    await refusal(setup)
    await asyncio.sleep(2)
    token = await setup.tokens().get(setup.connection)
    assert isinstance(token, Token)
    assert [name async for name in setup.redis.scan_iter(redis_keys.REFUSAL + "*")] == []


async def test_who_linked_anew_does_not_inherit_a_refusal(setup: OneTenant) -> None:
    await refuse(setup, 400, "invalid_grant")
    await refusal(setup)
    again = await asyncio.to_thread(setup.admin.save, setup.connection)
    assert isinstance(await setup.tokens().get(again), Token)


async def test_a_limit_of_the_endpoint_holds_for_all_who_ask_in_the_same_name(
    setup: OneTenant,
) -> None:
    await refuse(setup, 429, "rate_limit_exceeded", **{"Retry-After": "2"})
    await refusal(setup)
    denied = await refusal(setup, Purpose.LOOK)
    assert "too many requests" in denied.message
    assert denied.wait is not None
    assert await calls(setup) == 1
    await asyncio.sleep(denied.wait)
    assert isinstance(await setup.tokens().get(setup.connection, Purpose.LOOK), Token)


async def test_what_is_remembered_of_a_refusal_is_sealed(setup: OneTenant) -> None:
    await refuse(setup, 400, "invalid_grant")
    await refusal(setup)
    [name] = [name async for name in setup.redis.scan_iter(redis_keys.REFUSAL + "*")]
    sealed = await setup.redis.get(name)
    assert isinstance(sealed, bytes)
    assert b"grant" not in sealed


async def test_a_worker_that_died_while_asking_holds_the_others_up_for_the_locks_life_at_most(
    setup: OneTenant,
) -> None:
    lock = f"{redis_keys.TOKEN_LOCK}{setup.connection.id}:send"
    await setup.redis.set(lock, "somebody", px=1500)
    started = time.monotonic()
    assert isinstance(await setup.tokens().get(setup.connection), Token)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("purpose", list(Purpose))
async def test_each_purpose_has_a_token_of_its_own_with_only_its_scope(
    setup: OneTenant, purpose: Purpose
) -> None:
    token = await setup.tokens().get(setup.connection, purpose)
    assert isinstance(token, Token)

    async with setup.session.get(
        f"{setup.google}/tokeninfo", params={"access_token": token.secret}
    ) as answer:
        scope = (await answer.json())["scope"]

    assert (
        scope
        == f"https://www.googleapis.com/auth/gmail.{'send' if purpose is Purpose.SEND else 'metadata'}"
    )


async def test_a_token_that_one_worker_dropped_is_not_used_again_by_another_for_the_same_job(
    setup: OneTenant,
) -> None:
    one, other = setup.tokens(), setup.tokens()
    first = await one.get(setup.connection)
    assert isinstance(first, Token)
    assert await other.get(setup.connection) == first

    await one.drop(setup.connection, first)
    again = await other.get(setup.connection, anew=True)
    assert isinstance(again, Token)
    assert again.mark != first.mark
    assert await other.get(setup.connection) == again == await one.get(setup.connection)


@pytest.mark.parametrize(
    "broken", ["key_gone", "altered", "not_sealed", "not_a_token", "of_another"]
)
async def test_one_that_cannot_be_opened_counts_as_none_and_another_takes_its_place(
    setup: OneTenant, broken: str
) -> None:
    first = await setup.tokens().get(setup.connection)
    assert isinstance(first, Token)
    vault, owner = (
        setup.admin.vault,
        f"{setup.connection.owner}/token/{setup.connection.version}/send",
    )
    name = f"{redis_keys.TOKEN}{setup.connection.id}:{setup.connection.version}:send"
    sealed = await setup.redis.get(name)
    assert isinstance(sealed, bytes)
    in_its_place = {
        "key_gone": Vault([("k-old", os.urandom(32))]).seal(b"{}", owner=owner),
        "altered": sealed[:-1] + bytes([sealed[-1] ^ 1]),
        "not_sealed": b"ya29.token",
        "not_a_token": vault.seal(b'["secret"]', owner=owner),
        "of_another": vault.seal(
            vault.open(sealed, owner=owner), owner=owner.replace("send", "look")
        ),
    }[broken]

    await setup.redis.set(name, in_its_place)
    before = await calls(setup)
    second = await setup.tokens().get(setup.connection)
    assert isinstance(second, Token)
    assert second.mark != first.mark
    assert await setup.tokens().get(setup.connection) == second, "it is the fleet's now"
    assert await calls(setup) == before + 1


async def test_dropping_a_token_beside_one_that_cannot_be_opened_breaks_nothing(
    setup: OneTenant,
) -> None:
    tokens = setup.tokens()
    first = await tokens.get(setup.connection)
    assert isinstance(first, Token)

    await setup.redis.set(
        f"{redis_keys.TOKEN}{setup.connection.id}:{setup.connection.version}:send", b"broken"
    )
    await tokens.drop(setup.connection, first)
    second = await tokens.get(setup.connection)
    assert isinstance(second, Token)
    assert second.mark != first.mark


async def test_the_clock_that_it_is_given_says_when_a_token_ends(setup: OneTenant) -> None:
    now = time.time()
    tokens = setup.tokens()
    tokens.now = lambda: now
    first = await tokens.get(setup.connection)
    assert isinstance(first, Token)
    assert first.expires_at == pytest.approx(now + 3599)
    assert await tokens.get(setup.connection) == first

    now += 2 * 3600
    second = await tokens.get(setup.connection)
    assert isinstance(second, Token)
    assert second.mark != first.mark
