"""Connections: what is said of one that does not work, and which names are usable."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from certmail_config.base.errors import WrongUse
from certmail_config.base.ids import ConnectionId
from certmail_config.tenants.models import (
    BOUNDS,
    OUR_PROJECT,
    Connection,
    ConnectionKind,
    ConnectionState,
    GoogleLimits,
    check_name,
    mailbox_id,
    project_id,
)

CONNECTION = Connection(
    ConnectionId("c1"),
    "acme",
    "default",
    ConnectionKind.CUSTOMER_OWNED_APP,
    mailbox="Reviews@acme.example",
    version=7,
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
    troubled = CONNECTION.failing("key_unknown", "Google does not know the key.", "Upload it.")
    assert troubled.waits_for() == ("key_unknown", "Google does not know the key.")
    working = troubled.working(key_id="abc")
    assert (working.state, working.code, working.message, working.remedy) == (
        "active",
        None,
        None,
        None,
    )

    assert working.key_id == "abc"
    assert working.working(key_id=None).key_id == "abc"


def test_a_mailbox_is_known_in_redis_by_a_keyed_hash_only() -> None:
    name = mailbox_id("reviews@acme.example", b"salt")
    assert name == mailbox_id("REVIEWS@Acme.example", b"salt")
    assert name != mailbox_id("reviews@acme.example", b"other")
    assert name != mailbox_id("review@acme.example", b"salt")
    assert "acme" not in name


class TestProjects:
    """A project's limits are shared by all whose service account or sign-in belongs to it."""

    def test_a_service_account_names_its_project_whatever_its_own_name(self) -> None:
        name = project_id("certmail@acme-it.iam.gserviceaccount.com", b"salt")
        assert name == project_id("Other@ACME-IT.iam.gserviceaccount.com", b"salt")
        assert name != project_id("certmail@acme-hr.iam.gserviceaccount.com", b"salt")

    def test_a_domain_scoped_project_is_another_than_its_namesakes(self) -> None:
        scoped = project_id("certmail@acme-it.acme.example.iam.gserviceaccount.com", b"salt")
        assert scoped == project_id("other@acme-it.acme.example.iam.gserviceaccount.com", b"salt")
        assert scoped != project_id("certmail@acme-it.iam.gserviceaccount.com", b"salt")
        assert scoped != project_id(
            "certmail@acme-it.beta.example.iam.gserviceaccount.com", b"salt"
        )

    def test_an_account_of_another_shape_is_a_project_of_its_own(self) -> None:
        one = project_id("123-compute@developer.gserviceaccount.com", b"salt")
        assert one == project_id("123-Compute@developer.gserviceaccount.com", b"salt")
        assert one != project_id("456-compute@developer.gserviceaccount.com", b"salt")

    def test_linked_accounts_and_drafts_share_ours(self) -> None:
        assert project_id(None, b"salt") == OUR_PROJECT == "ours"
        linked = replace(CONNECTION, kind=ConnectionKind.SERVICE_PROVIDER_APP)
        assert linked.lane(b"salt").project == OUR_PROJECT
        assert Connection(ConnectionId("c2"), "acme", "apac").lane(b"salt").project == OUR_PROJECT

    def test_it_is_known_in_redis_by_a_keyed_hash_only(self) -> None:
        name = project_id("certmail@acme-it.iam.gserviceaccount.com", b"salt")
        assert len(name) == 16
        assert int(name, 16)
        assert name != project_id("certmail@acme-it.iam.gserviceaccount.com", b"other")

    @pytest.mark.parametrize(
        "text", ["a@p.iam.gserviceaccount.com", "123-compute@developer.gserviceaccount.com"]
    )
    def test_no_mailbox_shares_its_name(self, text: str) -> None:
        for address in (text, "p", "project", "project p"):
            assert not mailbox_id(address, b"salt").startswith(project_id(text, b"salt"))


class TestLimits:
    def test_the_defaults_are_those_that_google_documents(self) -> None:
        assert GoogleLimits() == GoogleLimits(
            units_per_minute=6000, in_flight=4, per_day=2000,
            project_units_per_minute=1_200_000, project_units_per_day=80_000_000, warm_up_days=0,
        )  # fmt: skip

    def test_each_has_bounds_and_its_default_is_within(self) -> None:
        assert [field.name for field in fields(GoogleLimits)] == list(BOUNDS)
        for name, (minimum, maximum) in BOUNDS.items():
            assert minimum <= getattr(GoogleLimits(), name) <= maximum
            assert maximum < 2**31, "SQL's integer"

    @pytest.mark.parametrize("name", BOUNDS)
    def test_one_that_is_out_of_bounds_is_wrong_use_and_named(self, name: str) -> None:
        minimum, maximum = BOUNDS[name]
        for value in (minimum, maximum):
            given: dict[str, Any] = {name: value}
            assert getattr(GoogleLimits(**given), name) == value
        for value in (minimum - 1, maximum + 1, -1):
            given = {name: value}
            with pytest.raises(WrongUse, match=f"{name} is {value}") as raised:
                GoogleLimits(**given)
            assert raised.value.code == "invalid_limit"

    @pytest.mark.parametrize(
        "name", ["units_per_minute", "project_units_per_minute", "project_units_per_day"]
    )
    def test_units_suffice_for_one_message(self, name: str) -> None:
        assert BOUNDS[name][0] == 100


@pytest.mark.parametrize(
    ("share", "minute", "day"),
    [
        (1.0, 1_200_000, 80_000_000),
        (0.5, 600_000, 40_000_000),
        (1 / 3, 400_000, 26_666_666),
        (0.000001, 100, 100),
    ],
)
def test_a_lane_has_the_deployments_share_of_its_project_but_enough_for_one_message(
    share: float, minute: int, day: int
) -> None:
    lane = CONNECTION.lane(b"salt", share)
    assert (lane.project_units_per_minute, lane.project_units_per_day) == (minute, day)
    assert (lane.units_per_minute, lane.per_day) == (6000, 2000), "the mailbox is nobody else's"


def test_a_lane_has_the_connections_limits_and_version() -> None:
    limits = GoogleLimits(15000, 2, 500, 600_000, 40_000_000, 7)
    account = "certmail@acme-it.iam.gserviceaccount.com"
    lane = replace(CONNECTION, limits=limits, service_account=account).lane(b"salt")
    assert (lane.units_per_minute, lane.in_flight, lane.version) == (15000, 2, 7)
    assert (lane.per_day, lane.warm_up_days) == (500, 7)
    assert (lane.project_units_per_minute, lane.project_units_per_day) == (600_000, 40_000_000)
    assert lane.project == project_id(account, b"salt")
    assert lane.mailbox == mailbox_id("reviews@acme.example", b"salt")
    assert replace(CONNECTION, mailbox=None).lane(b"salt").mailbox == ""


def test_sealed_values_are_bound_to_tenant_and_connection() -> None:
    assert CONNECTION.owner == "acme/c1"
