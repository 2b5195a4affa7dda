"""Which addresses webhooks may be sent to: the table, row by row."""

from __future__ import annotations

import pytest

from certmail_config.webhooks.addresses import read_allowed, why_refused

REFUSED = {
    "0.0.0.0": "this machine",
    "0.1.2.3": "this machine",
    "127.0.0.1": "this machine itself",
    "127.255.255.254": "this machine itself",
    "10.0.0.5": "RFC 1918",
    "172.16.0.1": "RFC 1918",
    "172.31.255.255": "RFC 1918",
    "192.168.1.1": "RFC 1918",
    "100.64.0.1": "carrier",
    "100.127.255.255": "carrier",
    "100.100.100.200": "secrets",
    "169.254.1.1": "link-local",
    "169.254.169.254": "secrets",
    "169.254.170.2": "secrets",
    "168.63.129.16": "secrets",
    "192.0.0.192": "secrets",
    "192.0.0.1": "protocols",
    "192.0.2.1": "documentation",
    "192.88.99.1": "6to4",
    "198.18.0.1": "measurements",
    "198.51.100.1": "documentation",
    "203.0.113.1": "documentation",
    "224.0.0.1": "multicast",
    "239.255.255.250": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "broadcast",
    "::": "this machine",
    "::1": "this machine itself",
    "::ffff:10.0.0.5": "mapped",
    "::ffff:127.0.0.1": "mapped",
    "::ffff:8.8.8.8": "mapped",
    "::ffff:a9fe:a9fe": "mapped",
    "::ffff:0:127.0.0.1": "translated",
    "::7f00:1": "compatible",
    "64:ff9b::7f00:1": "NAT64",
    "64:ff9b::808:808": "NAT64",
    "64:ff9b:1::a00:5": "NAT64",
    "2002:7f00:1::": "6to4",
    "2002:808:808::1": "6to4",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2": "Teredo",
    "fc00::1": "unique local",
    "fd12:3456:789a::1": "unique local",
    "fd00:ec2::254": "secrets",
    "fd20:ce::254": "secrets",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "fe80::a9fe:a9fe": "link-local",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
    "ff0e::1": "multicast",
    "2001:db8::1": "documentation",
    "3fff::1": "documentation",
    "100::1": "black hole",
    "2001:20::1": "ORCHID",
    "2001:2::1": "measurements",
    "4000::1": "no public",
    "1::1": "no public",
    "hooks.example.com": "no address",
    "127.1": "no address",
    "0x7f000001": "no address",
    "2130706433": "no address",
}
PUBLIC = ("8.8.8.8", "93.184.215.14", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450:4001::1")  # fmt: skip


@pytest.mark.parametrize(("address", "why"), REFUSED.items())
def test_what_is_not_public_is_refused_with_what_it_is(address: str, why: str) -> None:
    assert why in str(why_refused(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_let_through_with_tls_only(address: str) -> None:
    assert why_refused(address) is None
    assert why_refused(address, plain=True) == "it would be reached without TLS"


def test_what_an_operator_allows_is_let_through_and_nothing_beside_it() -> None:
    allowed = read_allowed(
        "10.20.0.0/16, http://192.168.7.9,http://[fd12::9], ::ffff:10.20.0.0/112"
    )
    assert why_refused("10.20.3.4", allowed) is None
    assert why_refused("10.21.0.1", allowed) is not None
    assert why_refused("10.20.3.4", allowed, plain=True) == "it would be reached without TLS"
    assert why_refused("192.168.7.9", allowed, plain=True) is None
    assert why_refused("192.168.7.10", allowed, plain=True) is not None
    assert why_refused("fd12::9", allowed, plain=True) is None
    assert why_refused("::ffff:10.20.3.4", allowed) is None


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254", "0.0.0.0", "::",
        "224.0.0.1", "255.255.255.255", "ff02::1", "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "2001:0:1:1:1:1:5601:5601",
    ],
)  # fmt: skip
def test_no_allow_list_opens_the_way_to_a_clouds_secrets(address: str) -> None:
    assert why_refused(address, read_allowed("0.0.0.0/0,::/0,http://0.0.0.0/0")) is not None


@pytest.mark.parametrize("text", ["hooks.intra", "10.0.0.1/8", "https://10.0.0.1", "10.0.0", "a,b"])
def test_an_allow_list_that_cannot_be_read_says_how_one_is_written(text: str) -> None:
    with pytest.raises(ValueError, match=r"as in 10\.20\.0\.0/16"):
        read_allowed(text)
