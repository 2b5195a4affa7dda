"""Which addresses of endpoints are taken: one form, and no trick."""

from __future__ import annotations

import pytest

from certmail_config.base.errors import WrongUse
from certmail_config.webhooks.addresses import read_allowed
from certmail_config.webhooks.targets import host_of, read_target

TRICKS = {
    "": "does not begin",
    "hooks.example.com/x": "does not begin",
    "//hooks.example.com/x": "does not begin",
    "ftp://hooks.example.com/": "does not begin",
    "file:///etc/passwd": "does not begin",
    "gopher://127.0.0.1:6379/_SET": "does not begin",
    "unix:///run/redis.sock": "does not begin",
    "http://hooks.example.com/": "only https://",
    "https:///x": "no host",
    "https://": "no host",
    "https://ann@hooks.example.com/": "user name",
    "https://hooks.example.com@10.0.0.5/": "user name",
    "https://ann:secret@hooks.example.com/": "user name",
    "https://hooks.example.com\\@10.0.0.5/": "backslash",
    "https://hooks.example.com\\.evil.example/": "backslash",
    " https://hooks.example.com/": "space",
    "https://hooks.example.com/\n": "space",
    "https://hooks.exa\tmple.com/": "space",
    "https://hooks.example.com/\r\nHost: inner": "space",
    "https://hooks.example.com/#x": "fragment",
    "https://127.0.0.1/": "this machine",
    "https://127.0.0.1./": "this machine",
    "https://127.1/": "number",
    "https://2130706433/": "number",
    "https://0x7f000001/": "number",
    "https://0x7f.0.0.1/": "number",
    "https://0177.0.0.1/": "number",
    "https://127.0.0.01/": "number",
    "https://\uff11\uff12\uff17.\uff10.\uff10.\uff11/": "this machine",
    "https://①②⑦.0.0.1/": "this machine",
    "https://127。0。0。1/": "this machine",
    "https://%31%32%37.0.0.1/": "%",
    "https://[::1]/": "this machine",
    "https://[::ffff:127.0.0.1]/": "mapped",
    "https://[::ffff:7f00:1]/": "mapped",
    "https://[64:ff9b::7f00:1]/": "NAT64",
    "https://[fe80::1%25eth0]/": "brackets",
    "https://[::1": "brackets",
    "https://169.254.169.254/latest/meta-data/": "secrets",
    "https://10.0.0.5/": "RFC 1918",
    "https://localhost/": "inner network",
    "https://localhost./": "inner network",
    "https://hooks.localhost/": "inner network",
    "https://metadata.google.internal/": "inner network",
    "https://router.lan/": "inner network",
    "https://redis/": "inner network",
    "https://hooks.example.com:22/": "port 22",
    "https://hooks.example.com:25/": "port 25",
    "https://hooks.example.com:80/": "port 80",
    "https://hooks.example.com:0/": "port 0",
    "https://hooks.example.com:6379/": "port 6379",
    "https://hooks.example.com:5432/": "port 5432",
    "https://hooks.example.com:99999/": "65535",
    "https://hooks.example.com:443:80/": "%",
    "https://hooks..example.com/": "dot too many",
    "https://exa mple.com/": "space",
    "https://" + "a" * 64 + ".example/": "63 characters",
    "https://hooks.example.com/" + "a" * 2000: "2000 characters",
}


@pytest.mark.parametrize(("text", "why"), TRICKS.items())
def test_a_trick_is_refused_with_a_sentence(text: str, why: str) -> None:
    with pytest.raises(WrongUse) as raised:
        read_target(text)
    assert raised.value.code == "invalid_url"
    assert why in raised.value.message
    assert "CERTMAIL_WEBHOOK_ALLOW" in raised.value.remedy


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://hooks.example.com/in?key=a%20b", "https://hooks.example.com/in?key=a%20b"),
        ("HTTPS://Hooks.Example.com:443/In", "https://hooks.example.com/In"),
        ("https://hooks.example.com:8443", "https://hooks.example.com:8443"),
        ("https://größe.example/", "https://xn--gre-6ka8i.example/"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
    ],
)
def test_what_is_public_is_kept_in_one_form(text: str, kept: str) -> None:
    assert read_target(text) == kept


def test_what_an_operator_allows_is_taken() -> None:
    allowed = read_allowed("http://10.20.0.0/16")
    assert read_target("http://10.20.0.5/x", allowed) == "http://10.20.0.5/x"
    assert read_target("http://hooks/x", allowed) == "http://hooks/x", "a name: seen where it leads"
    with pytest.raises(WrongUse, match="RFC 1918"):
        read_target("http://10.21.0.5/x", allowed)
    with pytest.raises(WrongUse, match="only https://"):
        read_target("http://10.20.0.5/x", read_allowed("10.20.0.0/16"))


def test_of_an_address_only_its_host_may_be_shown() -> None:
    assert host_of("https://hooks.example.com:8443/in?key=secret") == "hooks.example.com:8443"
