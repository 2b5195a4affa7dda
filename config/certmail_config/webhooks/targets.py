"""Addresses of endpoints as somebody writes them: which ones are taken, and in which form; pure.

What is taken here may still lead into a network that it must not: that is seen when it is known
where it leads (addresses.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from certmail_config.base.errors import WrongUse
from certmail_config.base.web_links import NoLink, read_link
from certmail_config.webhooks.addresses import Allowed, why_refused

MAX_URL: Final = 2000
_SERVICES: Final = frozenset({
    1433, 1521, 2375, 2376, 2379, 2380, 3306, 3389, 4369, 5432, 5671, 5672, 5984, 6379, 6380, 7000,
    7001, 8500, 9042, 9092, 9200, 9300, 10250, 10255, 11211, 15672, 26379, 27017, 27018, 50070,
})  # fmt: skip
"""Where databases, queues and the like listen that take HTTP for a command of theirs."""
_HERE: Final = ("localhost", "localdomain", "local", "internal", "intranet", "lan", "home", "corp", "home.arpa", "arpa")  # fmt: skip
"""Names that lead nowhere in public."""


def read_target(text: str, allowed: Sequence[Allowed] = ()) -> str:
    """The address in the one form in which it is kept and used; raises WrongUse."""
    why = _why_not(text, allowed)
    if why is not None:
        remedy = "Name an address such as https://hooks.example.com/certmail that is reached from the internet; "
        remedy += "one of your own network has to stand in CERTMAIL_WEBHOOK_ALLOW."
        raise WrongUse("invalid_url", f"No webhook can be sent there: {why}.", remedy)
    return str(read_link(text))


def host_of(url: str) -> str:
    """The host of an address that was taken: what may be shown and logged of it."""
    return urlsplit(url).netloc


def _why_not(text: str, allowed: Sequence[Allowed]) -> str | None:
    """Why an address is not taken, as a clause."""
    if len(text) > MAX_URL:
        return f"the address is longer than {MAX_URL} characters"
    if text != text.strip() or not text.isprintable():
        return "it holds a space, or a character that nobody sees"
    link = read_link(text)
    if isinstance(link, NoLink):
        return link.why
    if "#" in link.after:
        return "a fragment (#…) is never sent"

    parts = urlsplit(link.url)
    host, port, plain = parts.hostname or "", parts.port, parts.scheme == "http"
    if port is not None and (port < 1024 or port in _SERVICES):
        return (
            f"port {port} is none of a web server's: 443, or one from 1024 on that is no database's"
        )
    if plain and not any(rule.plain for rule in allowed):
        return "it begins with http://, and only https:// keeps it secret on the way"
    return _why_not_host(host.removesuffix("."), allowed, plain=plain)


def _why_not_host(host: str, allowed: Sequence[Allowed], *, plain: bool) -> str | None:
    try:
        ip_address(host)
    except ValueError:
        pass
    else:
        why = why_refused(host, allowed, plain=plain)
        return f"of {host}, {why}" if why else None

    if not allowed and ("." not in host or host.endswith(tuple(f".{each}" for each in _HERE))):
        return f"{host} is a name of an inner network"
    return None
