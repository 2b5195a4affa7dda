"""Connections: what is said of one that does not work, and which names are usable."""

from __future__ import annotations

from dataclasses import replace

import pytest

from certmail_config.connections import Connection, ConnectionState, Kind, Limits, check_name, mailbox_id
from certmail_config.errors import WrongUse
from certmail_config.ids import ConnectionId

CONNECTION = Connection(
    ConnectionId("c1"), "acme", "default", Kind.CUSTOMER_OWNED_APP, mailbox="Reviews@acme.example", version=7
)


@pytest.mark.parametrize("name", ["a", "acme", "acme-emea-2", "0", "a" * 63])
def test_a_usable_name_is_given_back(name: str) -> None:
    assert check_name(name, "tenant") == name


@pytest.mark.parametrize(
    "name", ["", "-a", "Acme", "a b", "a/b", "a:b", "acmé", "a" * 64, "acme\n", "\nacme", "a\0"]
)
def test_any_other_name_is_wrong_use(name: str) -> None:
    with pytest.raises(WrongUse) as raised:
        check_name(name, "tenant")
    assert raised.value.code == "invalid_name"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (ConnectionState.DRAFT, "connection_draft"),
        (ConnectionState.PENDING, "connection_pending"),
        (ConnectionState.ATTENTION, "connection_attention"),
        (ConnectionState.DISABLED, "connection_disabled"),
    ],
)
def test_whoever_asks_about_a_waiting_job_hears_why(state: ConnectionState, code: str) -> None:
    found, message = replace(CONNECTION, state=state).waits_for()
    assert found == code
    assert "'default'" in message


def test_trouble_is_told_in_its_own_words_until_it_works_again() -> None:
    troubled = CONNECTION.troubled("key_unknown", "Google does not know the key.", "Upload it.")
    assert troubled.waits_for() == ("key_unknown", "Google does not know the key.")
    working = troubled.working(key_id="abc")
    assert (working.state, working.code, working.message, working.remedy) == ("active", None, None, None)
    assert working.key_id == "abc"
    assert working.working(key_id=None).key_id == "abc"


def test_a_mailbox_is_known_in_redis_by_a_keyed_hash_only() -> None:
    name = mailbox_id("reviews@acme.example", b"salt")
    assert name == mailbox_id("REVIEWS@Acme.example", b"salt")
    assert name != mailbox_id("reviews@acme.example", b"other")
    assert name != mailbox_id("review@acme.example", b"salt")
    assert "acme" not in name


def test_a_lane_has_the_connections_limits_and_version() -> None:
    lane = replace(CONNECTION, limits=Limits(15000, 2)).lane(b"salt")
    assert (lane.units_per_minute, lane.in_flight, lane.version) == (15000, 2, 7)
    assert lane.mailbox == mailbox_id("reviews@acme.example", b"salt")
    assert replace(CONNECTION, mailbox=None).lane(b"salt").mailbox == ""


def test_sealed_values_are_bound_to_tenant_and_connection() -> None:
    assert CONNECTION.owner == "acme/c1"
