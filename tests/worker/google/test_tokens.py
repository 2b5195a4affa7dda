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
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.crypto.vault import Vault
from certmail_config.google.token_errors import Denied
from certmail_worker.google.token_client import Purpose
from certmail_worker.google.tokens import RENEW_SECONDS, Token
from support.deployment.context import Stand, stand

SET_UP = 1 + len(Purpose)
"""Requests of the probe: who the service account is, and what is used later."""


@pytest_asyncio.fixture
async def place(tmp_path: Path, redis: Redis, redis_url: str) -> AsyncIterator[Stand]:
    async with stand(tmp_path, redis_url) as made:
        yield made


async def calls(place: Stand) -> int:
    """How often Google was asked for a token since the connection was set up."""
    return await place.asked("/token") - SET_UP


async def test_a_hundred_deliveries_in_four_processes_ask_google_once(place: Stand) -> None:
    before = await calls(place)
    fleet = [place.tokens() for _ in range(4)]
    tokens = await asyncio.gather(
        *(process.get(place.connection) for process in fleet for _ in range(25))
    )
    assert all(isinstance(token, Token) for token in tokens)
    assert len({token.secret for token in tokens if isinstance(token, Token)}) == 1
    assert await calls(place) == before + 1


async def test_a_process_that_starts_later_uses_what_the_fleet_has(place: Stand) -> None:
    await place.tokens().get(place.connection)
    before = await calls(place)
    assert isinstance(await place.tokens().get(place.connection), Token)
    assert await calls(place) == before


async def test_it_is_sealed_in_redis_and_ends_with_the_token(place: Stand) -> None:
    token = await place.tokens().get(place.connection)
    assert isinstance(token, Token)
    [name] = [name async for name in place.redis.scan_iter(redis_keys.TOKEN + "*")]
    sealed = await place.redis.get(name)
    assert isinstance(sealed, bytes)
    assert token.secret.encode() not in sealed
    assert 3000 < await place.redis.ttl(name) <= 3599


async def test_a_dropped_token_is_replaced_once_for_all(place: Stand) -> None:
    one, two = place.tokens(), place.tokens()
    first = await one.get(place.connection)
    assert isinstance(first, Token)
    assert await two.get(place.connection) == first
    await one.drop(place.connection, first)
    second = await one.get(place.connection)
    assert isinstance(second, Token)
    assert second.secret != first.secret
    await two.drop(place.connection, first)  # the other process learns of the same refusal later
    before = await calls(place)
    assert await two.get(place.connection) == second
    assert await calls(place) == before


async def test_a_token_near_its_end_is_used_and_renewed_in_the_background(place: Stand) -> None:
    tokens = place.tokens()
    first = await tokens.get(place.connection)
    assert isinstance(first, Token)
    key = (place.connection.id, place.connection.version, Purpose.SEND)
    ending = replace(first, expires_at=time.time() + RENEW_SECONDS / 2)
    tokens._known[key] = ending
    value = {"secret": ending.secret, "expires_at": ending.expires_at, "mark": ending.mark}
    owner = f"{place.connection.owner}/token/{place.connection.version}/send"
    name = f"{redis_keys.TOKEN}{place.connection.id}:{place.connection.version}:send"
    await place.redis.set(name, place.admin.vault.seal(json.dumps(value).encode(), owner=owner))
    assert await tokens.get(place.connection) == ending
    await tokens.close()
    second = await tokens.get(place.connection)
    assert isinstance(second, Token)
    assert second.mark != first.mark


async def test_a_relinked_connection_never_sends_with_the_old_token(place: Stand) -> None:
    tokens = place.tokens()
    first = await tokens.get(place.connection)
    again = await asyncio.to_thread(place.admin.save, place.connection)
    second = await tokens.get(again)
    assert isinstance(first, Token)
    assert isinstance(second, Token)
    assert second.secret != first.secret


async def refuse(place: Stand, status: int, error: str, **headers: str) -> None:
    """Let the token endpoint refuse once."""
    fault = {"status": status, "headers": headers, "body": {"error": error}}
    await place.control(
        "POST", "/faults", {"match": {"path": "/token"}, "fault": fault, "times": 1}
    )


async def refusal(place: Stand, purpose: Purpose = Purpose.SEND) -> Denied:
    answer = await place.tokens(confirm_seconds=2).get(place.connection, purpose)
    assert isinstance(answer, Denied)
    return answer


async def test_trouble_at_the_endpoint_is_told_to_the_whole_fleet_and_asked_about_again_soon(
    place: Stand,
) -> None:
    await refuse(place, 503, "internal_failure")
    fleet = [place.tokens() for _ in range(5)]
    answers = await asyncio.gather(
        *(tokens.get(place.connection) for tokens in fleet for _ in range(5))
    )
    assert {answer.code for answer in answers if isinstance(answer, Denied)} == {
        "token_unavailable"
    }
    assert await calls(place) == 1
    [wait] = [(await refusal(place)).wait]
    assert wait is not None
    assert 0 < wait <= 3
    await asyncio.sleep(wait)
    assert isinstance(await place.tokens().get(place.connection), Token)
    assert await calls(place) == 2


async def test_a_refusal_counts_when_it_is_given_again_and_nobody_asks_meanwhile(
    place: Stand,
) -> None:
    await refuse(place, 400, "invalid_grant")
    first = await refusal(place)
    assert (first.code, first.confirmed) == ("grant_revoked", False)
    assert not (await refusal(place)).confirmed
    assert await calls(place) == 1
    await asyncio.sleep(2)
    await refuse(place, 400, "invalid_grant")
    assert (await refusal(place)).confirmed
    assert (await refusal(place)).confirmed
    assert await calls(place) == 2


async def test_a_refusal_that_is_over_a_moment_later_leaves_no_trace(place: Stand) -> None:
    await refuse(place, 400, "invalid_grant")
    await refusal(place)
    await asyncio.sleep(2)
    token = await place.tokens().get(place.connection)
    assert isinstance(token, Token)
    assert [name async for name in place.redis.scan_iter(redis_keys.REFUSAL + "*")] == []


async def test_who_linked_anew_does_not_inherit_a_refusal(place: Stand) -> None:
    await refuse(place, 400, "invalid_grant")
    await refusal(place)
    again = await asyncio.to_thread(place.admin.save, place.connection)
    assert isinstance(await place.tokens().get(again), Token)


async def test_a_limit_of_the_endpoint_holds_for_all_who_ask_in_the_same_name(place: Stand) -> None:
    await refuse(place, 429, "rate_limit_exceeded", **{"Retry-After": "2"})
    await refusal(place)
    told = await refusal(place, Purpose.LOOK)
    assert "too many requests" in told.message
    assert told.wait is not None
    assert await calls(place) == 1
    await asyncio.sleep(told.wait)
    assert isinstance(await place.tokens().get(place.connection, Purpose.LOOK), Token)


async def test_what_is_remembered_of_a_refusal_is_sealed(place: Stand) -> None:
    await refuse(place, 400, "invalid_grant")
    await refusal(place)
    [name] = [name async for name in place.redis.scan_iter(redis_keys.REFUSAL + "*")]
    sealed = await place.redis.get(name)
    assert isinstance(sealed, bytes)
    assert b"grant" not in sealed


async def test_a_worker_that_died_while_asking_holds_the_others_up_for_the_locks_life_at_most(
    place: Stand,
) -> None:
    lock = f"{redis_keys.TOKEN_LOCK}{place.connection.id}:send"
    await place.redis.set(lock, "somebody", px=1500)
    started = time.monotonic()
    assert isinstance(await place.tokens().get(place.connection), Token)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("purpose", list(Purpose))
async def test_each_purpose_has_a_token_of_its_own_with_only_its_scope(
    place: Stand, purpose: Purpose
) -> None:
    token = await place.tokens().get(place.connection, purpose)
    assert isinstance(token, Token)

    async with place.session.get(
        f"{place.google}/tokeninfo", params={"access_token": token.secret}
    ) as answer:
        scope = (await answer.json())["scope"]

    assert (
        scope
        == f"https://www.googleapis.com/auth/gmail.{'send' if purpose is Purpose.SEND else 'metadata'}"
    )


async def test_a_token_that_one_worker_dropped_is_not_used_again_by_another_for_the_same_job(
    place: Stand,
) -> None:
    one, other = place.tokens(), place.tokens()
    first = await one.get(place.connection)
    assert isinstance(first, Token)
    assert await other.get(place.connection) == first
    await one.drop(place.connection, first)
    again = await other.get(place.connection, anew=True)
    assert isinstance(again, Token)
    assert again.mark != first.mark
    assert await other.get(place.connection) == again == await one.get(place.connection)


@pytest.mark.parametrize(
    "broken", ["key_gone", "altered", "not_sealed", "not_a_token", "of_another"]
)
async def test_one_that_cannot_be_opened_counts_as_none_and_another_takes_its_place(
    place: Stand, broken: str
) -> None:
    first = await place.tokens().get(place.connection)
    assert isinstance(first, Token)
    vault, owner = (
        place.admin.vault,
        f"{place.connection.owner}/token/{place.connection.version}/send",
    )
    name = f"{redis_keys.TOKEN}{place.connection.id}:{place.connection.version}:send"
    sealed = await place.redis.get(name)
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

    await place.redis.set(name, in_its_place)
    before = await calls(place)
    second = await place.tokens().get(place.connection)
    assert isinstance(second, Token)
    assert second.mark != first.mark
    assert await place.tokens().get(place.connection) == second, "it is the fleet's now"
    assert await calls(place) == before + 1


async def test_dropping_a_token_beside_one_that_cannot_be_opened_breaks_nothing(
    place: Stand,
) -> None:
    tokens = place.tokens()
    first = await tokens.get(place.connection)
    assert isinstance(first, Token)
    await place.redis.set(
        f"{redis_keys.TOKEN}{place.connection.id}:{place.connection.version}:send", b"broken"
    )
    await tokens.drop(place.connection, first)
    second = await tokens.get(place.connection)
    assert isinstance(second, Token)
    assert second.mark != first.mark
