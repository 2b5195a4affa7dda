"""Consents under way: from the moment somebody is sent to Google until the callback comes back, once."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Final, cast

from redis import Redis

from certmail_config import keys
from certmail_config.connections import Connection
from certmail_config.ids import ConnectionId
from certmail_config.oauth import OAuthClient, consent_url
from certmail_config.vault import Vault

LIFE_SECONDS: Final = 1800
"""How long somebody may take to sign in and consent."""


@dataclass(frozen=True, slots=True)
class Link:
    """What the callback needs to know of the consent that it ends; `version` is the connection's when it began."""

    connection: ConnectionId
    version: int
    verifier: str


def begin_link(
    redis: Redis, vault: Vault, connection: Connection, client: OAuthClient, *, page: str, redirect_uri: str
) -> str:
    """Start a consent for this connection; gives the URL at Google. State and PKCE verifier are new each time."""
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    value = json.dumps(
        {"connection": connection.id, "version": connection.version, "verifier": verifier}
    ).encode()
    name = _name(state)
    redis.set(name, vault.seal(value, owner=name), ex=LIFE_SECONDS)
    return consent_url(page, client, redirect_uri=redirect_uri, state=state, verifier=verifier)


def take_link(redis: Redis, vault: Vault, state: str) -> Link | None:
    """The consent that this state belongs to; None if it is unknown, over, or was used before."""
    name = _name(state)
    sealed = cast("bytes | None", redis.getdel(name))
    if sealed is None:
        return None
    value = json.loads(vault.open(sealed, owner=name))
    return Link(ConnectionId(value["connection"]), value["version"], value["verifier"])


def _name(state: str) -> str:
    # The state itself is a secret until it is used; who reads Redis learns only its hash.
    return keys.LINK + hashlib.sha256(state.encode()).hexdigest()
