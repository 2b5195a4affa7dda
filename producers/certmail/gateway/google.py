"""The three requests that the gateway makes to Google itself: exchange a code, ask whose account it is, revoke a token.

Codes and tokens never travel in a Celery message, so these are not left to a worker.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from dataclasses import dataclass

import aiohttp

from certmail_config.oauth import Account, Granted, OAuthClient, code_form, read_account, read_answer
from certmail_config.proxy import UNREACHABLE, answered
from certmail_config.settings import Settings
from certmail_config.token_errors import Blame, Denied, Grant


@dataclass(frozen=True, slots=True)
class Google:
    """Google's addresses, over one session."""

    session: aiohttp.ClientSession
    settings: Settings
    client: OAuthClient

    async def exchange(self, code: str, verifier: str) -> Granted | Denied:
        """Exchange the callback's code; it works once, so nothing here is repeated."""
        form = code_form(self.client, code=code, redirect_uri=self.settings.callback_url, verifier=verifier)
        try:
            async with self.session.post(
                self.settings.google_token_url, data=form, allow_redirects=False
            ) as answer:
                return read_answer(answer.status, await answer.read(), Grant.SIGN_IN)
        except aiohttp.ClientHttpProxyError as error:
            trouble = answered(error.status)
            message = f"Google's token endpoint cannot be reached: {trouble.why}."
            return Denied(Blame.OPERATOR, "proxy_refused", message, trouble.remedy)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = (
                UNREACHABLE.why
                if isinstance(error, aiohttp.ClientProxyConnectionError)
                else type(error).__name__
            )
            message = f"Google's token endpoint cannot be reached: {why}"
            return Denied(Blame.NOBODY, "token_unavailable", message, "Link the account again in a minute.")

    async def account(self, token: str) -> Account | None:
        """Whose account a token is for; None if Google does not say."""
        try:
            headers = {"Authorization": f"Bearer {token}"}
            async with self.session.get(
                self.settings.google_userinfo_url, headers=headers, allow_redirects=False
            ) as answer:
                body = await answer.read()
                return read_account(body) if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    async def revoke(self, token: str) -> bool:
        """Give a token back that is not going to be used; says whether Google confirmed."""
        return await revoke(self.session, self.settings.google_revoke_url, token)


async def revoke(session: aiohttp.ClientSession, url: str, token: str) -> bool:
    """Give a token back; says whether Google confirmed that it is good for nothing any more. Safe to repeat."""
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
        said = json.loads(body)
    except ValueError:
        return False
    return status == 400 and isinstance(said, dict) and said.get("error") == "invalid_token"


def new_session(settings: Settings) -> aiohttp.ClientSession:
    """Make the gateway's session; belongs to the running loop."""
    ca_file = settings.google_ca_file
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context),
        timeout=aiohttp.ClientTimeout(total=settings.http_timeout_seconds),
        cookie_jar=aiohttp.DummyCookieJar(),
        proxy=settings.proxy,
        trust_env=False,
    )
