"""Which addresses a message may be sent to: none of the operator's own network.

A pure table, asked for each address that a connection is about to be made to, however it was
written and whoever resolved it. What it does not know to be public is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NEVER: Final = (
    ("0.0.0.0/8", "an address of this machine"),
    ("169.254.169.254/32", "where a cloud keeps its machines' secrets"),
    ("169.254.170.2/32", "where a cloud keeps its containers' secrets"),
    ("169.254.170.23/32", "where a cloud keeps its containers' secrets"),
    ("100.100.100.200/32", "where a cloud keeps its machines' secrets"),
    ("168.63.129.16/32", "where a cloud keeps its machines' secrets"),
    ("192.0.0.192/32", "where a cloud keeps its machines' secrets"),
    ("fd00:ec2::/32", "where a cloud keeps its machines' secrets"),
    ("fd20:ce::254/128", "where a cloud keeps its machines' secrets"),
    ("224.0.0.0/4", "a multicast address"),
    ("255.255.255.255/32", "the broadcast address"),
    ("::/128", "an address of this machine"),
    ("ff00::/8", "a multicast address"),
)
"""What no allow-list lets through."""
_PRIVATE: Final = (
    ("127.0.0.0/8", "this machine itself"),
    ("10.0.0.0/8", "a private address (RFC 1918)"),
    ("172.16.0.0/12", "a private address (RFC 1918)"),
    ("192.168.0.0/16", "a private address (RFC 1918)"),
    ("100.64.0.0/10", "an address of a carrier's inner network (RFC 6598)"),
    ("169.254.0.0/16", "a link-local address"),
    ("192.0.0.0/24", "reserved for protocols"),
    ("192.0.2.0/24", "for documentation only"),
    ("192.88.99.0/24", "the relay of an old tunnel (6to4)"),
    ("198.18.0.0/15", "for measurements only"),
    ("198.51.100.0/24", "for documentation only"),
    ("203.0.113.0/24", "for documentation only"),
    ("240.0.0.0/4", "reserved"),
    ("::1/128", "this machine itself"),
    ("fc00::/7", "a private address (unique local)"),
    ("fe80::/10", "a link-local address"),
    ("fec0::/10", "a private address (site-local)"),
    ("2001:db8::/32", "for documentation only"),
    ("3fff::/20", "for documentation only"),
    ("100::/64", "a black hole"),
    ("2001:20::/28", "no address of a server (ORCHID)"),
    ("2001:2::/48", "for measurements only"),
)
_HOLDING: Final = (
    ("::ffff:0:0/96", "an IPv4 address in IPv6 (mapped)", 0),
    ("::ffff:0:0:0/96", "an IPv4 address in IPv6 (translated)", 0),
    ("::/96", "an IPv4 address in IPv6 (compatible)", 0),
    ("64:ff9b::/96", "an IPv4 address behind a translator (NAT64)", 0),
    ("64:ff9b:1::/48", "an IPv4 address behind a translator (NAT64)", 0),
    ("2002::/16", "an IPv4 address in a tunnel (6to4)", 80),
    ("2001::/32", "an IPv4 address in a tunnel (Teredo)", 0),
)
"""Addresses that hold another one, so many bits from their end: a way around every other rule."""

_TABLE: Final[tuple[tuple[Network, str, bool], ...]] = tuple(
    (ip_network(network), what, final)
    for rows, final in ((_NEVER, True), (_PRIVATE, False))
    for network, what in rows
)
_HOLDERS: Final = tuple((IPv6Network(network), what, shift) for network, what, shift in _HOLDING)
_TEREDO: Final = IPv6Network("2001::/32")
_PUBLIC_V6: Final = IPv6Network("2000::/3")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What an operator lets through besides public addresses.

    `plain`: without TLS, too.
    """

    network: Network
    plain: bool = False


def why_refused(text: str, allowed: Sequence[Allowed] = (), *, plain: bool = False) -> str | None:
    """Why nothing is sent to an address, as a clause; None if it may be. `plain`: without TLS."""
    try:
        address = ip_address(text)
    except ValueError:
        return "it is no address"
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return "it is a link-local address"

    named = [rule for rule in allowed if address in rule.network]
    what = _what(address)
    if what is not None and (what[1] or not named):
        return f"it is {what[0]}"
    if plain and not any(rule.plain for rule in named):
        return "it would be reached without TLS"
    return None


def read_allowed(text: str) -> tuple[Allowed, ...]:
    """Read an allow-list: networks or addresses, comma separated, `http://` before those without TLS.

    Raises ValueError, with a clause that says what is wrong.
    """
    found = []
    for each in filter(None, (part.strip() for part in text.split(","))):
        plain, network = each.startswith("http://"), each.removeprefix("http://")
        try:
            found.append(Allowed(ip_network(network.strip("[]")), plain))
        except ValueError:
            message = "must be addresses or networks, comma separated, as in 10.20.0.0/16,http://192.168.7.9"
            raise ValueError(message) from None
    return tuple(found)


def _what(address: Address) -> tuple[str, bool] | None:
    """What an address is that is not public, and whether that is final."""
    for network, what, final in _TABLE:
        if address.version == network.version and address in network:
            return what, final
    if isinstance(address, IPv4Address):
        return None if address.is_global else ("no public address", False)

    for network, what, shift in _HOLDERS:
        if address in network:
            inner = _what(_held(address, shift))
            return what, inner is not None and inner[1]
    if address not in _PUBLIC_V6 or not address.is_global:
        return "no public address", False
    return None


def _held(address: IPv6Address, shift: int) -> IPv4Address:
    bits = (int(address) >> shift) & 0xFFFFFFFF
    return IPv4Address(bits ^ 0xFFFFFFFF if address in _TEREDO else bits)
