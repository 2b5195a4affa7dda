"""The address of whoever asks, with proxies in between or without."""

from __future__ import annotations

import pytest

from certmail.gateway.peers import Proxies, network_of
from certmail.gateway.store_outage import for_clients
from certmail_config.base.errors import SettingsError, StoresUnreachable
from certmail_config.settings import Settings

TRUSTED = Proxies.of(["10.0.0.0/8", "::1"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("::1", ["198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        # What the client itself wrote stands further left, and is not believed.
        ("10.0.0.1", ["127.0.0.1, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.7", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, 10.0.0.2, 10.0.0.3"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("10.0.0.1", ["198.51.100.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", [", ,"], "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4, " * 1000 + "198.51.100.1"], "198.51.100.1"),
        ("", ["198.51.100.1"], ""),
    ],
)
def test_proxies_are_believed_from_the_end_as_far_as_they_are_trusted(
    peer: str, forwarded: list[str], client: str
) -> None:
    assert TRUSTED.client(peer, forwarded) == client


def test_without_proxies_nobody_is_believed() -> None:
    assert Proxies().client("10.0.0.1", ["198.51.100.1"]) == "10.0.0.1"


def test_what_one_person_has_counts_as_one() -> None:
    assert network_of("192.0.2.1") == "192.0.2.1/32" == network_of("::ffff:192.0.2.1")
    assert (
        network_of("2001:db8::1") == network_of("2001:db8::ffff") != network_of("2001:db8:0:1::1")
    )
    assert network_of("") == ""


def test_the_setting_takes_addresses_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTMAIL_TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    assert Settings.from_env().trusted_proxies == ("10.0.0.0/8", "::1")

    for wrong in ("proxy.example", "10.0.0.1/8", "10.0.0.0/33"):
        monkeypatch.setenv("CERTMAIL_TRUSTED_PROXIES", wrong)
        with pytest.raises(
            SettingsError, match=r"CERTMAIL_TRUSTED_PROXIES.*an address or a network"
        ):
            Settings.from_env()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("database_unreachable", "The record is away."),
        ("database_outdated", "The record is away."),
        ("redis_unreachable", "Redis does not answer at the moment."),
        ("redis_auth", "Redis does not answer at the moment."),
        ("data_dir_unusable", "A store does not answer."),
    ],
)
def test_whoever_asks_is_not_told_where_a_store_is(code: str, message: str) -> None:
    error = for_clients(
        StoresUnreachable(code, "postgresql://certmail@db.internal/certmail", "see db.internal")
    )
    assert (error.code, error.message, error.remedy) == (code, message, "Try again in a moment.")


def test_but_what_is_full_and_what_is_to_be_done_then() -> None:
    full = StoresUnreachable(
        "redis_full", "Redis is full: 9 MB of 10 MB are used.", "Give it more memory."
    )
    assert for_clients(full) is full
