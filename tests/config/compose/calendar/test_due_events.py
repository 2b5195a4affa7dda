"""The calendar file of a mail: which mails bring one, and that it says what the mail says."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certmail_config.compose import ComposeError, Letter, Look, Mail, Review, compose
from certmail_config.compose.content import content
from certmail_config.compose.language import clean
from certmail_config.compose.language.catalogue import catalogue
from certmail_config.compose.samples import SampleSize, sample_letter
from certmail_config.compose.voices import KINDS
from certmail_config.jobs.languages import LANGUAGES
from support.data.calendar_file import CalendarEntry, read_calendar
from support.data.own_blocks import says

Make = Callable[..., Letter]
WITH = Look(calendar=True)
NOW = datetime(2026, 12, 8, 9, tzinfo=UTC)
DUE = datetime(2026, 12, 11, 16, tzinfo=UTC)
BRINGING = {"notice", "reminder", "final", "custom", "digest"}
UNSEEN = re.compile("[\u200b\u200e\u200f\u2068\u2069]")
ATTACKS = [
    "x\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:evil",
    "x\nATTENDEE:mailto:eve@evil.example",
    "Sales, Q4; payroll \\ \\n:done",
    "\u2028\u2029\x85\x0b\0ATTACH:file",
    "x" * 64 + "\r\n ATTENDEE",
    'DTSTART;VALUE=DATE:19700101,"x"',
    "--=_m01937e6c-5a00-7000-8000-0000000000aa--",
    "\ud800",
    "漢" * 300,
]


def attachment(mail: Mail) -> EmailMessage | None:
    message = message_from_bytes(mail.raw, policy=default)
    assert not message.defects
    found = list(message.iter_attachments())
    assert len(found) <= 1
    return found[0] if found else None


def entries(letter: Letter, look: Look = WITH) -> list[CalendarEntry]:
    part = attachment(compose(letter, look))
    return read_calendar(part.get_payload(decode=True)) if part else []  # type: ignore[arg-type]  # it is no multipart


def entry(letter: Letter) -> CalendarEntry:
    [found] = entries(letter)
    return found


class TestWhichMails:
    @pytest.mark.parametrize("kind", sorted(KINDS))
    def test_those_that_ask_their_reader_for_something_that_is_due(self, kind: str) -> None:
        for sample in (SampleSize.RICH, SampleSize.NASTY):
            letter = sample_letter(kind, "en", sample)
            brought = bool(entries(letter))
            assert brought == (
                kind in BRINGING or (kind == "overdue" and sample is SampleSize.NASTY)
            )
        assert not entries(sample_letter(kind, "en", SampleSize.THIN))

    @pytest.mark.parametrize("kind", sorted(KINDS - {"digest"}))
    @pytest.mark.parametrize("due_at", [None, NOW - timedelta(minutes=1), date(2026, 12, 7)])
    def test_none_that_is_overdue_or_has_no_due_date(
        self, letter: Make, kind: str, due_at: date | None
    ) -> None:
        own = {"about": "Ben", "own_subject": "S", "own_text": "T"}
        made = letter(kind=kind, due_at=due_at, now=NOW, **own)
        assert compose(made, WITH) == compose(made)

    def test_an_overdue_one_whose_campaign_was_given_more_time(self, letter: Make) -> None:
        assert entry(letter(kind="overdue")).day == date(2026, 12, 11)

    def test_no_mail_of_who_did_not_ask_for_it_has_a_byte_more(self, letter: Make) -> None:
        assert compose(letter(), Look()) == compose(letter())
        assert b"calendar" not in compose(letter(), Look(name="Acme")).raw
        assert b"multipart/mixed" not in compose(letter()).raw


class TestWhatItSays:
    @pytest.mark.parametrize("locale", [*LANGUAGES, "de-CH", "fr-CA", "ar-EG", "xx"])
    @pytest.mark.parametrize("kind", ["notice", "reminder", "final", "custom"])
    def test_what_the_mail_says_in_its_language(self, kind: str, locale: str) -> None:
        letter = sample_letter(kind, locale)
        shown, words, found = content(letter), catalogue(locale), entry(letter)
        label = str(words.say("due.term"))

        assert found.day == date(2026, 12, 11)
        assert found.written == letter.now
        assert found.url == letter.link
        assert UNSEEN.sub("", found.summary).startswith(label)
        assert "Quarterly access review Q4 2026" in found.summary

        lines = found.description.split("\n")
        assert shown.due is not None
        assert str(shown.due.sentence) in lines
        assert lines[lines.index(str(shown.button)) + 1] == letter.link
        assert "iga-help@acme.example" in lines[-1]
        assert ("ACME Industries" in lines[0]) is (kind != "custom")
        assert len(lines) == (4 if kind == "custom" else 5)

    def test_of_a_digest_each_campaign_that_is_ahead(self) -> None:
        found = entries(sample_letter("digest", "en"))
        assert [(each.summary, each.day, each.url) for each in found] == [
            (
                "Due: Quarterly access review Q4 2026",
                date(2026, 12, 11),
                "https://iga.acme.example/r/7",
            ),
            ("Due: Production databases", date(2026, 12, 25), "https://iga.acme.example/r/9"),
        ]

    def test_of_a_digest_those_that_it_shows_each_by_a_name_of_its_own(self, letter: Make) -> None:
        same = tuple(
            Review("Payroll", DUE + timedelta(days=n), 1, 0, f"https://x.example/{n}")
            for n in range(14)
        )
        found = entries(letter(kind="digest", reviews=same))
        assert [each.day.day for each in found] == list(range(11, 21))
        once = entries(letter(kind="digest", reviews=(Review("Payroll", DUE), Review("", DUE)) * 2))
        assert [each.summary for each in once] == ["Due: Payroll", "Due: Access review"]

    def test_without_link_and_name_it_says_what_is_known(self, letter: Make) -> None:
        found = entry(letter(link=None, campaign_name=None, reply_to=None))
        assert found.summary == "Due: Access review"
        assert found.url is None
        assert "system that Acme Corporation uses" in found.description

    def test_the_button_is_called_as_in_the_tenants_own_mail(self, letter: Make) -> None:
        own = compose(letter(), WITH._replace(name="The brand"), says({"button": "Go, now"}))
        part = attachment(own)
        assert part is not None
        [found] = read_calendar(part.get_payload(decode=True))  # type: ignore[arg-type]  # it is no multipart
        assert "\nGo, now\nhttps://iga" in found.description
        assert found.description.startswith("Acme Corporation has started")

    def test_it_is_an_attachment_beside_the_text_and_no_invitation(self, letter: Make) -> None:
        mail = compose(letter(), WITH)
        message = message_from_bytes(mail.raw, policy=default)
        assert [part.get_content_type() for part in message.walk()] == [
            "multipart/mixed",
            "multipart/alternative",
            "text/plain",
            "text/html",
            "text/calendar",
        ]
        part = attachment(mail)
        assert part is not None
        assert part.get_content_disposition() == "attachment"
        assert part.get_filename() == part.get_param("name") == "due-date.ics"
        assert (part.get_param("method"), part.get_content_charset()) == ("PUBLISH", "utf-8")
        plain = message_from_bytes(compose(letter()).raw, policy=default)
        for kind in ("plain", "html"):
            ours, theirs = message.get_body((kind,)), plain.get_body((kind,))
            assert ours is not None
            assert theirs is not None
            assert ours.get_content() == theirs.get_content()


class TestTheDay:
    @pytest.mark.parametrize(
        ("zone", "day"),
        [
            ("Pacific/Kiritimati", 12),
            ("Pacific/Auckland", 11),
            ("Asia/Tokyo", 11),
            ("UTC", 11),
            ("America/Los_Angeles", 11),
            ("Pacific/Pago_Pago", 10),
            (None, 11),
        ],
    )
    def test_is_that_on_the_reviewers_wall(self, letter: Make, zone: str | None, day: int) -> None:
        made = letter(due_at=datetime(2026, 12, 11, 10, 59, tzinfo=UTC), time_zone=zone)
        assert entry(made).day == date(2026, 12, day)
        assert f"{day} December 2026" in entry(made).description

    @pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Tokyo"])
    def test_of_a_date_is_that_date_on_both_sides_of_the_date_line(
        self, letter: Make, zone: str
    ) -> None:
        assert entry(letter(due_at=date(2026, 12, 11), time_zone=zone)).day == date(2026, 12, 11)

    def test_at_midnight_is_the_day_before_as_the_mail_says(self, letter: Make) -> None:
        midnight = datetime.fromisoformat("2026-12-12T00:00:00+01:00")
        found = entry(letter(due_at=midnight))
        assert found.day == date(2026, 12, 11)
        assert "Friday, 11 December 2026, end of day" in found.description

    def test_today_is_still_ahead(self, letter: Make) -> None:
        assert entry(letter(due_at=NOW + timedelta(hours=3), now=NOW)).day == NOW.date()


class TestTheSameEntry:
    def test_a_moved_due_date_moves_it(self, letter: Make) -> None:
        before = entry(letter(tenant="acme", campaign="q4", now=NOW))
        after = entry(
            letter(
                tenant="acme",
                campaign="q4",
                now=NOW + timedelta(seconds=1),
                due_at=DUE + timedelta(days=7),
                kind="final",
                campaign_name="Renamed",
                link="https://iga.acme.example/new",
                locale="ja",
                to="Maria.Lopez@EMEA.acme.example ",
                job_id=str(UUID(int=9)),
            )
        )
        assert after.uid == before.uid
        assert after.sequence > before.sequence
        assert after.written > before.written
        assert after.day == before.day + timedelta(days=7)

    @pytest.mark.parametrize(
        "change", [{"tenant": "globex"}, {"campaign": "q3"}, {"to": "other@emea.acme.example"}]
    )
    def test_another_tenant_campaign_or_reviewer_has_another(
        self, letter: Make, change: dict[str, Any]
    ) -> None:
        known = {"tenant": "acme", "campaign": "q4"}
        assert entry(letter(**known)).uid != entry(letter(**{**known, **change})).uid

    def test_where_no_campaign_is_named_its_words_tell_it_and_then_its_link(
        self, letter: Make
    ) -> None:
        by_name = {entry(letter(campaign_name=name)).uid for name in ("Q3", "Q4")}
        by_link = {
            entry(letter(campaign_name=None, link=link)).uid
            for link in ("https://x.example/1", "https://x.example/2", None)
        }
        assert len(by_name | by_link) == 5

    def test_a_digest_and_a_reminder_that_name_it_alike_mean_the_same(self, letter: Make) -> None:
        digest = letter(kind="digest", reviews=(Review("Q4", DUE),))
        assert entry(digest).uid == entry(letter(campaign_name="Q4")).uid

    def test_it_is_a_uuid_in_which_nobody_is_named(self, letter: Make) -> None:
        found = entry(letter(tenant="acme", campaign="q4"))
        assert str(UUID(found.uid)) == found.uid
        # It must stay what it is from release to release: a calendar knows it by nothing else.
        assert found.uid == "b9d64e8e-5ede-54ed-85d5-f2a0e3c5e0e7"


class TestWhoeverWritesIt:
    @pytest.mark.parametrize("locale", ["en", "ja", "he"])
    @pytest.mark.parametrize("attack", ATTACKS)
    def test_no_words_change_the_file_around_them(
        self, letter: Make, attack: str, locale: str
    ) -> None:
        words = {"campaign_name": attack, "organisation": attack, "name": attack}
        found = entry(letter(locale=locale, campaign=attack, **words))
        assert found.day == date(2026, 12, 11)
        said = clean.capped(clean.line(attack), 80)
        assert UNSEEN.sub("", said) in UNSEEN.sub("", found.summary)

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        words=st.fixed_dictionaries(
            dict.fromkeys(
                ["campaign_name", "organisation", "name", "campaign", "locale"],
                st.sampled_from(ATTACKS) | st.text(max_size=200),
            )
        ),
        due=st.dates() | st.datetimes(timezones=st.just(UTC)),
        link=st.text("aé=&?/%'\"<>漢,;\\0123456789", max_size=300),
    )
    def test_whatever_it_is_the_file_can_be_read(
        self, letter: Make, words: dict[str, str], due: date, link: str
    ) -> None:
        made = letter(**words, due_at=due, link=f"https://iga.example/{link}")
        try:
            found = entries(made)
        except ComposeError as error:
            assert "link" in str(error)  # noqa: PT017 - refused before anything is written
            return
        shown = content(made)
        assert bool(found) == (shown.due is not None and shown.due.day is not None)
        assert all(len(line) <= 76 for line in compose(made, WITH).raw.split(b"\r\n"))
