"""`certmail preview`: samples in certmail's words, a tenant's, or those of a folder."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes
from email.policy import default
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.compose.samples import SampleSize
from certmail_config.compose.voices import LetterKind
from certmail_config.jobs.languages import LANGUAGES
from certmail_worker.cli import run_command
from certmail_worker.cli.preview.writing import PreviewForm

Run = Callable[..., tuple[int, Any]]
Shown = tuple[int, str, str]
FILES = {
    "brand.toml": 'name = "The Acme"\nlocale = "de"\ncolour = "#b01020"\nfooter = ["1 Main Street"]\n',
    "en/reminder.toml": 'subject = "Own: {{ campaign }}"\n',
    "de/reminder.toml": 'subject = "Eigen: {{ campaign }}"\n',
}


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> Shown:
    """The status of `certmail preview`, and what it wrote to stdout and stderr."""
    capsys.readouterr()
    status = run_command(["preview", *arguments])
    return status, *capsys.readouterr()


def files(at: Path, changes: dict[str, str] | None = None) -> str:
    for name, text in (FILES | (changes or {})).items():
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        (at / name).write_text(text, "utf-8")
    return str(at)


class TestCertmailsOwn:
    def test_is_in_english_and_needs_no_deployment(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        status, text, said = shown(capsys)
        assert (status, said) == (0, "")
        assert text.startswith("Subject: Reminder: Quarterly access review Q4 2026 · 12 open")

    def test_a_language_that_there_is_not_is_named(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        status, text, said = shown(capsys, "--locale", "xx")
        assert (status, text.startswith("Subject: Reminder")) == (0, True)
        assert "no mail in 'xx', so it will be in 'en'" in said


class TestCalendar:
    def test_is_in_the_message_and_stands_below_the_text(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        asked = ("--calendar", "--kind", "final", "--locale", "de")
        status, raw, said = shown(capsys, *asked, "--format", "eml")
        assert (status, said) == (0, "")
        [part] = message_from_bytes(raw.encode(), policy=default).iter_attachments()
        assert part.get_filename() == "due-date.ics"

        text = shown(capsys, *asked)[1]
        assert "\ndue-date.ics:\n\nBEGIN:VCALENDAR\n" in text
        assert "\nSUMMARY:Frist: Quarterly access review Q4 2026\n" in text
        assert "VCALENDAR" not in shown(capsys, *asked[1:])[1]

    def test_comes_where_a_folders_look_says_so(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder = files(tmp_path, {"brand.toml": "calendar = true\n"})
        assert "DTSTART;VALUE=DATE:20261211" in shown(capsys, "--folder", folder)[1]

    def test_that_a_mail_does_not_bring_is_said(self, capsys: pytest.CaptureFixture[str]) -> None:
        status, text, said = shown(capsys, "--calendar", "--kind", "overdue")
        assert (status, "VCALENDAR" in text) == (0, False)
        assert "it brings no calendar file: it has no due date ahead of its reader." in said
        assert shown(capsys, "--calendar", "--job", "x")[0] == 2


class TestFolder:
    def test_each_kind_language_sample_and_form_is_written(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder = files(tmp_path)
        for kind, locale, sample in product(LetterKind, LANGUAGES, SampleSize):
            asked = ("--folder", folder, "--kind", kind, "--locale", locale, "--sample", sample)
            status, raw, _ = shown(capsys, *asked, "--format", PreviewForm.EML)
            mail = message_from_bytes(raw.encode(), policy=default)
            assert (status, mail.defects) == (0, [])
            assert mail["From"].addresses[0].addr_spec == "access-reviews@acme.example"

        for form, begin in (("html", "<!DOCTYPE html>"), ("text", "Subject: Own: Quarterly")):
            status, text, _ = shown(capsys, "--folder", folder, "--locale", "en", "--format", form)
            assert (status, text[: len(begin)]) == (0, begin)
            assert "1 Main Street" in text

    def test_is_in_its_default_language_where_none_is_asked_for(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder = files(tmp_path)
        assert shown(capsys, "--folder", folder)[1].startswith("Subject: Eigen: ")

        status, text, said = shown(capsys, "--folder", folder, "--locale", "xx")
        assert (status, text.partition(":")[2].startswith(" Eigen: ")) == (0, True)
        assert "no mail in 'xx', so it will be in 'de'" in said

    def test_says_where_it_has_no_words(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        status, _, said = shown(capsys, "--folder", files(tmp_path), "--kind", "final")
        assert status == 0
        assert "no words of its own for a mail of kind final in de" in said
        assert "there are some for de/reminder, en/reminder." in said

    def test_says_what_of_it_fails_and_shows_the_mail_without(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder = files(
            tmp_path,
            {
                "en/reminder.toml": 'subject = "{{ campain }}"\nbutton = "Own button"\n',
                "brand.toml": '[logo]\nurl = "https://elsewhere.example/x.png"\nalt = "x"\n',
            },
        )
        status, text, said = shown(capsys, "--folder", folder, "--locale", "en")
        assert status == 1
        assert "en/reminder/subject: line 1: there is no variable `campain`; did you mean" in said
        assert "brand: brand/logo/url: `elsewhere.example` is not in CERTMAIL_LOGO_HOSTS" in said
        assert text.startswith("Subject: Reminder: Quarterly")
        assert "Own button: https://" in text

    @pytest.mark.parametrize(
        ("changes", "status", "sentence"),
        [
            ({"en/remindr.toml": ""}, 1, "en/remindr.toml: no file of templates"),
            ({"en/reminder.toml": "x = "}, 1, "en/reminder.toml: this is no TOML"),
            (None, 2, "is no folder."),
        ],
    )
    def test_that_cannot_be_read_shows_nothing(
        self,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        changes: dict[str, str] | None,
        status: int,
        sentence: str,
    ) -> None:
        folder = files(tmp_path, changes) if changes else str(tmp_path / "none")
        ended, text, said = shown(capsys, "--folder", folder)
        assert (ended, text) == (status, "")
        assert sentence in said


class TestTenant:
    def test_shows_what_it_has_published_from_its_name_and_to_its_address(
        self, commands: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        commands("tenants", "add", "acme", "--name", "Acme Inc.", "--reply-to", "help@acme.example")
        status, text, said = shown(capsys, "--tenant", "acme")
        assert (status, said) == (0, "")
        assert "Acme Inc. is still waiting for you" in text
        assert "Write to help@acme.example" in text

        commands("templates", "publish", "acme", files(tmp_path / "words"))
        status, text, said = shown(capsys, "--tenant", "acme")
        assert (status, said) == (0, "")
        assert text.startswith("Subject: Eigen: Quarterly")
        assert "1 Main Street" in text

    def test_shows_certmails_words_where_its_own_were_suspended_and_says_why(
        self, commands: Run, redis: Redis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        commands("tenants", "add", "acme")
        commands("templates", "publish", "acme", files(tmp_path / "words"))
        redis.hset(redis_keys.TEMPLATES + "acme", "off:en/reminder/subject", "it was altered")

        status, text, said = shown(capsys, "--tenant", "acme", "--locale", "en")
        assert (status, text[:18]) == (0, "Subject: Reminder:")
        assert "en/reminder/subject: it was altered; certmail's own words stand there." in said

    def test_that_there_is_not_is_refused(
        self, commands: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        commands("tenants", "add", "acme")
        assert shown(capsys, "--tenant", "acne")[0] == 1
        assert "There is no tenant 'acne'." in shown(capsys, "--tenant", "acne")[2]
        assert shown(capsys, "--tenant", "acme", "--folder", "x")[0] == 2

    def test_where_there_is_no_deployment_is_refused_and_makes_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in ("CERTMAIL_REDIS_URL", "CERTMAIL_DATABASE_URL"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("CERTMAIL_DATA_DIR", str(tmp_path / "none"))
        status, text, said = shown(capsys, "--tenant", "acme")
        assert (status, text) == (1, "")
        assert "There is no deployment in" in said
        assert not (tmp_path / "none").exists()
