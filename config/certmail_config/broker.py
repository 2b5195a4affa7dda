"""What both ends of Celery's queue must agree on: its address, its names, and how kombu talks to it. Imports no kombu."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from certmail_config import keys

QUEUE: Final = "certmail"
DELIVER: Final = "certmail.deliver"
PROBE: Final = "certmail.probe"
"""The tasks. A message holds one opaque id: of a job, or of an enquiry."""
TRANSPORT_OPTIONS: Final[Mapping[str, Any]] = {
    # Doorbells are good for two seconds, so there is nothing worth restoring for long.
    "visibility_timeout": 120,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 15,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "global_keyprefix": keys.CELERY_PREFIX,
    "priority_steps": [0],
}


def broker_url(redis_url: str) -> str:
    """Kombu's form of a server's URL: a Unix socket has another scheme there, and the database another name."""
    if not redis_url.startswith("unix://"):
        return redis_url
    parts = urlsplit(redis_url)
    query = urlencode(
        {"virtual_host" if name == "db" else name: value for name, value in parse_qsl(parts.query)}
    )
    return f"redis+socket://{parts.netloc}{parts.path}{'?' if query else ''}{query}"
