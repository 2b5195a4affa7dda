"""The three requests that the gateway makes to Google itself.

It exchanges a code, asks whose account it is, and revokes a token.

Codes and tokens never travel in a Celery message, so these are not left to a worker.
"""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp

from certmail_config.google.http import google_session, revoke
from certmail_config.google.oauth import (
    Account,
    Granted,
    OAuthClient,
    code_form,
    read_account,
    read_answer,
)
from certmail_config.google.proxy import UNREACHABLE, answered
from certmail_config.google.token_errors import Blame, Denied, GrantType
from certmail_config.settings import Settings


@dataclass(frozen=True, slots=True)
class Google:
    """The requests to Google, over one session."""

    session: aiohttp.ClientSession
    settings: Settings
    client: OAuthClient

    async def exchange(self, code: str, verifier: str) -> Granted | Denied:
        """Exchange the callback's code; it works once, so nothing here is repeated."""
        form = code_form(
            self.client, code=code, redirect_uri=self.settings.callback_url, verifier=verifier
        )

        try:
            async with self.session.post(
                self.settings.google_token_url, data=form, allow_redirects=False
            ) as answer:
                return read_answer(answer.status, await answer.read(), GrantType.SIGN_IN)
        except aiohttp.ClientHttpProxyError as error:
            trouble = answered(error.status)
            message = f"Google's token endpoint cannot be reached: {trouble.why}."
            return Denied(Blame.OPERATOR, "proxy_refused", message, trouble.remedy)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = type(error).__name__
            if isinstance(error, aiohttp.ClientProxyConnectionError):
                why = UNREACHABLE.why

            message = f"Google's token endpoint cannot be reached: {why}"
            return Denied(
                Blame.NOBODY, "token_unavailable", message, "Link the account again in a minute."
            )

    async def account(self, token: str) -> Account | None:
        """The account that a token is for; None if Google does not say."""
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
        """Revoke a token that is not going to be used; returns whether Google confirmed."""
        return await revoke(self.session, self.settings.google_revoke_url, token)


def new_session(settings: Settings) -> aiohttp.ClientSession:
    """Make the gateway's session; belongs to the running loop."""
    return google_session(
        ca_file=settings.google_ca_file,
        timeout_seconds=settings.http_timeout_seconds,
        proxy=settings.proxy,
    )
