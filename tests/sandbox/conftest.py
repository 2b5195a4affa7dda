"""A running sandbox on a port of its own, with a clock that tests can move."""

import asyncio
import base64
import datetime as dt
import io
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from certmail_sandbox.server import build, make_runner
from certmail_sandbox.state import State

AUTH = "https://www.googleapis.com/auth/"
SEND = AUTH + "gmail.send"
AUDIENCE = "https://oauth2.googleapis.com/token"
MAILBOX = "reminders@acme.example"
ROBOT = "certmail@acme-project.iam.gserviceaccount.com"
REDIRECT = "http://localhost:9000/oauth/google/callback"


class Clock:
    """Real time plus what the test adds."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass(frozen=True)
class KeyPair:
    private: rsa.RSAPrivateKey

    @property
    def private_pem(self) -> str:
        return self.private.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ).decode()

    def certificate(self, starts_in_days: float = -1, ends_in_days: float = 365) -> str:
        now = dt.datetime.now(dt.UTC)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "unused")])
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + dt.timedelta(days=starts_in_days))
            .not_valid_after(now + dt.timedelta(days=ends_in_days))
        )

        return builder.sign(self.private, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Any

    @property
    def reason(self) -> str:
        """What an API error's first entry says."""
        return str(self.body["error"]["errors"][0]["reason"])

    @property
    def message(self) -> str:
        return str(self.body["error"]["message"])


class Google:
    """The sandbox as tests talk to it: by HTTP, and by its clock."""

    def __init__(self, url: str, http: aiohttp.ClientSession, clock: Clock, keys: KeyPair) -> None:
        self.url = url
        self.http = http
        self.clock = clock
        self.keys = keys

    async def ask(self, method: str, path: str, **options: Any) -> Answer:
        options.setdefault("allow_redirects", False)
        if isinstance(options.get("data"), bytes):
            # aiohttp warns of large bytes, and warnings are errors here.
            options["data"] = io.BytesIO(options["data"])
        async with self.http.request(method, self.url + path, **options) as answer:
            is_json = "json" in answer.headers.get("Content-Type", "")
            body = await answer.json() if is_json else await answer.text()
            return Answer(answer.status, body, answer.headers)

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.ask(method, "/_sandbox" + path, json=body)
        assert answer.status == 200, answer.body
        return answer.body

    async def fault(self, fault: Any, **order: Any) -> Any:
        return await self.control("POST", "/faults", {"fault": fault, **order})

    async def messages(self, query: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.control("GET", "/messages" + query)
        return found

    async def journal(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.control("GET", "/requests")
        return found

    async def eventually(self, count: int, seconds: float = 3.0) -> None:
        """Waits until so many messages were accepted."""
        async with asyncio.timeout(seconds):
            # The sandbox can only be asked again and again.
            while len(await self.messages()) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def delivered(self) -> bytes:
        """The recipient's copy of the only message."""
        [message] = await self.messages()
        return base64.urlsafe_b64decode(message["raw"])

    async def reply_line(self) -> str:
        """The header that refers to the only message."""
        [line] = [
            line
            for line in (await self.delivered()).split(b"\r\n")
            if line.startswith(b"Message-ID: ")
        ]
        return "References: " + line.decode().removeprefix("Message-ID: ")

    # A customer owned application: service account, certificate, delegation.

    async def service_account(self, *scopes: str, certificate: str | None = None) -> str:
        """A service account that may act for everybody; its key's id."""
        await self.control("POST", "/accounts", {"email": MAILBOX, "name": "Acme Reminders"})
        await self.control("POST", "/service-accounts", {"email": ROBOT, "project": "acme-project"})
        kid = await self.upload(certificate or self.keys.certificate())
        wanted = {"scopes": list(scopes or (SEND,))}
        await self.control("PUT", f"/service-accounts/{ROBOT}/delegation", wanted)
        return kid

    async def upload(self, certificate: str) -> str:
        answer = await self.ask(
            "POST", f"/_sandbox/service-accounts/{ROBOT}/keys", data=certificate
        )
        assert answer.status == 200, answer.body
        return str(answer.body["kid"])

    def assertion(self, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        now = int(self.clock())
        whole = {
            "iss": ROBOT,
            "sub": MAILBOX,
            "scope": SEND,
            "aud": AUDIENCE,
            "iat": now - 30,
            "exp": now + 3570,
        }

        whole |= claims
        left = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(left, self.keys.private, "RS256", headers=header)

    async def exchange(self, assertion: str) -> Answer:
        grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
        return await self.ask("POST", "/token", data={"grant_type": grant, "assertion": assertion})

    async def token(self, mailbox: str = MAILBOX, *scopes: str) -> str:
        """An access token for a mailbox, which is made if it is not there."""
        wanted = scopes or (SEND,)
        await self.service_account(*wanted)
        await self.control("POST", "/accounts", {"email": mailbox})
        answer = await self.exchange(self.assertion(sub=mailbox, scope=" ".join(wanted)))
        assert answer.status == 200, answer.body
        return str(answer.body["access_token"])

    # A service provider application: OAuth client, consent, code.

    async def client(self, **fields: Any) -> Any:
        await self.control(
            "POST", "/accounts", {"email": MAILBOX, "sub": "108", "name": "Acme Reminders"}
        )
        return await self.control("POST", "/oauth-clients", {"redirect_uris": [REDIRECT], **fields})

    # Mail.

    @staticmethod
    def mail(*lines: str, to: str = "ada@acme.example", body: str = "Please review.\r\n") -> bytes:
        headers = (f"From: {MAILBOX}", f"To: {to}", "Subject: Access review due", *lines)
        return "\r\n".join([*headers, "", body]).encode()

    async def send(self, token: str, mail: bytes | None = None, user: str = "me") -> Answer:
        raw = base64.urlsafe_b64encode(mail or self.mail()).decode()
        path = f"/gmail/v1/users/{user}/messages/send"
        headers = self.bearer(token) | {"Content-Type": "application/json"}
        return await self.ask("POST", path, data=json.dumps({"raw": raw}).encode(), headers=headers)

    @staticmethod
    def bearer(token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="session")
def keys() -> KeyPair:
    return KeyPair(rsa.generate_private_key(65_537, 2048))


@pytest.fixture
async def google(keys: KeyPair) -> AsyncIterator[Google]:
    clock = Clock()
    runner = make_runner(build(State(clock)), shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with aiohttp.ClientSession() as http:
        yield Google(f"http://127.0.0.1:{runner.addresses[0][1]}", http, clock, keys)
    await runner.cleanup()
