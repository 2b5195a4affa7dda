"""HTTP to Google, as workers and gateway share it: the session, and the revocation of a token.

Nothing comes from the environment: a proxy is used where one is set. The only module of the base
that knows aiohttp, which takes a tenth of a second to import.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from pathlib import Path
from typing import Final

import aiohttp

from certmail_config.base.errors import SettingsError

CONNECT_SECONDS: Final = 5.0


def google_session(
    *,
    ca_file: Path | None,
    timeout_seconds: float,
    proxy: str | None = None,
    connector: type[aiohttp.TCPConnector] = aiohttp.TCPConnector,
    response: type[aiohttp.ClientResponse] = aiohttp.ClientResponse,
) -> aiohttp.ClientSession:
    """Make a session for requests to Google, in the running loop; its maker closes it.

    `proxy` is the URL of one, user and password in it, that all requests go through. Raises
    SettingsError.
    """
    return aiohttp.ClientSession(
        connector=connector(limit=0, keepalive_timeout=20, ssl=_tls(ca_file)),
        proxy=proxy,
        trust_env=False,
        timeout=aiohttp.ClientTimeout(
            total=timeout_seconds, sock_connect=min(CONNECT_SECONDS, timeout_seconds)
        ),
        response_class=response,
        headers={"User-Agent": "certmail (gzip)", "Accept-Encoding": "gzip"},
        cookie_jar=aiohttp.DummyCookieJar(),
    )


async def revoke(session: aiohttp.ClientSession, url: str, token: str) -> bool:
    """Revoke a token; gives whether Google confirmed that it is good for nothing any more.

    Safe to repeat.
    """
    for pause in (0.5, 2.0, 0.0):
        try:
            async with session.post(url, data={"token": token}, allow_redirects=False) as answer:
                if answer.status < 500:
                    return answer.status == 200 or ended_before(answer.status, await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError):
            pass  # the next try, or the answer that it was not confirmed

        await asyncio.sleep(pause)
    return False


def ended_before(status: int, body: bytes) -> bool:
    """Whether Google says that a token to be revoked is good for nothing already."""
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    return status == 400 and isinstance(answer, dict) and answer.get("error") == "invalid_token"


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except OSError as error:
        raise SettingsError(
            "invalid_settings", f"CERTMAIL_GOOGLE_CA_FILE={ca_file} cannot be read: {error}"
        ) from None
