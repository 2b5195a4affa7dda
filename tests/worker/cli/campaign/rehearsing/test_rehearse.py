"""`certmail campaign rehearse`, as it is typed, without a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any, Final

import pytest

from certmail_worker.cli import run_command

CAMPAIGN: Final = """\
tenant = "acme"
id = "2036-q4"
name = "Quarterly access review"
start = 2036-11-03T09:00:00+01:00
due = 2036-11-14T17:00:00+01:00
time_zone = "Europe/Berlin"
[[rule]]
id = "start"
on = "start"
[[rule]]
id = "before"
before_due = [3, 1]
[[rule]]
id = "boss"
overdue_by = "3 days"
"""
REVIEWERS: Final = """\
id,to,time_zone,manager,pending
anna,anna@acme.example,,boss@acme.example,3
bob,bob@acme.example,America/New_York,,1
cleo,cleo@acme.example,Europe/Paris,,0
"""
BEGINS: Final = ("--now", "2036-11-03T07:00:00Z")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Type it in a folder with a campaign and its reviewers; no store is to be found."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CERTMAIL_REDIS_URL", "redis://127.0.0.1:1/0")
    Path("q4.toml").write_text(CAMPAIGN, "utf-8")
    Path("people.csv").write_text(REVIEWERS, "utf-8")

    def typed(*more: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = run_command(
            ["campaign", "rehearse", "q4.toml", "--reviewers", "people.csv", *BEGINS, *more]
        )
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return typed


def rehearsed(run: Run, *more: str) -> tuple[int, dict[str, Any]]:
    status, out, _ = run(*more, "--json")
    return status, json.loads(out)


def test_it_says_who_got_what_when_and_why_and_what_became_of_all_jobs(run: Run) -> None:
    status, out, err = run()
    assert status == 0
    assert err == ""
    assert "Who gets what, in their own time:" in out
    assert "the campaign starts on Mon 3 Nov 2036" in out
    assert "Mails by day and kind:" in out
    assert "7 = 7 accepted" in out
    assert "Nothing has left this machine" in out


def test_for_programs_it_is_a_plan_of_what_went(run: Run) -> None:
    status, told = rehearsed(run)
    assert status == 0
    assert [(each["reviewer"], each["kind"]) for each in told["moments"]] == [
        ("anna", "notice"),
        ("bob", "notice"),
        ("anna", "reminder"),
        ("bob", "reminder"),
        ("anna", "final"),
        ("bob", "final"),
        ("anna", "escalation"),
    ]
    assert told["moments"][0]["at"].startswith("2036-11-03T08:0")
    assert {each["why"] for each in told["not"]} == {"complete", "no_manager"}
    assert told["jobs"] == [{"state": "accepted", "reason": "accepted by the sink", "count": 7}]
    assert (told["done"], "files" in told) == ([], False)


def test_whoever_is_done_gets_nothing_after_that(run: Run) -> None:
    status, told = rehearsed(run, "--done", "anna=2036-11-12")
    assert status == 0
    assert [each["rule"] for each in told["moments"] if each["reviewer"] == "anna"] == [
        "start",
        "before",
    ]
    [done] = told["done"]
    assert (done["reviewer"], done["mails_before"], done["mails_after"]) == ("anna", 2, 0)
    assert done["at"] == "2036-11-11T23:00:00Z", "the day begins in Berlin"

    _, out, _ = run("--done", "anna=2036-11-12T08:00:00+01:00")
    assert "1 reviewer was done on the way, and got no mail after that:" in out


def test_a_share_of_them_is_done_by_and_by(run: Run) -> None:
    _, told = rehearsed(run, "--completing", "50%", "--seed", "2")
    assert [each["mails_after"] for each in told["done"]] == [0]
    _, all_of_them = rehearsed(run, "--completing", "100")
    assert {each["reviewer"] for each in all_of_them["done"]} == {"anna", "bob"}


def test_each_mail_is_written_to_a_folder(run: Run) -> None:
    status, told = rehearsed(run, "--out", "mails")
    assert status == 0
    assert told["files"][0] == "00001-2036-11-03-notice-anna@acme.example.eml"
    assert sorted(told["files"]) == sorted(each.name for each in Path("mails").iterdir())
    mail = message_from_bytes((Path("mails") / told["files"][0]).read_bytes(), policy=default)
    assert mail["to"] == "anna@acme.example"
    assert "Quarterly access review" in mail["subject"]

    status, _, err = run("--out", "mails")
    assert status == 2
    assert "mails is not empty" in err


def test_a_wrong_row_is_said_and_the_others_are_rehearsed(run: Run) -> None:
    Path("people.csv").write_text(REVIEWERS + "dan,nowhere,,,\n", "utf-8")
    status, out, err = run()
    assert status == 1
    assert "7 = 7 accepted" in out
    assert "people.csv, line 5, to: " in err


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--done", "anna"), "wrong_use"),
        (("--done", "anna=tomorrow"), "invalid_time"),
        (("--done", "anna=2036-13-01"), "invalid_day"),
        (("--done", "nobody=2036-11-12"), "unknown_reviewer"),
        (("--completing", "many"), "wrong_use"),
        (("--completing", "101%"), "wrong_use"),
        (("--out", "q4.toml"), "folder_unusable"),
    ],
)
def test_what_makes_no_sense_is_said(run: Run, options: tuple[str, ...], code: str) -> None:
    status, told = rehearsed(run, *options)
    assert (status, told["error"]["code"]) == (2, code)
