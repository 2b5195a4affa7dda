"""What both ends of Celery's queue must agree on: its address, its names, how kombu talks to it.

Imports no kombu or Celery.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from certmail_config.base import redis_keys
from certmail_config.settings.sentinel_urls import is_sentinel, split_sentinel_url
from certmail_config.stores.sentinels import broker_options

if TYPE_CHECKING:
    from celery import Celery
else:
    Celery = object

QUEUE: Final = "certmail"
DELIVER: Final = "certmail.deliver"
PROBE: Final = "certmail.probe"
"""The tasks. A message holds one opaque id: of a job, or of a worker request."""
TRANSPORT_OPTIONS: Final[Mapping[str, Any]] = {
    # Doorbells are good for two seconds, so there is nothing worth restoring for long.
    "visibility_timeout": 120,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 15,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "global_keyprefix": redis_keys.CELERY_PREFIX,
    "priority_steps": [0],
}


def broker_url(redis_url: str) -> str:
    """A server's URL in kombu's form.

    A Unix socket has another scheme there, and the database another name; each sentinel has a URL.
    Where nothing is said of certificates kombu would trust any, so that it is said.
    """
    if is_sentinel(redis_url):
        return ";".join(
            _trusting_none(each) if redis_url.startswith("sentinels") else each
            for each in split_sentinel_url(redis_url).for_kombu().split(";")
        )
    if redis_url.startswith("rediss://"):
        return _trusting_none(redis_url)
    if not redis_url.startswith("unix://"):
        return redis_url

    parts = urlsplit(redis_url)
    query = urlencode(
        {"virtual_host" if name == "db" else name: value for name, value in parse_qsl(parts.query)}
    )
    return f"redis+socket://{parts.netloc}{parts.path}{'?' if query else ''}{query}"


def _trusting_none(url: str) -> str:
    """The URL of a server whose certificate must be good, unless it says otherwise."""
    if "ssl_cert_reqs=" in urlsplit(url).query:
        return url
    return f"{url}{'&' if urlsplit(url).query else '?'}ssl_cert_reqs=required"


def transport_options(redis_url: str) -> dict[str, Any]:
    """How kombu is to speak with the server of this URL."""
    return {**TRANSPORT_OPTIONS, **broker_options(redis_url)}


class OneBroker(Celery):  # type: ignore[misc]  # Celery ships no types
    """Mixed into a Celery app: it has the broker that it was made with, and no settings but ours.

    Celery lets CELERY_BROKER_URL and its like in the environment win, and `celery -b`, which sets
    them: an app of certmail's that asked another broker would wait there for ever.
    """

    own_broker: str
    backend_cls = "disabled"

    # There is but one.
    def connection_for_read(self, url: str | None = None, **given: Any) -> Any:  # noqa: ARG002
        """Connect to take messages."""
        return super().connection_for_read(self.own_broker, **given)

    def connection_for_write(self, url: str | None = None, **given: Any) -> Any:  # noqa: ARG002
        """Connect to send messages."""
        return super().connection_for_write(self.own_broker, **given)


OWN_APP: Final[Mapping[str, Any]] = {"loader": "app", "fixups": []}
"""What such an app is made with, so that it takes up nobody else's loader or Django application."""
