"""The address of whoever asks. Pure.

It is the one that a connection comes from, or, through proxies that an operator trusts, the one
that they name.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MAX_HOPS: Final = 20


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies whose word on where a request comes from is taken."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, given: Iterable[str]) -> Proxies:
        """From addresses and networks as settings have them."""
        return cls(tuple(ipaddress.ip_network(each) for each in given))

    def trust(self, address: str) -> bool:
        """Whether it is one of them."""
        found = _read(address)
        return found is not None and any(found in network for network in self.networks)

    def client(self, peer: str, forwarded: Sequence[str]) -> str:
        """The client's address, given the peer's and the values of X-Forwarded-For.

        Each proxy adds at the end whom it was asked by, and who asks can write anything before
        that: so it is read from the end, as long as whoever wrote it is trusted.
        """
        named = [part.strip() for value in forwarded for part in value.split(",")]
        client = peer

        for hop in reversed(named[-MAX_HOPS:]):
            found = _read(hop)
            if not self.trust(client) or found is None:
                break
            client = str(found)

        return client


def network_of(address: str) -> str:
    """What counts as one address: of IPv6 its /64, which one person has."""
    found = _read(address)
    if found is None:
        return address  # a Unix socket has none
    return str(ipaddress.ip_network(f"{found}/{32 if found.version == 4 else 64}", strict=False))


def _read(text: str) -> Address | None:
    """An address, with a port or without."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]

    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None

    mapped = found.ipv4_mapped if found.version == 6 else None
    return mapped or found
