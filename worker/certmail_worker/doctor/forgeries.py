"""Forgeries: what stands in Redis where only certmail writes, and is not certmail's.

It is found by looking, or was reported when it was used.

It changes nothing. A value that was made by somebody else, or moved there from another place, is
used by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.dates import moment
from certmail_config.base.errors import SealBroken
from certmail_config.base.redis_answers import hash_of, values_of
from certmail_config.crypto.strongbox import Strongbox, place_in

_PREFIXES: Final = (*redis_keys.OF_SETTING_UP, redis_keys.LINK, redis_keys.WORKER_REQUEST)
_OTHERS: Final = (redis_keys.WORKER_REQUEST_TAKEN, redis_keys.WORKER_REQUEST_LATEST)
_PATTERN: Final = f"{redis_keys.TAG}:[vsle]*"
"""Fits all of them, and few of the keys of reminders."""
_BATCH: Final = 500
REMEDY: Final = (
    "Find out who can write to this Redis, let nobody do so who need not, and give certmail's "
    "processes another password; where a vault key was lost, it is that, and the value ends by itself."
)


@dataclass(frozen=True, slots=True)
class Forgery:
    """A place with something forged; `message` says what was seen there."""

    place: str
    message: str


def find_forgeries(box: Strongbox) -> list[Forgery]:
    """Look at every value, and at what was reported within the last week; raises RedisError."""
    found = {
        place: _there(place)
        for place, sealed in _values(box.redis)
        if not _ours(box, place, sealed)
    }

    reported = hash_of(box.redis, redis_keys.FORGED)
    for name, report in reported.items():
        place = name.decode(errors="replace")
        at = report.decode(errors="replace").partition("|")[0]
        found.setdefault(place, _gone(place, at))

    return [found[place] for place in sorted(found)]


def unlike_sql(places: Iterable[str]) -> list[Forgery]:
    """The forgeries at places that do not hold what SQL says."""
    words = "is not what SQL says, and no older version of it: somebody else wrote it. A worker puts it right within a minute."
    return [Forgery(place, f"What stands at {place} {words}") for place in places]


def _there(place: str) -> Forgery:
    return Forgery(
        place, f"What stands at {place} was not written there by certmail; it is not used."
    )


def _gone(place: str, at: str) -> Forgery:
    when = (
        moment(datetime.fromtimestamp(int(at) / 1000, UTC)) if at.isdecimal() else "some time ago"
    )
    return Forgery(
        place,
        f"What stood at {place} on {when} was not written by certmail; it was refused, or put right.",
    )


def _ours(box: Strongbox, place: str, sealed: bytes) -> bool:
    try:
        box.vault.open(sealed, owner=place)
    except SealBroken:
        return False
    return True


def _values(redis: Redis) -> Iterator[tuple[str, bytes]]:
    for id_, sealed in hash_of(redis, redis_keys.API_KEYS).items():
        yield place_in(redis_keys.API_KEYS, id_.decode(errors="replace")), sealed

    scanned = (name.decode(errors="replace") for name in redis.scan_iter(_PATTERN, count=5000))
    names = (
        name for name in scanned if name.startswith(_PREFIXES) and not name.startswith(_OTHERS)
    )
    while batch := list(islice(names, _BATCH)):
        values = values_of(redis, batch)
        yield from (
            (name, value) for name, value in zip(batch, values, strict=True) if value is not None
        )
