"""Keys and tokens stay inside.

They are in what is sent only as a signature, and not in a repr, a log line or an exception.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, unquote_to_bytes

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from redis import Redis

from certmail_config.base.errors import SealBroken
from certmail_config.crypto.certificates import new_key_pair
from certmail_config.crypto.vault import Vault
from certmail_config.google.oauth import Granted, OAuthClient
from certmail_config.settings import Settings
from certmail_config.tenants.sealed_fields import owner_of
from certmail_worker.google.token_client import Purpose, TokenClient
from certmail_worker.google.tokens import Token
from support.data.secrets import chunks, key_forms
from support.deployment.one_tenant import OneTenant, one_tenant

ANSWER = json.dumps({"access_token": "ya29.a0secret", "expires_in": 3599}).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"


@pytest_asyncio.fixture
async def setup(tmp_path: Path, redis: Redis, redis_url: str) -> AsyncIterator[OneTenant]:
    async with one_tenant(tmp_path, redis_url) as made:
        yield made


def private_key(setup: OneTenant) -> bytes:
    sealed = setup.connection.private_key
    assert sealed is not None
    return setup.admin.vault.open(sealed, owner=owner_of(setup.connection.owner, "private_key"))


def readable(forms: set[bytes], content: bytes | str) -> list[bytes]:
    data = content.encode() if isinstance(content, str) else content
    return [form for form in forms if form in data]


async def posted(setup: OneTenant) -> bytes:
    """What leaves for the token endpoint, to the last byte."""
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        [length] = [
            int(line[15:])
            for line in head.lower().splitlines()
            if line.startswith(b"content-length:")
        ]
        seen.append(head + await reader.readexactly(length))
        writer.write(HEAD % len(ANSWER) + ANSWER)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/token"
        token_client = TokenClient(setup.session, url, setup.admin.vault, None)
        assert isinstance(await token_client.mint(setup.connection, Purpose.SEND), Granted)
    [request] = seen
    return request


async def test_a_request_for_a_token_holds_an_assertion_and_nothing_of_the_key(
    setup: OneTenant,
) -> None:
    request = await posted(setup)
    head, _, body = request.partition(b"\r\n\r\n")
    forms = key_forms(private_key(setup))
    assert not readable(forms, request)
    assert not readable(forms, unquote_to_bytes(request))

    form = parse_qs(body.decode(), strict_parsing=True)
    assert form.keys() == {"grant_type", "assertion"}
    parts = form["assertion"][0].split(".")
    header, claims = (base64.urlsafe_b64decode(part + "==") for part in parts[:2])
    assert not readable(forms, header + claims)
    assert json.loads(header) == {"alg": "RS256", "typ": "JWT", "kid": setup.connection.key_id}
    assert json.loads(claims).keys() == {"iss", "sub", "scope", "aud", "iat", "exp"}

    names = {line.partition(b":")[0].lower() for line in head.splitlines()[1:]}
    assert names <= {
        b"host", b"accept", b"accept-encoding", b"user-agent", b"content-length", b"content-type", b"connection",
    }  # fmt: skip


async def test_no_repr_shows_a_key_or_a_token(setup: OneTenant) -> None:
    tokens = setup.tokens()
    token = await tokens.get(setup.connection)
    assert isinstance(token, Token)
    granted = await tokens.token_client.mint(setup.connection, Purpose.SEND)
    assert isinstance(granted, Granted)
    client = OAuthClient("id.apps.example", "GOCSPX-very-secret")
    tokens.token_client.client = client
    pair = new_key_pair(datetime.now(UTC))
    vault_key = bytes(range(32))
    settings = Settings(vault_keys=(("k1", vault_key),), oauth_client_secret=client.secret)
    forms = key_forms(private_key(setup)) | key_forms(pair.private_key) | chunks(vault_key)
    forms |= {
        repr(vault_key)[2:-1].encode(),
        token.secret.encode(),
        granted.access_token.encode(),
        client.secret.encode(),
    }

    token_client = tokens.token_client
    for thing in (
        *(pair, setup.connection, tokens, token, granted, token_client, client, settings),
        *(
            setup.admin,
            setup.admin.vault,
            setup.admin.settings,
            token_client._signers,
            Vault([("k1", vault_key)]),
        ),
    ):
        for logged in (repr(thing), str(thing), f"{thing}", f"{[thing]}"):
            assert not readable(forms, logged), type(thing)


async def test_no_log_line_of_ours_or_of_a_library_shows_them(
    setup: OneTenant, caplog: pytest.LogCaptureFixture
) -> None:
    asyncio.get_running_loop().set_debug(True)

    with caplog.at_level(logging.DEBUG):
        tokens = setup.tokens()
        token = await tokens.get(setup.connection)
        assert isinstance(token, Token)
        logging.getLogger().debug("seen")
        await tokens.drop(setup.connection, token)

        for fault in ("503", "502_html", "reset_before"):
            await setup.control("POST", "/faults", {"match": {"path": "/token"}, "fault": fault})
            await tokens.get(setup.connection)

        broken = replace(
            setup.connection, version=99, private_key=setup.admin.vault.seal(b"x", owner="acme")
        )
        with pytest.raises(SealBroken):
            await tokens.get(broken)
        await asyncio.sleep(0)

    assert "seen" in caplog.text
    assert "token_not_renewed" in caplog.text
    forms = key_forms(private_key(setup)) | {token.secret.encode()}
    logged = "\n".join(str(record.__dict__) for record in caplog.records)
    assert not readable(forms, caplog.text + logged)


@pytest.mark.parametrize("damage", ["cut", "swapped", "other", "encrypted"])
async def test_an_exception_about_a_key_says_nothing_of_it(setup: OneTenant, damage: str) -> None:
    pem = private_key(setup)
    vault, owner = setup.admin.vault, setup.connection.owner
    lines = pem.splitlines(keepends=True)
    spoiled = {
        "cut": vault.seal(b"".join(lines[:12]), owner=owner),
        "swapped": vault.seal(b"".join([lines[0], *reversed(lines[1:-1]), lines[-1]]), owner=owner),
        "other": vault.seal(pem, owner="globex/1"),
        "encrypted": vault.seal(pem.replace(b"PRIVATE KEY", b"ENCRYPTED PRIVATE KEY"), owner=owner),
    }[damage]

    token_client = setup.tokens().token_client
    with pytest.raises((ValueError, TypeError, SealBroken)) as caught:
        await token_client.mint(
            replace(setup.connection, version=99, private_key=spoiled), Purpose.SEND
        )
    texts = (
        "".join(traceback.format_exception(caught.value))
        + repr(caught.value)
        + repr(vars(caught.value))
    )
    assert not readable(key_forms(pem), texts)


def test_what_must_not_be_there_would_be_found() -> None:
    pem = new_key_pair(datetime.now(UTC)).private_key
    forms = key_forms(pem)
    key = load_pem_private_key(pem, password=None)
    assert isinstance(key, RSAPrivateKey)

    numbers = key.private_numbers()
    der = base64.b64decode(b"".join(pem.splitlines()[1:-1]))
    leaks: list[bytes | str] = [pem, repr(pem), json.dumps(pem.decode()), der, der.hex()]
    leaks += [base64.b64encode(b"." * shift + text) for shift in range(3) for text in (pem, der)]
    leaks += [base64.urlsafe_b64encode(der), str(numbers.d), hex(numbers.p), f"{numbers.q:X}"]
    for leak in leaks:
        assert readable(forms, leak)
