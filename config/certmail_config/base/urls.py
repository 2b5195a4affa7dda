"""Web addresses that a browser may be sent to, read strictly.

They are compared part by part, never by their beginning as text.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from certmail_config.base.web_links import NoLink, read_link

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
# ASCII without spaces, controls and backslashes
_PLAIN: Final = re.compile(r"[\x21-\x5b\x5d-\x7e]+")
_DOTS: Final = re.compile(r"(^|/)(\.|%2e){1,2}(/|$)", re.IGNORECASE)


def split_web_address(text: str) -> SplitResult | None:
    """The parts of a web address that is safe to send a browser to, else None.

    It must be https (or http of this machine) and have a host, without user, fragment or tricks.
    """
    if not _PLAIN.fullmatch(text) or "#" in text:
        return None

    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None

    # What no mail may carry, a browser would open elsewhere than it says, or not at all.
    if not host or isinstance(read_link(text), NoLink) or _DOTS.search(parts.path):
        return None

    safe = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    return parts if safe else None


def is_below(address: str, allowed: str) -> bool:
    """Whether an address is an allowed one, or lies below it."""
    asked, known = split_web_address(address), split_web_address(allowed)
    if asked is None or known is None or _origin(asked) != _origin(known):
        return False
    path, base = asked.path or "/", known.path.rstrip("/")
    return path == base or path.startswith(f"{base}/")


def origin(address: str) -> str:
    """Scheme, host and port, as a browser writes them."""
    scheme, host, port = _origin(urlsplit(address))
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" + ("" if port == _port_of(scheme) else f":{port}")


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _port_of(parts.scheme)


def _port_of(scheme: str) -> int:
    return 443 if scheme == "https" else 80
