"""Links of reminders: the host that is meant, or the reason why no mail may carry it.

The host is written as browsers write it.

`make links` opens the same links in Chromium.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certmail_config.base.errors import ReminderRejected
from certmail_config.base.web_links import NoLink, WebLink, read_link, read_odd_link
from certmail_config.jobs.contract import read_payload, schema, write_payload
from certmail_config.jobs.reminder import Reminder, parse
from support.data.link_hosts import CASES
from support.data.sentences import foreign

RECORD = {"tenant": "acme", "to": "anna@acme.example"}
KINDS = list(dict.fromkeys(case.kind for case in CASES))


def at_the_door(link: str) -> str | ReminderRejected:
    """The link as it is stored, or why it is refused."""
    try:
        reminder = parse(RECORD | {"link": link})
    except ReminderRejected as rejected:
        return rejected
    return str(json.loads(write_payload(reminder))["link"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_leads_to_the_host_that_is_meant_or_is_refused_with_the_reason(kind: str) -> None:
    for case in (case for case in CASES if case.kind == kind):
        stored = at_the_door(case.link)
        if case.meant is not None:
            assert isinstance(stored, str), case
            assert urlsplit(stored).netloc == case.meant, case
        else:
            assert isinstance(stored, ReminderRejected), case
            assert stored.field == "link"
            assert stored.code == ("invalid_link" if writable(case.link) else "invalid_encoding")
            assert not foreign(stored.message)
            assert stored.message.isprintable()


@pytest.mark.parametrize("kind", KINDS)
def test_a_plain_link_is_read_as_with_a_closer_look(kind: str) -> None:
    for case in (case for case in CASES if case.kind == kind):
        for link in (case.link, f"{case.link}?a=%20b&c=[d];e='f'#g/h?~$!*()@", f" {case.link}"):
            assert read_link(link) == read_odd_link(link), link


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("https://maria@acme.example/", "a user name stands in front of the host"),
        ("https://acme.example:99999/", "its port is no number up to 65535"),
        ("https://acme.example:25/", "browsers open nothing at port 25"),
        ("https://a..b/", "its host has a dot too many"),
        ("https://0x7f.1/", "its host is a number, but not four from 0 to 255 with dots between"),
        ("https://acme\u200b.example/", "it holds a space, or a character that nobody sees"),
        ("https://acme.example/a\\b", "it holds a backslash, which browsers read as a slash"),
        ("https:acme.example", "it does not begin with https:// (or http://) and a host"),
        ("https:///r", "it has no host"),
        ("https://☕.example/", "☕ (U+2615) stands in no name of a host"),
        ("https://a\u200db.example/", "U+200D joins no letters where it stands in the host"),
        ("https://xn--bcher-kv.example/", "is no encoded name"),
        ("https://[::g]/", "what its host has in brackets is no IPv6 address"),
    ],
)
def test_the_reason_is_one_that_a_person_can_act_on(link: str, why: str) -> None:
    found = read_link(link)
    assert isinstance(found, NoLink)
    assert why in found.why


@pytest.mark.parametrize(
    ("link", "url"),
    [
        (
            "https://iga.acme.example/r/1?a=b&c=%20#top",
            "https://iga.acme.example/r/1?a=b&c=%20#top",
        ),
        (" http://IGA.acme.example:8443 ", "http://iga.acme.example:8443"),
        ("HTTPS://acme.example/ü/é", "https://acme.example/%C3%BC/%C3%A9"),
        ('https://acme.example/"><script>', "https://acme.example/%22%3E%3Cscript%3E"),
        ("https://acme.example/?user=ACME\\maria", "https://acme.example/?user=ACME%5Cmaria"),
        ("https://acme.example:443/", "https://acme.example/"),
    ],
)
def test_the_rest_is_kept_as_it_is_in_plain_ascii(link: str, url: str) -> None:
    found = read_link(link)
    assert isinstance(found, WebLink)
    assert found.url == str(found) == url


@settings(deadline=None)
@given(
    st.one_of(
        st.text(),
        st.text().map("https://{}".format),
        st.text().map("https://acme.example/{}".format),
    )
)
def test_whatever_is_taken_is_plain_ascii_of_the_web_and_is_read_again_as_itself(text: str) -> None:
    found = read_link(text)
    if isinstance(found, NoLink):
        assert not foreign(found.why)
        return
    assert re.fullmatch(r"https?://[a-z0-9._\[\]:-]+[!#-;=?-_a-z~]*", found.url)
    assert read_link(found.url) == found


def test_the_schema_takes_whatever_the_door_takes_and_refuses_what_it_can() -> None:
    validator = jsonschema_rs.validator_for(schema())
    taken = {
        case.link: validator.is_valid(RECORD | {"link": case.link})
        for case in CASES
        if writable(case.link)
    }
    assert [link for link, valid in taken.items() if not valid and not refused(link)] == []

    for link in (
        "acme.example",
        "https:acme.example",
        "https:///r",
        "https://a@b.example/",
        "https://a\\b/",
        "ftp://a.b/",
        "https://a%2e.b/",
    ):
        assert not validator.is_valid(RECORD | {"link": link}), link


def writable(text: str) -> bool:
    """Whether UTF-8 has it."""
    return not any("\ud800" <= each <= "\udfff" for each in text)


def refused(link: str) -> bool:
    return isinstance(read_link(link), NoLink)


class TestStored:
    def test_a_link_is_stored_as_it_is_written_and_stays_the_same_reminder(self) -> None:
        given: dict[str, Any] = RECORD | {"link": "https://straße.example/r/7"}
        reminder = parse(given)
        assert json.loads(write_payload(reminder))["link"] == "https://xn--strae-oqa.example/r/7"
        # Versions before named it by its text: enqueued again after an upgrade it is a duplicate,
        # not another one.
        assert "straße" in json.loads(reminder.canonical())["link"]

    def test_one_that_grows_too_long_by_being_written_is_stored_as_it_was_given(self) -> None:
        long = "https://acme.example/" + "漢" * 1900
        assert read_payload(write_payload(parse(RECORD | {"link": long}))).link == long

    @pytest.mark.parametrize(
        "link", ["https://a..b/", "https://maria@acme.example/", "https://acme.example:99999/"]
    )
    def test_what_an_older_version_took_is_read_so_that_the_mail_can_say_what_is_wrong(
        self, link: str
    ) -> None:
        stored = json.dumps(RECORD | {"link": link}).encode()
        assert read_payload(stored) == Reminder.model_construct(**read_payload(stored).model_dump())
        assert read_payload(stored).link == link
