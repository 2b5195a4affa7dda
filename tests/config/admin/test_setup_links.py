"""Set-up links: sealed, for one connection, one browser, seven days, and one at a time."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.erasing import erase_connection, erase_tenant
from certmail_config.admin.setup_links import (
    Invitation,
    belongs_to,
    bind,
    end,
    invitation_of,
    is_bound,
    issue,
    standing,
    way_back,
)
from certmail_config.admin.suspension import set_tenant_state
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.base.ids import ConnectionId
from certmail_config.settings import Settings
from certmail_config.tenants.models import Connection, ConnectionState, GoogleLimits, TenantState


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Admin]:
    settings = Settings(
        data_dir=Path(tmp_path_factory.mktemp("links")),
        return_urls=("https://app.example.com/settings",),
        public_url="https://certmail.example.com/",
    )
    with open_admin(settings) as made:
        made.add_tenant("acme")
        yield made


def token(url: str) -> str:
    assert url.startswith("https://certmail.example.com/connect/acme.")
    return url.rpartition("/")[2]


def test_a_link_is_for_a_tenant_and_good_for_seven_days(admin: Admin) -> None:
    before = datetime.now(UTC)
    made = issue(
        admin, "acme", name="second", return_url="https://app.example.com/settings", state="s"
    )
    assert timedelta(days=7) <= made.expires_at - before < timedelta(days=7, minutes=1)

    found = invitation_of(admin.strongbox, token(made.url))
    assert found is not None
    assert (found.tenant, found.name, found.state) == ("acme", "second", "s")

    box, name = admin.strongbox, redis_keys.SETUP + "acme"
    box.put(name, (box.get(name) or {}) | {"expires_at": before.timestamp() - 1}, seconds=60)
    assert invitation_of(admin.strongbox, token(made.url)) is None, (
        "its own time is over, whatever Redis still has"
    )


def test_the_first_browser_has_it_to_itself(admin: Admin) -> None:
    found = invitation_of(admin.strongbox, token(issue(admin, "acme").url))
    assert found is not None
    assert not is_bound(admin.redis, found)
    assert not belongs_to(admin.strongbox, found, "")
    assert bind(admin.strongbox, found, "mine")
    assert bind(admin.strongbox, found, "mine")
    assert not bind(admin.strongbox, found, "theirs")
    assert belongs_to(admin.strongbox, found, "mine")
    assert not belongs_to(admin.strongbox, found, "theirs")


def test_a_newer_one_ends_it_and_an_older_one_does_not_end_the_newer(admin: Admin) -> None:
    older = issue(admin, "acme")
    first = invitation_of(admin.strongbox, token(older.url))
    newer = issue(admin, "acme")
    assert invitation_of(admin.strongbox, token(older.url)) is None
    assert first is not None
    end(admin.strongbox, first)
    found = invitation_of(admin.strongbox, token(newer.url))
    assert found is not None
    end(admin.strongbox, found)
    assert standing(admin.strongbox, "acme", found.link) is None


def active(admin: Admin, tenant: str) -> Connection:
    """The tenant's connection `default`, which works."""
    made = admin.add_service_provider_app(tenant, "default", limits=GoogleLimits())
    return admin.save(replace(made, state=ConnectionState.ACTIVE))


def test_one_for_a_connection_that_works_is_made_only_where_that_is_asked_for(admin: Admin) -> None:
    admin.add_tenant("works")
    active(admin, "works")
    with pytest.raises(Refused, match="could change its mailbox") as refused:
        issue(admin, "works")
    assert refused.value.code == "connection_active"
    assert issue(admin, "works", name="second").connection == "second"
    assert issue(admin, "works", again=True).connection == "default"


def test_a_suspended_tenant_gets_none(admin: Admin) -> None:
    admin.add_tenant("stopped")
    set_tenant_state(admin, "stopped", TenantState.SUSPENDED, "for now")
    with pytest.raises(Refused, match="is suspended"):
        issue(admin, "stopped")


def test_it_goes_with_its_connection(admin: Admin) -> None:
    admin.add_tenant("parted")
    another = admin.add_service_provider_app("parted", "another", limits=GoogleLimits())
    made = issue(admin, "parted")
    erase_connection(admin, another)
    assert invitation_of(admin.strongbox, made.url.rpartition("/")[2]) is not None
    erase_connection(admin, admin.connection("parted/default"))
    assert invitation_of(admin.strongbox, made.url.rpartition("/")[2]) is None


class TestWhoeverCanWriteRedis:
    """But has no vault key."""

    def test_can_make_none(self, admin: Admin) -> None:
        id_ = "A" * 32
        link = hashlib.sha256(id_.encode()).hexdigest()
        value = asdict(Invitation("acme", "default", link, time.time() + 600))
        admin.redis.set(redis_keys.SETUP + "acme", json.dumps(value))
        assert invitation_of(admin.strongbox, f"acme.{id_}") is None
        assert (redis_keys.SETUP + "acme").encode() in dict(admin.redis.hgetall(redis_keys.FORGED))

    def test_cannot_lead_one_to_another_tenant(self, admin: Admin) -> None:
        admin.add_tenant("victim")
        mine = token(issue(admin, "acme").url)
        admin.redis.set(
            redis_keys.SETUP + "victim", admin.redis.get(redis_keys.SETUP + "acme") or b""
        )
        assert invitation_of(admin.strongbox, mine.replace("acme.", "victim.")) is None

    def test_cannot_bind_one_to_a_browser_of_theirs(self, admin: Admin) -> None:
        mine, theirs = (
            invitation_of(admin.strongbox, token(issue(admin, "acme", name=name).url))
            for name in ("default", "second")
        )
        assert mine is not None
        assert theirs is not None
        assert bind(admin.strongbox, theirs, "theirs")
        bound = redis_keys.SETUP_BROWSER

        for forged in (
            hashlib.sha256(b"theirs").hexdigest().encode(),
            admin.redis.get(bound + theirs.link) or b"",
        ):
            admin.redis.set(bound + mine.link, forged)
            assert not belongs_to(admin.strongbox, mine, "theirs")

    def test_and_whoever_reads_it_learns_nothing_of_what_the_application_gave(
        self, admin: Admin
    ) -> None:
        where = "https://app.example.com/settings?customer=4711"
        issue(admin, "acme", return_url=where, state="customer-4711")
        for name in admin.redis.scan_iter("*setup*"):
            assert b"4711" not in (admin.redis.get(name) or b"")


def test_it_goes_with_its_tenant(admin: Admin) -> None:
    _, connection = admin.add_tenant("gone")
    made = issue(admin, "gone")
    erase_tenant(admin, "gone", [connection])
    admin.add_tenant("gone")
    assert invitation_of(admin.strongbox, made.url.rpartition("/")[2]) is None


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "https://app.example.com/",
        "//app.example.com/settings",
        "javascript:1",
    ],
)
def test_it_leads_back_only_where_that_is_allowed(admin: Admin, address: str) -> None:
    with pytest.raises(WrongUse, match="return URL"):
        issue(admin, "acme", return_url=address)


def test_what_makes_no_sense_is_refused(admin: Admin) -> None:
    with pytest.raises(Refused, match="no tenant"):
        issue(admin, "nobody")
    with pytest.raises(WrongUse):
        issue(admin, "acme", name="No Name!")
    with pytest.raises(WrongUse, match="512"):
        issue(admin, "acme", state="x" * 513)


def test_the_application_gets_the_result_beside_what_it_had(admin: Admin) -> None:
    made = issue(
        admin, "acme", return_url="https://app.example.com/settings?tab=mail&x=", state="a&b=c"
    )
    found = invitation_of(admin.strongbox, token(made.url))
    assert found is not None
    connection = Connection(ConnectionId("0199"), "acme", "default", state=ConnectionState.ACTIVE)
    back = way_back(found, connection)
    assert parse_qs(urlsplit(back).query, keep_blank_values=True) == {
        "tab": ["mail"],
        "x": [""],
        "tenant": ["acme"],
        "connection": ["0199"],
        "status": ["active"],
        "state": ["a&b=c"],
    }

    assert "state" not in way_back(
        replace(found, state="", return_url="https://app.example.com/settings"), connection
    )
