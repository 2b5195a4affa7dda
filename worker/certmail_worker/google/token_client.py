"""Asking Google for an access token: by a signed assertion, or with a refresh token.

Safe to repeat; keeps nothing but keys.
"""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from cachetools import LRUCache
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from google.auth.crypt import RSASigner

from certmail_config.base.ids import ConnectionId
from certmail_config.crypto.vault import Vault
from certmail_config.google.oauth import (
    AUDIENCE,
    Granted,
    OAuthClient,
    assertion_form,
    identity_form,
    read_answer,
    read_identity,
    refresh_form,
)
from certmail_config.google.token_errors import Blame, Denied, GrantType
from certmail_config.onboarding.google_steps import scopes_of
from certmail_config.tenants.models import METADATA_SCOPE, SEND_SCOPE, Connection, ConnectionKind
from certmail_config.tenants.sealed_fields import open_from
from certmail_config.tracing.spans import NO_TRACING, Span, Tracing
from certmail_worker.google.google_errors import named_wait
from certmail_worker.google.http import exchange
from certmail_worker.google.responses import Answered, Lost, NotSent
from certmail_worker.google.tenant_cache import KNOWN


class Purpose(StrEnum):
    """What a token is for.

    Each is asked for alone, so that a missing permission to look never stops a send.
    """

    SEND = "send"
    LOOK = "look"


SCOPE: Final = {Purpose.SEND: SEND_SCOPE, Purpose.LOOK: METADATA_SCOPE}


def purposes(connection: Connection) -> tuple[Purpose, ...]:
    """The purposes for which certmail needs tokens of a connection."""
    return (Purpose.SEND, Purpose.LOOK) if connection.verify else (Purpose.SEND,)


def to_paste(connection: Connection) -> str:
    """All scopes of a connection, as one pastes them into Google's table.

    A new list there replaces the old one.
    """
    scopes = ",".join(scopes_of(connection))
    if connection.verify:
        return f"{scopes} (both at once: a new list replaces the old one)"
    return scopes


@dataclass(slots=True)
class TokenClient:
    """Asks the token endpoint at `url`; `client` is our OAuth client, needed for linked accounts.

    `key_seen`: Google was just seen to list the certificate that is asked with.
    """

    session: aiohttp.ClientSession
    url: str
    vault: Vault
    client: OAuthClient | None
    key_seen: bool = False
    tracing: Tracing = NO_TRACING
    now: Callable[[], float] = time.time
    _signers: MutableMapping[ConnectionId, tuple[int, RSASigner]] = field(
        default_factory=partial(LRUCache, KNOWN)
    )

    async def mint(self, connection: Connection, purpose: Purpose) -> Granted | Denied:
        """Make one request for an access token; raises SealBroken when the vault lacks the key."""
        form = self._form(connection, purpose)
        if isinstance(form, Denied):
            return form

        answer = await exchange(self.session, "POST", self.url, data=form, span=self._span())
        if not isinstance(answer, Answered):
            return _unreached(answer)

        granted = read_answer(answer.status, answer.body, self._grant(connection))
        if not isinstance(granted, Denied):
            return granted

        remedy = granted.remedy.replace(SEND_SCOPE, to_paste(connection))
        if self.client is not None and connection.kind is ConnectionKind.SERVICE_PROVIDER_APP:
            named = f"trust the application (OAuth client ID {self.client.id})"
            remedy = remedy.replace("trust the application", named)

        return replace(granted, wait=named_wait(answer), remedy=remedy)

    async def client_id(self, connection: Connection) -> str | Denied | None:
        """The numeric client ID of a connection's service account; raises SealBroken.

        None where Google does not tell. Needs a key that Google knows, and no delegation: so it
        tells the two apart.
        """
        assert connection.service_account is not None, "asked of customer owned applications only"
        form = identity_form(
            self._signer(connection),
            key_id=connection.key_id,
            issuer=connection.service_account,
            audience=AUDIENCE,
            now=self.now(),
        )

        answer = await exchange(self.session, "POST", self.url, data=form, span=self._span())
        if not isinstance(answer, Answered):
            return _unreached(answer)
        if answer.status == 200:
            return read_identity(answer.body)

        refused = read_answer(answer.status, answer.body, self._grant(connection))
        return refused if isinstance(refused, Denied) else None

    def _span(self) -> Span:
        return self.tracing.google("token", "POST", self.url, urlsplit(self.url).path)

    def _grant(self, connection: Connection) -> GrantType:
        if connection.kind is ConnectionKind.SERVICE_PROVIDER_APP:
            return GrantType.OUR_CLIENT
        return GrantType.SEEN_KEY if self.key_seen else GrantType.ASSERTION

    def _form(self, connection: Connection, purpose: Purpose) -> dict[str, str] | Denied:
        if connection.kind is ConnectionKind.CUSTOMER_OWNED_APP:
            if connection.not_after is not None and connection.not_after.timestamp() <= self.now():
                return _expired(connection.not_after)

            assert connection.service_account is not None, "checked when the connection was added"
            assert connection.mailbox is not None, "checked when the connection was added"
            return assertion_form(
                self._signer(connection),
                key_id=connection.key_id,
                issuer=connection.service_account,
                subject=connection.mailbox,
                scopes=frozenset({SCOPE[purpose]}),
                now=self.now(),
            )

        if self.client is None:
            return Denied(
                Blame.OPERATOR,
                "client_missing",
                "certmail has no OAuth client to use a linked account with.",
                "Set CERTMAIL_OAUTH_CLIENT_ID and CERTMAIL_OAUTH_CLIENT_SECRET for every worker.",
            )

        if connection.refresh_token is None:
            return Denied(
                Blame.CUSTOMER, "not_linked", "No account is linked.", "Link the account."
            )

        refresh_token = open_from(
            self.vault, connection.refresh_token, connection.owner, "refresh_token"
        )
        return refresh_form(self.client, refresh_token.decode())

    def _signer(self, connection: Connection) -> RSASigner:
        """The connection's key, parsed once per version, and kept while it is among those used last."""
        known = self._signers.get(connection.id)
        if known is None or known[0] != connection.version:
            assert connection.private_key is not None, (
                "a customer owned application has a key from the start"
            )
            key = load_pem_private_key(
                open_from(self.vault, connection.private_key, connection.owner, "private_key"),
                password=None,
                # Made by us and sealed since: to prove its primes again takes tens of milliseconds
                # of everybody's loop.
                unsafe_skip_rsa_key_validation=True,
            )
            known = (connection.version, RSASigner(key, connection.key_id))
            self._signers[connection.id] = known

        return known[1]


def _unreached(answer: NotSent | Lost) -> Denied:
    message = f"The token endpoint cannot be reached: {answer.why}"
    if isinstance(answer, NotSent) and answer.remedy:
        return Denied(Blame.OPERATOR, "proxy_refused", message, answer.remedy)
    return Denied(Blame.NOBODY, "token_unavailable", message, "It is tried again.")


def _expired(not_after: datetime) -> Denied:
    """Google would refuse it without saying why (google.md §4.3)."""
    message = (
        f"The certificate ended on {not_after:%Y-%m-%d %H:%M UTC}: "
        "Google accepts its key no longer."
    )
    remedy = "Make a new one (`certmail connections rotate`) and upload it."
    return Denied(Blame.CUSTOMER, "certificate_expired", message, remedy, confirmed=True)
