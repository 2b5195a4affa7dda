"""The address of a Redis that sentinels watch: who they are, and the name they know it by.

    sentinel://user:password@one:26379,two:26379,three:26379/0?master=certmail

With `sentinels://` both, they and Redis, are spoken to over TLS. What else stands behind the `?` is
as in a redis:// URL, and for Redis; `sentinel_username` and `sentinel_password` are for the
sentinels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

SCHEMES: Final = ("sentinel://", "sentinels://")
PORT: Final = 26379
_PLACE: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
_MASTER: Final = re.compile(r"[A-Za-z0-9._-]+")
_OURS: Final = frozenset({"master", "sentinel_username", "sentinel_password"})


def is_sentinel(url: str) -> bool:
    """Whether a URL names sentinels."""
    return url.startswith(SCHEMES)


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """Such an address in its parts.

    `server` is a redis:// or rediss:// URL with all that is needed to speak to Redis but its host.
    """

    sentinels: tuple[tuple[str, int], ...]
    master: str
    server: str
    sentinel_login: dict[str, str]

    def for_kombu(self) -> str:
        """The same in kombu's form, where each sentinel has a URL."""
        parts = urlsplit(self.server)
        login, at, _ = parts.netloc.rpartition("@")
        rest = f"{parts.path}{'?' if parts.query else ''}{parts.query}"
        return ";".join(
            f"sentinel://{login}{at}{f'[{host}]' if ':' in host else host}:{port}{rest}"
            for host, port in self.sentinels
        )


def split_sentinel_url(url: str) -> SentinelAddress:
    """Read the address; raises ValueError, which repeats nothing of it."""
    scheme, _, rest = url.partition("://")
    parts = urlsplit(f"redis://{rest}")
    login, at, places = parts.netloc.rpartition("@")

    sentinels = []
    for place in places.split(","):
        found = _PLACE.fullmatch(place)
        if not found or int(found[2] or PORT) > 65535:
            message = "must name its sentinels as host:port, with commas between them"
            raise ValueError(message)
        sentinels.append((found[1].strip("[]"), int(found[2] or PORT)))

    query = parse_qsl(parts.query, keep_blank_values=True)
    given = dict(query)
    if not _MASTER.fullmatch(given.get("master", "")):
        message = "must end with ?master= and the name that its sentinels know Redis by"
        raise ValueError(message)

    kept = urlencode(
        [(name, value) for name, value in query if name not in _OURS], safe="/", quote_via=quote
    )
    return SentinelAddress(
        tuple(sentinels),
        given["master"],
        f"{'rediss' if scheme == 'sentinels' else 'redis'}://{login}{at}sentinel{parts.path}{'?' if kept else ''}{kept}",
        {
            name.removeprefix("sentinel_"): unquote(given[name])
            for name in sorted(_OURS & given.keys() - {"master"})
        },
    )
