"""Set-up links: signed, for one connection, one browser, seven days, and one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from certmail_config import keys
from certmail_config.connections import Connection, ConnectionState
from certmail_config.erasing import erase_tenant
from certmail_config.errors import Refused, WrongUse
from certmail_config.ids import ConnectionId
from certmail_config.office import Office, open_office
from certmail_config.settings import Settings
from certmail_config.setup_links import (
    belongs_to,
    bind,
    end,
    invitation_of,
    is_bound,
    issue,
    standing,
    way_back,
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    settings = Settings(
        data_dir=Path(tmp_path_factory.mktemp("links")),
        return_urls=("https://app.example.com/settings",),
        public_url="https://certmail.example.com/",
    )
    with open_office(settings) as made:
        made.add_tenant("acme")
        yield made


def token(url: str) -> str:
    assert url.startswith("https://certmail.example.com/connect/acme.")
    return url.rpartition("/")[2]


def test_a_link_is_for_a_tenant_and_good_for_seven_days(office: Office) -> None:
    before = datetime.now(UTC)
    made = issue(office, "acme", name="second", return_url="https://app.example.com/settings", state="s")
    assert timedelta(days=7) <= made.expires_at - before < timedelta(days=7, minutes=1)
    found = invitation_of(office, token(made.url))
    assert found is not None
    assert (found.tenant, found.name, found.state) == ("acme", "second", "s")
    kept = json.loads(office.redis.get(keys.SETUP + "acme") or b"")
    office.redis.set(keys.SETUP + "acme", json.dumps(kept | {"expires_at": before.timestamp() - 1}))
    assert invitation_of(office, token(made.url)) is None, "its own time is over, whatever Redis still has"


def test_the_first_browser_has_it_to_itself(office: Office) -> None:
    found = invitation_of(office, token(issue(office, "acme").url))
    assert found is not None
    assert not is_bound(office.redis, found)
    assert not belongs_to(office.redis, found, "")
    assert bind(office.redis, found, "mine")
    assert bind(office.redis, found, "mine")
    assert not bind(office.redis, found, "theirs")
    assert belongs_to(office.redis, found, "mine")
    assert not belongs_to(office.redis, found, "theirs")


def test_a_newer_one_ends_it_and_an_older_one_does_not_end_the_newer(office: Office) -> None:
    older = issue(office, "acme")
    first = invitation_of(office, token(older.url))
    newer = issue(office, "acme")
    assert invitation_of(office, token(older.url)) is None
    assert first is not None
    end(office.redis, first)
    found = invitation_of(office, token(newer.url))
    assert found is not None
    end(office.redis, found)
    assert standing(office.redis, "acme", found.link) is None


def test_it_goes_with_its_tenant(office: Office) -> None:
    _, connection = office.add_tenant("gone")
    made = issue(office, "gone")
    erase_tenant(office, "gone", [connection])
    office.add_tenant("gone")
    assert invitation_of(office, made.url.rpartition("/")[2]) is None


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/", "https://app.example.com/", "//app.example.com/settings", "javascript:1"],
)
def test_it_leads_back_only_where_that_is_allowed(office: Office, address: str) -> None:
    with pytest.raises(WrongUse, match="return URL"):
        issue(office, "acme", return_url=address)


def test_what_makes_no_sense_is_refused(office: Office) -> None:
    with pytest.raises(Refused, match="no tenant"):
        issue(office, "nobody")
    with pytest.raises(WrongUse):
        issue(office, "acme", name="No Name!")
    with pytest.raises(WrongUse, match="512"):
        issue(office, "acme", state="x" * 513)


def test_the_application_gets_the_result_beside_what_it_had(office: Office) -> None:
    made = issue(office, "acme", return_url="https://app.example.com/settings?tab=mail&x=", state="a&b=c")
    found = invitation_of(office, token(made.url))
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
