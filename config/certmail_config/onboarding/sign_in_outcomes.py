"""How sign-ins ended, for whoever loads the page again.

The first time is what counts, and only its browser is told.

Kept sealed as long as a consent may take, under the hash of what was used up: a consent's state, or
an offer's id.
"""

from __future__ import annotations

import hmac
from typing import Any, Final

from certmail_config.base import redis_keys
from certmail_config.crypto.hashing import hash_of_secret
from certmail_config.crypto.strongbox import Strongbox

LIFE_SECONDS: Final = 1800


def remember_outcome(box: Strongbox, used: str, browser: str, value: dict[str, Any]) -> None:
    """Keep how it ended for the browser with this secret; raises RedisError."""
    kept = {"browser": hash_of_secret(browser), "value": value}
    box.put(redis_keys.OUTCOME + hash_of_secret(used), kept, seconds=LIFE_SECONDS)


def recall_outcome(box: Strongbox, used: str, browser: str) -> dict[str, Any] | None:
    """How it ended, if this browser was there; raises RedisError."""
    kept = box.get(redis_keys.OUTCOME + hash_of_secret(used))
    if kept is None or not hmac.compare_digest(kept["browser"], hash_of_secret(browser)):
        return None
    value: dict[str, Any] = kept["value"]
    return value
