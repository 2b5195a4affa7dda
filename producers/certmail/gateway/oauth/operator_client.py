"""The two requests with which an operator's sign-in at Google is checked, by the gateway itself."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from certmail_config.base.errors import SettingsError
from certmail_config.google.oauth import OAuthClient, code_form
from certmail_config.google.sign_in import (
    NotBelieved,
    Question,
    SignedIn,
    key_of,
    read_certificates,
    sign_in_url,
    signed_in,
    token_of,
)
from certmail_config.settings import Settings

CALLBACK: Final = "/console/sign-in/google/callback"
KEPT_SECONDS: Final = 3600
"""For so long Google's keys are kept; it tells of new ones days before it uses them."""
AGAIN_SECONDS: Final = 30
"""And so long at least before they are asked for again, whatever key a token names."""


@dataclass(slots=True)
class OperatorClient:
    """Our OAuth client for operators, over one session; belongs to one event loop."""

    session: aiohttp.ClientSession
    settings: Settings
    client: OAuthClient
    monotonic: Callable[[], float] = time.monotonic
    _certificates: Mapping[str, str] = field(default_factory=dict)
    _asked_at: float = -math.inf

    @property
    def redirect_uri(self) -> str:
        """Where Google leads back to; it is registered so with the OAuth client."""
        return self.settings.base_url + CALLBACK

    @property
    def domains(self) -> Collection[str]:
        """Whose members are asked for."""
        return self.settings.operator_domains

    def url(self, question: Question) -> str:
        """Where a browser signs in."""
        return sign_in_url(
            self.settings.google_auth_url,
            self.client,
            redirect_uri=self.redirect_uri,
            question=question,
            domains=self.domains,
        )

    async def who(self, code: str, question: Question) -> SignedIn:
        """Who signed in, for the callback's code, which works once. Raises NotBelieved."""
        form = code_form(
            self.client, code=code, redirect_uri=self.redirect_uri, verifier=question.verifier
        )

        try:
            async with self.session.post(
                self.settings.google_token_url, data=form, allow_redirects=False
            ) as answer:
                token = token_of(answer.status, await answer.read())
            certificates = await self._certificates_for(token)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NotBelieved(f"Google does not answer: {type(error).__name__}") from None

        return signed_in(
            token, certificates, self.client, nonce=question.nonce, domains=self.domains
        )

    async def _certificates_for(self, token: str) -> Mapping[str, str]:
        """Google's keys, asked for anew where they may have changed, but not at each request."""
        age = self.monotonic() - self._asked_at
        unknown = key_of(token) not in self._certificates
        if age >= KEPT_SECONDS or (unknown and age >= AGAIN_SECONDS):
            async with self.session.get(
                self.settings.google_certs_url, allow_redirects=False
            ) as answer:
                self._certificates = read_certificates(await answer.read())
            self._asked_at = self.monotonic()
        return self._certificates


def operator_client(session: aiohttp.ClientSession, settings: Settings) -> OperatorClient | None:
    """The client, if one is configured."""
    id_, secret = settings.operator_oauth_client_id, settings.operator_oauth_client_secret
    if id_ is None or secret is None:
        return None
    return OperatorClient(session, settings, OAuthClient(id_, secret.get_secret_value()))


def check_whole(settings: Settings) -> None:
    """Raises SettingsError for half a way to sign in, which would be taken for a whole one."""
    id_, secret = settings.operator_oauth_client_id, settings.operator_oauth_client_secret
    if (id_ is None) is not (secret is None):
        raise SettingsError(
            "operator_client_incomplete",
            "CERTMAIL_OPERATOR_OAUTH_CLIENT_ID and CERTMAIL_OPERATOR_OAUTH_CLIENT_SECRET go together.",
            "Set both, or neither.",
        )
    if id_ is not None and not settings.operator_domains:
        raise SettingsError(
            "operator_client_incomplete",
            "CERTMAIL_OPERATOR_DOMAINS does not say of which domains operators are.",
            "Set it to your Google Workspace domain.",
        )
