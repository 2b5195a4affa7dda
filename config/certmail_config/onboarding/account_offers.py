"""Accounts that somebody signed in with, and may let reminders be sent from.

Until they say yes the connection is as it was. The permission waits sealed, for as long as a
consent may take.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import asdict, dataclass
from typing import Final

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.crypto.hashing import hash_of_secret
from certmail_config.crypto.strongbox import Strongbox

LIFE_SECONDS: Final = 1800


@dataclass(frozen=True, slots=True, repr=False)
class Offer:
    """An account, and the connection which would send from it.

    `version` is the connection's when it was asked for.

    `browser` is the hash of the secret of the browser that may answer, `form` what its form sends
    back, `back` a path of ours that the consent was begun on; `another`: the connection may change
    its account.
    """

    connection: ConnectionId
    version: int
    sub: str
    email: str
    refresh_token: str
    access_token: str
    browser: str
    form: str
    back: str = ""
    another: bool = False

    def belongs_to(self, browser: str) -> bool:
        """Whether the browser with this secret may answer."""
        return hmac.compare_digest(self.browser, hash_of_secret(browser))


def keep_offer(box: Strongbox, offer: Offer) -> str:
    """Keep one until it is answered; gives the id under which it is found."""
    id_ = secrets.token_urlsafe(24)
    box.put(redis_keys.OFFER + hash_of_secret(id_), asdict(offer), seconds=LIFE_SECONDS)
    return id_


def find_offer(box: Strongbox, id_: str) -> Offer | None:
    """The offer of this id; None when it is answered or over."""
    value = box.get(redis_keys.OFFER + hash_of_secret(id_))
    return None if value is None else Offer(**value)


def take_offer(box: Strongbox, id_: str) -> Offer | None:
    """Find an offer and take it, since it is answered now."""
    value = box.take(redis_keys.OFFER + hash_of_secret(id_))
    return None if value is None else Offer(**value)
