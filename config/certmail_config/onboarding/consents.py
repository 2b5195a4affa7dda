"""Consents under way: from when somebody is sent to Google until the callback comes back, once."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import Final

from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.crypto.hashing import hash_of_secret
from certmail_config.crypto.strongbox import Strongbox
from certmail_config.crypto.vault import Vault
from certmail_config.google.oauth import OAuthClient, consent_url
from certmail_config.tenants.models import Connection

LIFE_SECONDS: Final = 1800
"""How long somebody may take to sign in and consent."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What the callback needs to know of the consent that it ends.

    `version` is the connection's when it began.

    One that was begun on a page of ours belongs to that browser (`browser` is the hash of its
    secret), and leads `back` to a path of ours; one that the command line began has neither.
    `another`: an operator lets the connection change its account.
    """

    connection: ConnectionId
    version: int
    verifier: str
    browser: str = ""
    back: str = ""
    another: bool = False

    def belongs_to(self, browser: str) -> bool:
        """Whether the browser with this secret may end it."""
        return not self.browser or hmac.compare_digest(self.browser, hash_of_secret(browser))


def begin_link(
    redis: Redis,
    vault: Vault,
    connection: Connection,
    client: OAuthClient,
    *,
    page: str,
    redirect_uri: str,
    browser: str = "",
    back: str = "",
    another: bool = False,
    choose: bool = False,
) -> str:
    """Start a consent for this connection; gives the URL at Google.

    State and PKCE verifier are new each time.

    `browser` is a secret that only this browser has, `back` the path that it is sent to afterwards;
    with `choose` Google asks which account, with `another` it may be another one than the
    connection has.
    """
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    value = {
        "connection": connection.id,
        "version": connection.version,
        "verifier": verifier,
        "browser": hash_of_secret(browser) if browser else "",
        "back": back,
        "another": another,
    }

    Strongbox(redis, vault).put(_name(state), value, seconds=LIFE_SECONDS)
    return consent_url(
        page,
        client,
        redirect_uri=redirect_uri,
        state=state,
        verifier=verifier,
        choose=choose or another,
    )


def take_link(redis: Redis, vault: Vault, state: str) -> Consent | None:
    """The consent that this state belongs to; None if it is unknown, over, or was used before."""
    value = Strongbox(redis, vault).take(_name(state))
    if value is None:
        return None
    # None of these in one that an older certmail began.
    whose = value.get("browser", ""), value.get("back", ""), value.get("another", False)
    return Consent(ConnectionId(value["connection"]), value["version"], value["verifier"], *whose)


def _name(state: str) -> str:
    # The state itself is a secret until it is used; who reads Redis learns only its hash.
    return redis_keys.LINK + hash_of_secret(state)
